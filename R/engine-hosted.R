# R inside a Python process: what keeps such a process alive, and what passes objects and words to the host. What the
# host calls by name is in rhost.R.

#' Python runs in this process already, and reticulate did not start it.
#' @noRd
hosted_by_python <- function() {
  isTRUE(.Call(mxtune_python_runs))
}

#' A Python started by a relative path, or by its name alone, tells reticulate a library that is not found: it is the
#' program itself, and no library.
#' @noRd
name_host <- function() {
  namespace <- asNamespace("reticulate")
  if (!exists("main_process_python_info", namespace, inherits = FALSE)) {
    return(invisible())
  }
  python_info <- get("main_process_python_info", namespace)
  named <- function(...) {
    info <- python_info(...)
    if (!is.na(info$libpython) && !startsWith(info$libpython, "/")) {
      info$libpython <- NA_character_ # as reticulate has it for a program started by its whole path
    }
    info
  }
  .Call(mxtune_rebind, "main_process_python_info", named, namespace)
  invisible()
}

#' Python hosts this R: keep R's finalizers and its end from ending the process (see src/hosted.c).
#' @noRd
repair_hosted <- function() {
  guard_quit()
  library <- getLoadedDLLs()[["reticulate"]][["path"]]
  .Call(mxtune_repair_thread, library)
  reg.finalizer(the, function(e) .Call(mxtune_hosted_ends), onexit = TRUE)
  namespace <- asNamespace("reticulate")
  if (exists("py_allow_threads_impl", namespace, inherits = FALSE)) {
    .Call(mxtune_rebind, "py_allow_threads_impl", function(...) invisible(TRUE), namespace)
  } else if (!.Call(mxtune_repair_decref, library)) {
    warn_mxtune(
      "This R runs inside Python, and this reticulate may end the process at a garbage collection.",
      hint = "install.packages(\"reticulate\") brings a version (1.31 or later) that does not.",
      class = "mxtune_engine_warning"
    )
  }
  invisible()
}

#' quit() would end the Python that hosts this R, and none of its clean-up would run. Here it stops the R code alone: it
#' jumps to the restart of `hosted()`, past all handlers of the code's own.
#' @noRd
guard_quit <- function() {
  leave <- function(save = "default", status = 0, runLast = TRUE) { # nolint: object_name_linter
    if (!rlang::is_integerish(status, n = 1, finite = TRUE)) {
      stop("invalid 'status': a whole number is expected.", call. = FALSE)
    }
    the$quit <- as.integer(status)
    tryInvokeRestart("mxtune_quit", the$quit)
    stop("quit() is left to the Python that hosts this R.", call. = FALSE) # of rpy2's own ways
  }
  for (name in c("quit", "q")) {
    .Call(mxtune_rebind, name, leave, baseenv())
  }
}

#' The object that Python handed over under a key (`rhost`): the same in memory.
#' @noRd
take_object <- function(key) {
  reticulate::py_call(engine()$take, key)
}

#' The way back: Python finds the object under the key.
#' @noRd
give_back <- function(object, key) {
  reticulate::py_call(engine()$give, key, object)
}

#' A message of R, for the log of the Python that hosts it.
#' @noRd
tell_host <- function(text) {
  reticulate::py_call(engine()$log, text)
}

#' Who hears of progress where Python hosts R.
#' @noRd
host_reporter <- function(verbose) {
  engine()
  if (the$hosted) reticulate::py_call(the$border$host_reporter, verbose)
}
