# Labels, and data frames that hold them, as R has them: what becomes classes or numbers, and what is refused by name.

#' Labels as the engine takes them. Dates and times are classes, in the order and the words of `factor()`.
#' @param name The R code that stands for them.
#' @noRd
as_labels <- function(y, name = "y") {
  y <- plain(y)
  if (inherits(y, c("Date", "POSIXt"))) {
    return(factor(y))
  }
  if (!can_be_labels(y)) {
    abort_mxtune(
      paste0("`", name, "` can't be labels: it is of class ", class(y)[1], "."),
      hint = label_remedy(y, name), class = "mxtune_label_error"
    )
  }
  y
}

#' Without the classes that only tell R how to print or store it.
#' @noRd
plain <- function(x) {
  if (inherits(x, c("AsIs", "noquote"))) {
    class(x) <- setdiff(class(x), c("AsIs", "noquote"))
  }
  x
}


#' Text, factors, numbers, logical values and sets of them; numbers with a meaning of their own (`haven_labelled`,
#' `difftime`) are not.
#' @noRd
can_be_labels <- function(y) {
  if (is.object(y)) {
    text <- is.character(y) && !inherits(y, "haven_labelled")
    text || inherits(y, c("factor", "integer64", "table", "data.frame")) || is_python(y)
  } else if (is.list(y)) {
    all(vapply(y, is_plain_item, NA))
  } else {
    is.null(y) || is.character(y) || is.logical(y) || is.numeric(y)
  }
}

is_plain_item <- function(x) is.null(x) || is.atomic(x) && !isS4(x) || is_python(x)

#' How to make classes or numbers of what can't be labels.
#' @param name The R code that stands for it.
#' @noRd
label_remedy <- function(y, name) {
  if (length(dim(y)) > 1) {
    return(paste0("Give them as `y`: mximages(paths, ", name, ")."))
  }
  if (!is.atomic(y)) {
    return("Labels are text, factors, logical values, numbers, or a list with the labels of each image.")
  }
  if (is.raw(y) || is.complex(y)) {
    return(paste0("factor(", name, ") makes classes of it."))
  }
  as_factor <- if (inherits(y, "haven_labelled")) "haven::as_factor" else "factor"
  paste0(as_factor, "(", name, ") makes classes of it, as.numeric(", name, ") numbers.")
}

#' A data frame of paths and labels, each column as the engine can use it; a column that can be neither stops nothing,
#' and is refused by name where it is asked for.
#' @param labelled Do labels matter?
#' @noRd
table_source <- function(frame, labelled = TRUE) {
  columns <- Map(table_column, as.list(frame), names(frame), labelled)
  structure(unname(columns), names = names(frame), row.names = attr(frame, "row.names"), class = "data.frame")
}

table_column <- function(column, name, labelled) {
  column <- bytes_of(plain(column))
  if (is.matrix(column) && ncol(column) == 1 && !is.object(column)) { # as scale() makes them
    column <- as.vector(column)
  }
  times <- inherits(column, c("Date", "POSIXt"))
  if (length(dim(column)) < 2 && (can_be_labels(column) || times && labelled)) {
    return(as_labels(column))
  }
  hint <- label_remedy(column, paste0("data$", deparse(as.name(name), backtick = TRUE)))
  structure(list(column = name, kind = class(column)[1], hint = hint, n = NROW(column)), class = "mx_unusable")
}

#' Images as others keep them in a column: a blob, arrow's binary, or the pairs of `bytes` and `path` that data sets of
#' Hugging Face have.
#' @noRd
bytes_of <- function(column) {
  if (is.data.frame(column) && all(c("bytes", "path") %in% names(column))) {
    return(Map(function(bytes, path) bytes %||% path, unname(as.list(column$bytes)), unname(column$path)))
  }
  if (inherits(column, c("blob", "arrow_binary", "arrow_large_binary", "vctrs_list_of"))) {
    attributes(column) <- NULL
  }
  column
}
