# The engine starts: Python in this process, when it is first needed.

the <- new.env(parent = emptyenv()) # what lives as long as the session
the$border <- NULL # Python's side of the border
the$pid <- NULL # the process in which it was started
the$hosted <- FALSE # does Python host this R?
the$objects <- new.env(parent = emptyenv()) # Python's, by the key of the object of R that holds each
the$held <- 0L # how many there have been
the$quit <- NULL # the status that R code in a Python that hosts it wants to quit with
the$note <- NULL # what the user is told once about the engine in use

#' Python's side of the border, started when first needed.
#' @noRd
engine <- function() {
  if (is.null(the$border)) {
    start_engine()
  } else if (is_forked()) {
    abort_forked("The engine can't be used in a forked process.")
  }
  the$border
}

#' Is this process a copy of the one in which the engine was started?
#' @noRd
is_forked <- function() {
  !is.null(the$border) && !identical(the$pid, Sys.getpid())
}

start_engine <- function() {
  # The look of R's process stays the user's: Python's start may set locale and environment.
  locale <- Sys.getlocale("LC_CTYPE")
  keep_random_state() # reticulate's start draws from it
  hosted <- start_python()
  if (hosted) {
    repair_hosted()
  }
  the$hosted <- hosted
  border <- tryCatch(
    import_engine(hosted),
    error = function(error) abort_no_engine(conditionMessage(error))
  )
  if (!identical(Sys.getlocale("LC_CTYPE"), locale)) {
    Sys.setlocale("LC_CTYPE", locale)
  }
  the$border <- border
  the$pid <- Sys.getpid()
  if (!is.null(the$note)) {
    tell(rlang::format_error_bullets(c(i = the$note)))
  }
  invisible(border)
}

#' Start Python, or attach to the one that hosts this R; TRUE when hosted.
#' @noRd
start_python <- function() {
  if (!reticulate::py_available()) {
    configure_python()
    if (hosted_by_python()) {
      gc() # so that none comes before repair_hosted()
      name_host()
    }
    started <- tryCatch(
      in_utf8(without_prompt(reticulate::py_available(initialize = TRUE))),
      error = function(error) abort_no_python(conditionMessage(error))
    )
    if (!started) {
      abort_no_python(NULL)
    }
  }
  config <- reticulate::py_config()
  if (numeric_version(config$version) < "3.9") {
    abort_old_python(config)
  }
  identical(config$forced, "the current process")
}

#' In a C locale Python would take the names of files for ASCII, for as long as it runs.
#' @noRd
in_utf8 <- function(code) {
  if (in_c_locale()) with_variable("LC_ALL", "C.UTF-8", code) else code
}

#' reticulate asks on first use whether to install Miniconda; install_mxtune() is our way.
#' @noRd
without_prompt <- function(code) {
  with_variable("RETICULATE_MINICONDA_ENABLED", "FALSE", code)
}

#' Run code with an environment variable that is the user's again afterwards.
#' @noRd
with_variable <- function(name, value, code) {
  set <- function(value) do.call(Sys.setenv, rlang::set_names(list(value), name))
  before <- Sys.getenv(name, NA)
  on.exit(if (is.na(before)) Sys.unsetenv(name) else set(before))
  set(value)
  code
}

#' Import the engine that this R package carries, whatever else is installed in the user's Python. Only a
#' Python that hosts this R, or that has loaded its own mxtune before, keeps it: objects must be of one kind.
#' @noRd
import_engine <- function(hosted) {
  folder <- engine_folder()
  sys <- reticulate::import("sys", convert = FALSE)
  found <- reticulate::py_to_r(reticulate::py_call(find_engine(), folder))
  theirs <- found$loaded %||% if (hosted) found$other
  if (is.null(theirs)) {
    path <- reticulate::py_get_attr(sys, "path")
    reticulate::py_call(reticulate::py_get_attr(path, "insert"), 0L, folder)
    on.exit(reticulate::py_call(reticulate::py_get_attr(path, "remove"), folder))
  }
  border <- reticulate::import("mxtune.border.reticulate", convert = FALSE)
  the$engine <- list(
    version = reticulate::py_to_r(reticulate::import("mxtune", convert = FALSE)$`__version__`),
    folder = theirs %||% file.path(folder, "mxtune"),
    python = reticulate::py_config()$python
  )
  the$note <- engine_note(theirs, found, the$engine)
  border
}

#' Which mxtune a Python has: already loaded, and installed.
#' @noRd
find_engine <- function() {
  reticulate::py_run_string(
    "
def find(ours):
    import importlib.util, os, sys
    folder = lambda spec: os.path.dirname(os.path.realpath(spec.origin)) if spec and spec.origin else None
    loaded = sys.modules.get('mxtune')
    spec = importlib.util.find_spec('mxtune') if loaded is None else loaded.__spec__
    where = folder(spec)
    if where == os.path.realpath(os.path.join(ours, 'mxtune')):
        where = None
    version = None
    if where is not None:
        import importlib.metadata
        try:
            version = importlib.metadata.version('mxtune')
        except importlib.metadata.PackageNotFoundError:
            version = 'unknown'
    return {'loaded': folder(spec) if loaded is not None else None, 'other': where, 'version': version}
",
    local = TRUE, convert = FALSE
  )$find
}

engine_note <- function(theirs, found, engine) {
  ours <- as.character(utils::packageVersion("mxtune"))
  if (!is.null(theirs) && !identical(engine$version, ours)) {
    paste0(
      "mxtune ", ours, " for R uses the engine that this Python had already loaded: mxtune ", engine$version,
      " in ", engine$folder, "."
    )
  } else if (is.null(theirs) && !is.null(found$other) && !identical(found$version, engine$version)) {
    paste0(
      "mxtune uses its own engine, version ", engine$version, ", and not mxtune ", found$version, " in ",
      found$other, "."
    )
  }
}

#' The folder that holds the engine's Python package, in an installed package and in a source tree.
#' @noRd
engine_folder <- function() {
  normalizePath(system.file("python", package = "mxtune", mustWork = TRUE))
}

#' The Python in use, or "" before it is started.
#' @noRd
reticulate_python <- function() {
  if (reticulate::py_available()) reticulate::py_config()$python else ""
}

#' At its end the caller leaves R's generator as it is now.
#' @noRd
keep_random_state <- function(caller = parent.frame()) {
  before <- globalenv()$.Random.seed
  restore <- function() {
    if (is.null(before)) {
      suppressWarnings(rm(".Random.seed", envir = globalenv()))
    } else {
      rlang::env_poke(globalenv(), ".Random.seed", before)
    }
  }
  do.call(on.exit, list(as.call(list(restore)), add = TRUE), envir = caller)
}
