# R's side of the border; python/mxtune/border is the other, and has the table of what becomes what.
# Vectors of numbers cross by their address in memory: neither reticulate's nor NumPy's version matters.

tagged <- function(tag, ...) list(`..r` = tag, ...)

to_python_list <- function(arguments, crossing) {
  if (!length(arguments)) {
    return(rlang::set_names(list(), character()))
  }
  lapply(rlang::set_names(names(arguments)), function(name) {
    value <- arguments[[name]]
    if (name == "y" && is.matrix(value) && !is.null(colnames(value))) {
      value <- as.data.frame(value) # the columns' names are the labels
    }
    labels <- name == "y" || (name == "x" && !rlang::is_string(value))
    to_python(value, crossing, scalars = !labels)
  })
}

#' One argument, as plain data that Python's side can read.
#' @param crossing What belongs to this one call: see `engine_call()`.
#' @param scalars Is a vector of length one a single value? Not where it holds labels or pictures.
#' @noRd
to_python <- function(x, crossing = NULL, scalars = TRUE) {
  UseMethod("to_python")
}

to_python.NULL <- function(x, crossing = NULL, scalars = TRUE) NULL # nolint: object_name_linter

to_python.python.builtin.object <- function(x, crossing = NULL, scalars = TRUE) x

to_python.mxmodel <- function(x, crossing = NULL, scalars = TRUE) handle_of(x)

to_python.mximages <- to_python.mxmodel

to_python.mxnetwork <- to_python.mxmodel

to_python.function <- function(x, crossing = NULL, scalars = TRUE) python_function(x, crossing)

to_python.mx_pictures <- function(x, crossing = NULL, scalars = TRUE) {
  tagged("pictures", vector = vector_to_python(x$x, crossing), layout = x$layout)
}

to_python.mx_picture <- function(x, crossing = NULL, scalars = TRUE) tagged("picture", bytes = x$bytes)

to_python.data.frame <- function(x, crossing = NULL, scalars = TRUE) {
  columns <- lapply(unname(as.list(x)), function(column) to_python(column, crossing, scalars = FALSE))
  tagged("frame", names = as.list(as_utf8(names(x))), columns = columns)
}

to_python.list <- function(x, crossing = NULL, scalars = TRUE) {
  values <- lapply(unname(x), function(item) to_python(item, crossing))
  if (is.null(names(x))) {
    values
  } else if (all(vapply(x, is.function, logical(1)))) {
    rlang::set_names(values, names(x)) # a callback, by the names of its stations
  } else {
    tagged("dict", names = as.list(as_utf8(names(x))), values = values)
  }
}

to_python.factor <- function(x, crossing = NULL, scalars = TRUE) {
  tagged("factor", codes = vector_to_python(as.integer(x), crossing), levels = as.list(as_utf8(levels(x))))
}

to_python.Date <- function(x, crossing = NULL, scalars = TRUE) { # nolint: object_name_linter
  tagged("time", vector = vector_to_python(as.double(x), crossing), seconds = 86400)
}

to_python.POSIXct <- function(x, crossing = NULL, scalars = TRUE) { # nolint: object_name_linter
  tagged("time", vector = vector_to_python(as.double(x), crossing), seconds = 1)
}

to_python.character <- function(x, crossing = NULL, scalars = TRUE) strings_to_python(x, scalars)

to_python.raw <- function(x, crossing = NULL, scalars = TRUE) vector_to_python(x, crossing, "bytes")

to_python.numeric <- function(x, crossing = NULL, scalars = TRUE) {
  if (!scalars || !is.null(dim(x))) {
    vector_to_python(x, crossing, "numbers")
  } else if (length(x) == 1 && is.null(names(x))) {
    if (is.na(x) && !is.nan(x)) NULL else as.vector(x)
  } else {
    names <- as.list(as_utf8(names(x) %||% character()))
    tagged("options", vector = vector_to_python(x, crossing), names = names)
  }
}

to_python.logical <- to_python.numeric

to_python.default <- function(x, crossing = NULL, scalars = TRUE) {
  abort_mxtune(paste0("The engine can't use an object of class ", class(x)[1], "."))
}

strings_to_python <- function(x, scalars) {
  text <- as_utf8(as.vector(x))
  if (!is.null(names(x)) && scalars) {
    return(tagged("dict", names = as.list(as_utf8(names(x))), values = as.list(unname(text))))
  }
  if (scalars && length(x) == 1) {
    return(if (is.na(x)) NULL else unname(text))
  }
  gaps <- which(is.na(x))
  text[gaps] <- ""
  text <- unname(text)
  values <- if (length(text) > 1) text else as.list(text) # a vector crosses quicker, and is a list there
  tagged("strings", values = values, missing = as.list(gaps - 1))
}

#' Text as UTF-8. In a C locale, as in a cron job, names of files and words of a script come as bytes without a mark,
#' which R would take for nothing that can be said.
#' @noRd
as_utf8 <- function(text) {
  if (in_c_locale()) {
    bytes <- Encoding(text) == "unknown" & validUTF8(text)
    Encoding(text[bytes]) <- "UTF-8"
  }
  enc2utf8(text)
}

in_c_locale <- function() {
  Sys.getlocale("LC_CTYPE") %in% c("C", "POSIX")
}

#' Where a vector's numbers lie. `crossing` keeps it alive until Python has answered.
#' @noRd
vector_to_python <- function(x, crossing, tag = "vector") {
  dim <- dim(x)
  if (is.object(x) || !is.null(names(x))) {
    x <- as.vector(unclass(x))
  }
  crossing$kept <- c(crossing$kept, list(x))
  tagged(tag, type = typeof(x), length = length(x), dim = as.list(dim), address = .Call(mxtune_address, x))
}

# ---- from Python ----

#' Plain data from Python's side, as R wants it.
#' @noRd
from_python <- function(sent) {
  if (!is.list(sent) || is.null(sent$`..r`)) {
    return(sent)
  }
  switch(sent$`..r`,
    handle = new_handle(sent$object, sent$class),
    strings = strings_from_python(sent),
    factor = factor_from_python(sent),
    frame = frame_from_python(sent),
    list = list_from_python(sent),
    fetch_vector(sent$`..r`, sent)
  )
}

strings_from_python <- function(sent) {
  out <- as.character(unlist(sent$values))
  out[as.integer(unlist(sent$missing)) + 1L] <- NA_character_
  out
}

factor_from_python <- function(sent) {
  structure(fetch_vector("integer", sent$codes), levels = strings_from_python(sent$levels), class = "factor")
}

frame_from_python <- function(sent) {
  columns <- lapply(sent$columns, from_python)
  names(columns) <- strings_from_python(sent$names)
  class <- if (rlang::is_installed("tibble")) c("tbl_df", "tbl", "data.frame") else "data.frame"
  structure(columns, class = class, row.names = .set_row_names(sent$rows))
}

list_from_python <- function(sent) {
  out <- lapply(sent$values, from_python)
  if (!is.null(sent$names)) {
    names(out) <- strings_from_python(sent$names)
  }
  out
}
