# Calls into the engine: a user's arguments go to Python; what comes back is a value, a condition or an interrupt.
# What crosses, and how, is in border.R. Files called engine-*.R alone call reticulate.

#' Run a public function of the engine, or a method of an object of ours.
#'
#' @param what The function's name, or the method's.
#' @param owner `NULL`, or an `mxmodel`, `mximages` or `mxnetwork`.
#' @param arguments A named list.
#' @param listener Who hears of progress, from `listener()`.
#' @param spelled R's names for arguments that Python calls otherwise.
#' @param crossing What belongs to one call of the user's, which may take several of these: what Python looks at, and
#'   the condition of a user's function.
#' @param guarded Whether the value is too dear to be lost to an interrupt or SIGTERM on its way to R.
#' @noRd
engine_call <- function(what, owner = NULL, arguments = list(), listener = NULL, spelled = NULL,
                        crossing = new.env(parent = emptyenv()), guarded = FALSE) {
  if (is.null(globalenv()$.Random.seed)) {
    keep_random_state() # each call of reticulate makes one, and future takes that for a draw
  }
  border <- engine()
  sent <- rlang::set_names(lapply(arguments, to_python, crossing), names(arguments) %||% character())
  late <- NULL
  outcome <- whole({
    if (guarded) {
      reticulate::py_call(border$guard)
      on.exit(reticulate::py_call(border$release), add = TRUE)
    }
    outcome <- reticulate::py_to_r(reticulate::py_call(
      border$call, what, handle_of(owner), reticulate::r_to_py(sent), python_functions(listener, crossing)
    ))
    crossing$kept <- NULL # until here Python looks into R's memory
    value <- from_python(outcome$value)
    if (guarded) {
      late <- reticulate::py_to_r(reticulate::py_call(border$release))
    }
    outcome
  })
  if (!is.null(crossing$quit)) {
    quit(status = crossing$quit) # of a function of R that Python called
  }
  for (warning in outcome$warnings) {
    warn_from_python(warning, if (!is.null(warning$model)) value)
  }
  if (!is.null(outcome$error)) {
    abort_from_python(outcome$error, crossing$condition, spelled)
  }
  if (!is.null(late)) {
    warn_from_python(late, value)
  }
  value
}

#' Python's answer, whatever Ctrl-C or Esc does. Where reticulate calls a function of R, a jump of R's would leave
#' Python half way and cost its answer: R only notes the interrupt, and Python looks (`Interruptible`). A Python that
#' hosts R hears of it first; from reticulate 1.37 on R must not suspend it there.
#' @noRd
whole <- function(answer) {
  catches <- exists("install_interrupt_handlers", asNamespace("reticulate"), inherits = FALSE)
  if (the$hosted && catches) answer else suspendInterrupts(answer)
}

#' Functions by name, as a dict of Python; anything else as it is.
#' @noRd
python_functions <- function(functions, crossing) {
  if (is.list(functions)) reticulate::r_to_py(lapply(functions, python_function, crossing)) else functions
}

#' A function of R as Python calls it. Its condition is kept in `crossing`, since Python can't carry it.
#' @noRd
python_function <- function(f, crossing) {
  if (is.null(f) || is_python(f)) {
    return(f)
  }
  safely <- function(...) {
    withRestarts(
      tryCatch(
        allowInterrupts(do.call("f", lapply(list(...), from_python))),
        error = function(error) {
          crossing$condition <- error
          list(`..r` = "error", message = conditionMessage(error))
        },
        interrupt = function(interrupt) list(`..r` = "interrupt")
      ),
      mxtune_quit = function(status) {
        crossing$quit <- status
        list(`..r` = "interrupt")
      }
    )
  }
  reticulate::r_to_py(safely, convert = TRUE)
}

#' A fresh vector that Python fills.
#' @noRd
fetch_vector <- function(sent) {
  out <- vector(sent$type, sent$length)
  if (length(out)) {
    reticulate::py_call(engine()$fill, sent$token, .Call(mxtune_address, out))
  }
  out
}

is_python <- function(x) inherits(x, "python.builtin.object")

is_alive <- function(x) is_python(x) && !reticulate::py_is_null_xptr(x)
