# R's end of the border, which carries vectors and objects and decides nothing: python/mxtune/border has the table of
# what becomes what. Vectors of numbers cross by their address in memory: neither reticulate's nor NumPy's version
# matters.

#' What belongs to a vector; all other attributes stay behind.
#' @noRd
carried_attributes <- c("names", "dim", "dimnames", "class", "levels", "units", "tzone", "row.names")

tagged <- function(tag, ...) list(`..r` = tag, ...)

#' One value, as plain data that Python's side can read.
#' @param crossing What belongs to this one call: see `engine_call()`.
#' @noRd
to_python <- function(x, crossing = NULL) {
  if (is.null(x) || is_python(x)) {
    x
  } else if (is_handle(x)) {
    handle_of(x)
  } else if (is.function(x)) {
    python_function(x, crossing)
  } else if (inherits(x, "mx_pictures")) {
    tagged("pictures", vector = vector_to_python(x$x, crossing), layout = x$layout)
  } else if (inherits(x, "POSIXlt")) {
    to_python(as.POSIXct(x), crossing)
  } else if (crosses_as_vector(x)) {
    vector_to_python(x, crossing)
  } else {
    abort_mxtune(paste0("The engine can't use an object of class ", class(x)[1], "."))
  }
}

#' Atomic vectors of any class, data frames, and lists that are no object of a class.
#' @noRd
crosses_as_vector <- function(x) {
  is.atomic(x) || is.data.frame(x) || is.list(x) && (!is.object(x) || inherits(x, "AsIs"))
}

vector_to_python <- function(x, crossing) {
  attributes <- attributes(x)
  attributes <- attributes[intersect(names(attributes), carried_attributes)]
  content <- switch(typeof(x),
    list = list(values = lapply(unname(unclass(x)), to_python, crossing)),
    character = text_to_python(as_utf8(as.vector(x))),
    memory_to_python(x, crossing)
  )
  c(
    tagged("vector", type = typeof(x)), content,
    if (length(attributes)) list(attributes = lapply(attributes, to_python, crossing))
  )
}

text_to_python <- function(text) {
  missing <- which(is.na(text))
  text[missing] <- ""
  values <- if (length(text) > 1) text else as.list(text) # a vector crosses quicker, and is a list there
  list(values = values, missing = as.list(missing - 1))
}

#' Where a vector's numbers lie. `crossing` keeps it alive until Python has answered.
#' @noRd
memory_to_python <- function(x, crossing) {
  crossing$kept <- c(crossing$kept, list(x))
  list(length = length(x), address = .Call(mxtune_address, x))
}

#' Text as UTF-8. In a C locale, as in a cron job, names of files and words of a script come as bytes without a mark,
#' which R would not take for text at all.
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

#' Plain data from Python's side, as R wants it.
#' @noRd
from_python <- function(sent) {
  if (!is.list(sent) || is.null(sent$`..r`)) {
    return(sent)
  }
  switch(sent$`..r`,
    handle = new_handle(sent$object, sent$class),
    object = sent$object,
    vector = vector_from_python(sent)
  )
}

vector_from_python <- function(sent) {
  out <- switch(sent$type,
    list = lapply(sent$values, from_python),
    character = text_from_python(sent),
    fetch_vector(sent)
  )
  attributes(out) <- lapply(sent$attributes, from_python)
  if (is.data.frame(out) && .row_names_info(out) <= 0 && rlang::is_installed("tibble")) {
    class(out) <- c("tbl_df", "tbl", "data.frame")
  }
  out
}

text_from_python <- function(sent) {
  out <- as.character(unlist(sent$values))
  out[as.integer(unlist(sent$missing)) + 1L] <- NA_character_
  out
}
