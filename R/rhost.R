# R inside a Python process: python/mxtune/border/rpy2 calls these by name. What keeps such a process alive is in
# engine-hosted.R.

#' Run code for Python; what happens comes back as a list with one of `value`, `error`, `interrupt`, `quit`, and with
#' `warnings`.
#' @noRd
hosted <- function(code) {
  the$quit <- NULL
  warned <- new.env(parent = emptyenv())
  outcome <- withRestarts(tryCatch(
    withCallingHandlers(
      list(value = allowInterrupts(code)), # the caller has suspended them
      warning = function(warning) {
        warned$all <- c(warned$all, list(condition_to_host(warning)))
        tryInvokeRestart("muffleWarning")
      },
      message = function(message) {
        if (!is.null(the$border)) {
          tell_host(as_utf8(conditionMessage(message)))
          tryInvokeRestart("muffleMessage")
        }
      }
    ),
    error = function(error) list(error = condition_to_host(error)),
    interrupt = function(interrupt) list(interrupt = TRUE)
  ), mxtune_quit = function(status) list(quit = status))
  if (!is.null(the$quit) && !"value" %in% names(outcome)) {
    outcome <- list(quit = the$quit) # also where reticulate, which R's jump went through, made an error of it
  }
  the$quit <- NULL
  c(outcome, list(warnings = warned$all))
}

#' A condition as plain text.
#' @noRd
condition_to_host <- function(condition) {
  call <- conditionCall(condition)
  ours <- is.null(call) || identical(call, quote(eval(expression, scope)))
  where <- if (ours) "" else deparse(call, width.cutoff = 60, nlines = 1)[1]
  list(message = as_utf8(conditionMessage(condition)), call = as_utf8(where), class = class(condition))
}

hosted_start <- function() {
  hosted({
    engine()
    TRUE
  })
}

#' Evaluate text: in the workspace, or among variables that are forgotten afterwards.
#' @noRd
hosted_eval <- function(code, variables) {
  hosted({
    scope <- if (length(variables)) list2env(variables, parent = globalenv()) else globalenv()
    value <- NULL
    for (expression in str2expression(code)) {
      value <- eval(expression, scope)
    }
    value
  })
}

#' Call a function, or one that text names. Long arguments are variables in the call, so that what R keeps of it
#' (`lm()` does) stays short.
#' @noRd
hosted_call <- function(what, arguments, names) {
  hosted({
    scope <- new.env(parent = globalenv())
    scope$.called <- what
    called <- if (is.function(what)) quote(.called) else function_name(what)
    names <- with_dots(names, eval(called, scope), deparse(called)[1])
    labels <- ifelse(nzchar(names), names, paste0("x", seq_along(names)))
    list2env(rlang::set_names(arguments, labels), scope)
    plain <- vapply(arguments, function(x) is.atomic(x) && length(x) == 1 && is.null(attributes(x)), NA)
    passed <- ifelse(plain, arguments, lapply(labels, as.name))
    eval(as.call(c(called, rlang::set_names(passed, names))), scope)
  })
}

#' A function's name as R code; those of this package are found without library(mxtune), too.
#' @noRd
function_name <- function(text) {
  if (exists(text, globalenv(), mode = "function")) {
    as.name(text)
  } else if (text %in% getNamespaceExports("mxtune")) {
    call("::", quote(mxtune), as.name(text))
  } else {
    str2lang(text)
  }
}

#' Python's names have no dots: na_rm is na.rm where the function, or its default method, has that and not the other.
#' @noRd
with_dots <- function(names, f, called) {
  generic <- sub("^.*::", "", called)
  method <- utils::getS3method(generic, "default", optional = TRUE)
  declared <- c(args(f), method) # some primitives have none
  known <- unlist(lapply(declared, function(f) names(formals(f))))
  dotted <- gsub("_", ".", names, fixed = TRUE)
  ifelse(!names %in% known & dotted %in% known, dotted, names)
}

#' What R prints of an object, which comes in a list, since a call or a symbol would be evaluated.
#' @noRd
hosted_print <- function(held) {
  hosted(as_utf8(utils::capture.output(print(held[[1]]))))
}

#' A model's plot in a file.
#' @noRd
hosted_plot <- function(model, path, device, size, arguments) {
  hosted({
    open <- getExportedValue("grDevices", device)
    if (device %in% c("pdf", "svg")) {
      open(path, width = size[1], height = size[2])
    } else {
      open(path, width = size[1], height = size[2], units = "in", res = 144)
    }
    on.exit(grDevices::dev.off())
    do.call("plot", c(list(model), arguments))
    NULL
  })
}

# ---- objects ----

#' The object that Python handed over under a key, as an object of this package: the same in memory.
#' @noRd
from_host <- function(key) {
  hosted(new_handle(take_object(key)))
}

#' Any other object of Python.
#' @noRd
object_from_host <- function(key) {
  hosted(take_object(key))
}

#' Python's object of an object of this package, for the host to take.
#' @noRd
to_host <- function(x, key) {
  hosted({
    give_back(handle_of(x), key)
    NULL
  })
}

#' A function of Python that rpy2 carries: its fault is R's error, its Ctrl-C R's interrupt.
#' @noRd
hosted_function <- function(carried) {
  force(carried)
  function(...) {
    answer <- carried(...)
    if (is.null(answer) || !is.null(answer$interrupt)) { # NULL: Ctrl-C came just before or after Python's function
      rlang::interrupt()
    }
    if (!is.null(answer$error)) {
      rlang::abort(answer$error, class = "mxtune_python_error", call = NULL)
    }
    answer$value
  }
}
