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
  } else if (inherits(x, "mx_unusable")) {
    do.call(tagged, c("unusable", unclass(x)))
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
#' which R would not take for text at all. What is no text in its encoding crosses as R prints it: `caf\\xe9`.
#' @noRd
as_utf8 <- function(text) {
  Encoding(text[Encoding(text) == "bytes"]) <- "unknown"
  valid <- validUTF8(text)
  if (in_c_locale() || isTRUE(l10n_info()[["UTF-8"]])) {
    Encoding(text[Encoding(text) == "unknown"]) <- "UTF-8"
  }
  undecodable <- Encoding(text) == "UTF-8" & !valid
  bytes <- iconv(text[undecodable], "UTF-8", "UTF-8", sub = "byte")
  text[undecodable] <- gsub("<([0-9a-f]{2})>", "\\\\x\\1", bytes)
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
  if (inherits(out, "integer64") && !rlang::is_installed("bit64")) {
    abort_mxtune("Whole numbers beyond 2^53 need the package bit64.", hint = "install.packages(\"bit64\")")
  }
  if (is.data.frame(out) && is.integer(attr(out, "row.names")) && rlang::is_installed("tibble")) {
    rownames(out) <- NULL # a tibble counts its rows
    class(out) <- c("tbl_df", "tbl", "data.frame")
  }
  out
}

text_from_python <- function(sent) {
  out <- as.character(unlist(sent$values))
  out[as.integer(unlist(sent$missing)) + 1L] <- NA_character_
  out
}
