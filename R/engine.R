# The engine: Python in this process. This file alone calls reticulate. What crosses, and how, is in border.R;
# which Python is chosen is in python.R.

the <- new.env(parent = emptyenv()) # what lives as long as the session
the$border <- NULL # Python's side of the border
the$pid <- NULL # the process in which it was started
the$hosted <- FALSE # does Python host this R?
the$note <- NULL # what the user is told once about the engine in use

#' Run a public function of the engine, or a method of an object of ours.
#'
#' @param what The function's name, or the method's.
#' @param owner `NULL`, or an `mxmodel`, `mximages` or `mxnetwork`.
#' @param arguments A named list: what the user gave, and nothing else. Defaults live in Python.
#' @param listener Who hears of progress, from `listener()`.
#' @noRd
engine_call <- function(what, owner = NULL, arguments = list(), listener = NULL) {
  border <- engine()
  crossing <- new.env(parent = emptyenv()) # keeps what Python looks at, and a user's function's condition
  arguments <- arguments[!vapply(arguments, rlang::is_missing, logical(1))]
  sent <- to_python_list(arguments, crossing)
  outcome <- whole(reticulate::py_call(
    border$call, what, handle_of(owner), reticulate::r_to_py(sent), python_functions(listener, crossing)
  ))
  outcome <- reticulate::py_to_r(outcome)
  crossing$kept <- NULL # until here Python looks into R's memory
  for (warning in outcome$warnings) {
    warn_from_python(warning)
  }
  if (!is.null(outcome$error)) {
    abort_from_python(outcome$error, crossing$condition)
  }
  from_python(outcome$value)
}

#' Python's answer, whatever Ctrl-C or Esc does. Where reticulate calls a function of R, a jump of R's would leave
#' Python half way and cost its answer: R only notes the interrupt, and Python looks (`Interruptible`). A Python that
#' hosts R hears of it first; from reticulate 1.37 on R must not suspend it there.
#' @noRd
whole <- function(answer) {
  catches <- exists("install_interrupt_handlers", asNamespace("reticulate"), inherits = FALSE)
  if (the$hosted && catches) answer else suspendInterrupts(answer)
}

#' Python's side of the border, started when first needed.
#' @noRd
engine <- function() {
  if (is.null(the$border)) {
    start_engine()
  } else if (!identical(the$pid, Sys.getpid())) {
    abort_mxtune(
      "The engine can't be used in a forked process.",
      hint = "Start workers as new R sessions: parallel::makePSOCKcluster() makes some.",
      class = "mxtune_engine_error"
    )
  }
  the$border
}

start_engine <- function() {
  # The look of R's process stays the user's: Python's start may set locale and environment.
  locale <- Sys.getlocale("LC_CTYPE")
  hosted <- start_python()
  if (hosted) {
    mend_hosted()
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
    rlang::inform(c(i = the$note))
  }
  invisible(border)
}

