#' Report the installation and its problems
#'
#' Returns, and prints, versions, devices, threads and folders, the Python and the engine that this R uses,
#' and for each problem the one command that fixes it. It works when Python or an engine is missing or broken:
#' that is what it is for.
#' @return A list of class `mxinfo`; `$problems` is a data frame with the columns `what` and `remedy`.
#' @export
#' @examplesIf mxtune:::has_engine()
#' mxinfo()
mxinfo <- function() {
  r <- list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    mxtune = as.character(utils::packageVersion("mxtune")),
    reticulate = as.character(utils::packageVersion("reticulate"))
  )
  engine <- tryCatch(
    engine_call("info_facts"),
    error = function(error) error
  )
  if (inherits(engine, "error")) {
    problems <- data.frame(what = engine$headline %||% conditionMessage(engine), remedy = engine$hint %||% "")
    return(new_answer(list(r = r, python = NULL, problems = problems), "mxinfo"))
  }
  none <- data.frame(what = character(), remedy = character())
  engine$problems <- do.call(rbind, c(list(none), lapply(engine$problems, as.data.frame)))
  engine$problems$remedy <- with_own_pip(engine$problems$remedy)
  engine$text <- with_own_pip(engine$text)
  new_answer(c(list(r = r), the$engine, engine), "mxinfo")
}

#' @export
print.mxinfo <- function(x, ...) {
  cat(sprintf("R %s, mxtune %s, reticulate %s\n", x$r$R, x$r$mxtune, x$r$reticulate))
  if (!is.null(x$python)) {
    cat("Python: ", x$python, "\n", "engine: ", x$folder, ", version ", x$version, "\n\n", sep = "")
    cat(x$text, sep = "\n")
  } else {
    cat(sprintf("x %s\ni %s\n", x$problems$what, x$problems$remedy), sep = "")
  }
  invisible(x)
}

#' Can an engine be used here, in this precision? For examples, which must not fail where none is installed.
#' @noRd
has_engine <- function(precision = "float32") {
  isTRUE(tryCatch(engine_call("has_engine", arguments = list(precision = precision)), error = function(error) FALSE))
}