#' Start Python, or attach to the one that hosts this R; TRUE when hosted.
#' @noRd
start_python <- function() {
  if (!reticulate::py_available()) {
    configure_python()
    if (hosted_by_python()) {
      gc() # so that none comes before mend_hosted()
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

#' A Python started by a relative path, or by its name alone, tells reticulate a library that is not found: it is the
#' program itself, and no library.
#' @noRd
name_host <- function() {
  namespace <- asNamespace("reticulate")
  if (!exists("main_process_python_info", namespace, inherits = FALSE)) {
    return(invisible())
  }
  found <- get("main_process_python_info", namespace)
  named <- function(...) {
    info <- found(...)
    if (!is.na(info$libpython) && !startsWith(info$libpython, "/")) {
      info$libpython <- NA_character_ # as reticulate has it for a program started by its whole path
    }
    info
  }
  .Call(mxtune_rebind, "main_process_python_info", named, namespace)
  invisible()
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

#' reticulate asks on first use whether to install Miniconda; install_mxtune() is our way.
#' @noRd
without_prompt <- function(code) {
  with_variable("RETICULATE_MINICONDA_ENABLED", "FALSE", code)
}

#' In a C locale Python would take the names of files for ASCII, for as long as it runs.
#' @noRd
in_utf8 <- function(code) {
  if (in_c_locale()) with_variable("LC_ALL", "C.UTF-8", code) else code
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
      "mxtune ", ours, " for R uses the engine of the Python that was there before: mxtune ", engine$version,
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

# ---- objects of Python ----

is_python <- function(x) inherits(x, "python.builtin.object")

is_alive <- function(x) is_python(x) && !reticulate::py_is_null_xptr(x)

#' A function of R as Python calls it. Its condition is kept in `crossing`, since Python can't carry it.
#' @noRd
python_function <- function(f, crossing) {
  if (is.null(f) || is_python(f)) {
    return(f)
  }
  safely <- function(...) {
    tryCatch(
      allowInterrupts(f(...)),
      error = function(error) {
        crossing$condition <- error
        list(`..r` = "error", message = conditionMessage(error))
      },
      interrupt = function(interrupt) list(`..r` = "interrupt")
    )
  }
  reticulate::r_to_py(safely, convert = TRUE)
}

#' Functions by name, as a dict of Python; anything else as it is.
#' @noRd
python_functions <- function(functions, crossing) {
  if (is.list(functions)) reticulate::r_to_py(lapply(functions, python_function, crossing)) else functions
}

#' Fill a fresh vector from Python.
#' @noRd
fetch_vector <- function(mode, sent) {
  out <- vector(mode, sent$length)
  if (length(out)) {
    reticulate::py_call(engine()$fill, sent$token, .Call(mxtune_address, out))
  }
  if (!is.null(sent$dim)) {
    dim(out) <- unlist(sent$dim)
  }
  out
}

# ---- R inside Python ----

#' Python hosts this R: keep R's finalizers and its end from ending the process (see src/hosted.c).
#' @noRd
mend_hosted <- function() {
  library <- getLoadedDLLs()[["reticulate"]][["path"]]
  .Call(mxtune_mend_thread, library)
  reg.finalizer(the, function(e) .Call(mxtune_hosted_ends), onexit = TRUE)
  namespace <- asNamespace("reticulate")
  if (exists("py_allow_threads_impl", namespace, inherits = FALSE)) {
    .Call(mxtune_rebind, "py_allow_threads_impl", function(...) invisible(TRUE), namespace)
  } else if (!.Call(mxtune_mend_decref, library)) {
    warn_mxtune(
      "This R runs inside Python, and this reticulate may end the process at a garbage collection.",
      hint = "install.packages(\"reticulate\") brings a version (1.31 or later) that does not.",
      class = "mxtune_engine_warning"
    )
  }
  invisible()
}

#' The object that Python lent under a key (`rhost`): the same in memory.
#' @noRd
take_lent <- function(key) {
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
  reticulate::py_call(engine()$heard, text)
}

#' Who hears of progress where Python hosts R.
#' @noRd
host_reporter <- function(verbose) {
  engine()
  if (the$hosted) reticulate::py_call(the$border$host_reporter, verbose)
}

#' The Python in use, or "" before it is started.
#' @noRd
reticulate_python <- function() {
  if (reticulate::py_available()) reticulate::py_config()$python else ""
}

# ---- environments of Python ----

has_environment <- function() {
  isTRUE(tryCatch(reticulate::virtualenv_exists(environment_name), error = function(e) FALSE))
}

use_environment <- function() {
  reticulate::use_virtualenv(environment_name, required = FALSE)
}

can_require <- function() {
  "py_require" %in% getNamespaceExports("reticulate")
}

#' Declare what the engine needs: reticulate makes a Python for it when nothing else is configured.
#' @noRd
require_python <- function() {
  declare <- getExportedValue("reticulate", "py_require")
  declare(requirements(), python_version = ">=3.9,<3.13")
}

make_environment <- function(envname, python, gpu) {
  if (!reticulate::virtualenv_exists(envname)) {
    start_environment(envname, python)
  } else if (!gpu) {
    remove_build_for_gpus(envname)
  }
  from_file <- paste("-r", shQuote(requirements_file())) # reticulate loses the quotes within a requirement
  reticulate::virtualenv_install(envname, packages = "numpy", pip_options = from_file)
  reticulate::virtualenv_install(envname, packages = "mxnet==1.9.1", pip_options = "--no-deps")
  if (gpu) {
    # that build unpacks into the same folder as the other, so it comes last and alone
    reticulate::virtualenv_install(envname, packages = cuda_requirements())
    reticulate::virtualenv_install(
      envname,
      packages = "mxnet-cu117==1.9.1", ignore_installed = TRUE, pip_options = "--no-deps"
    )
  }
}

#' Both builds live in one folder: the other can't be installed over it, nor stay alone.
#' @noRd
remove_build_for_gpus <- function(envname) {
  builds <- intersect(c("mxnet", "mxnet-cu117"), reticulate::py_list_packages(envname)$package)
  if ("mxnet-cu117" %in% builds) {
    reticulate::virtualenv_remove(envname, packages = builds, confirm = FALSE)
  }
}

#' By Python's own venv: some versions of reticulate ask for a pip of the system that nothing else needs.
#' @noRd
start_environment <- function(envname, python) {
  if (is.null(python)) {
    return(reticulate::virtualenv_create(envname, packages = NULL))
  }
  folder <- if (grepl("[/\\\\]", envname)) envname else file.path(reticulate::virtualenv_root(), envname)
  said <- suppressWarnings(system2(python, c("-m", "venv", shQuote(path.expand(folder))), stdout = TRUE, stderr = TRUE))
  if (!is.null(attr(said, "status"))) {
    stop(python, " -m venv: ", paste(said, collapse = "\n"), call. = FALSE)
  }
}

remove_environment <- function(envname) {
  reticulate::virtualenv_remove(envname, confirm = FALSE)
}

environment_python <- function(envname) {
  reticulate::virtualenv_python(envname)
}
