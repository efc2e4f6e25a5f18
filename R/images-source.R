# What R alone has -- formulas, rows of flattened images, magick -- becomes what Python knows: paths, columns, arrays.

#' The arguments of a verb by name, without those that R alone has: the images and labels that they stand for are in `x`
#' and `y`.
#' @noRd
prepare_arguments <- function(arguments) {
  images <- arguments[c("x", "y", "layout", "data", "dim", "byrow")]
  source <- do.call(prepare_source, images, quote = TRUE) # a formula keeps its environment
  columns <- lapply(arguments[c("groups", "split")], prepare_column, arguments$x, arguments$y, arguments$data)
  arguments[names(source)] <- source
  arguments[names(columns)] <- columns
  arguments[setdiff(names(arguments), c("layout", "data", "dim", "byrow"))]
}

#' Images and labels, ready to cross the border: a list of `x`, `y`, and of a formula the column of paths, `path`.
#' @noRd
prepare_source <- function(x, y = NULL, layout = "NHWC", data = NULL, dim = NULL, byrow = FALSE) {
  if (rlang::is_formula(x)) {
    return(prepare_formula(x, data %||% y))
  }
  if (rlang::is_formula(y)) {
    return(prepare_formula(y, data %||% x))
  }
  if (is.matrix(x) && holds_pixels(x)) {
    x <- unflatten(x, dim, byrow)
    layout <- "NHWC"
  }
  list(x = picture_source(x, layout), y = as_labels(y))
}

prepare_formula <- function(formula, data) {
  if (!is.data.frame(data)) {
    abort_mxtune("A formula needs `data`: the data frame that has its columns.")
  }
  if (length(formula) != 3) {
    abort_mxtune("The formula must have two sides.", hint = "For example label ~ path.")
  }
  check_one_column(formula)
  unknown <- setdiff(all.vars(formula), c(names(data), ls(environment(formula))))
  if (length(unknown)) {
    abort_no_column(unknown, data)
  }
  side <- function(i) rlang::eval_tidy(formula[[i]], data, environment(formula))
  path <- plain(side(3))
  if (!is_text(path)) {
    abort_mxtune(paste0("The right side of the formula must be paths of images, not ", class(path)[1], "."))
  }
  labels <- as_labels(side(2), rlang::as_label(formula[[2]]))
  if (is.symbol(formula[[3]]) && length(path) > 1) { # a model remembers the column
    column <- as.character(formula[[3]])
    return(list(x = rlang::set_names(data.frame(as.character(path)), column), y = labels, path = column))
  }
  list(x = as.character(path), y = labels)
}

abort_no_column <- function(names, frame) {
  abort_mxtune(
    paste0("The data frame has no column ", paste(names, collapse = ", "), "."),
    hint = did_you_mean(names, names(frame)) %||% paste0("Columns: ", paste(names(frame), collapse = ", "), ".")
  )
}

#' A formula is `labels ~ paths`, each a column or a call: what a statistical model means by `.`, `+` or `*` is refused.
#' @noRd
check_one_column <- function(formula) {
  if (!"." %in% all.vars(formula) && !is_terms(formula[[2]]) && !is_terms(formula[[3]], c("-", "/", "^"))) {
    return(invisible())
  }
  abort_mxtune(
    "A formula takes one column of labels and one of paths.",
    bullets = paste("it is", rlang::as_label(formula)),
    hint = "For example label ~ path; for several labels per image cbind(indoor, sunny) ~ path."
  )
}

#' Several terms, as `lm()` reads them; `price + 1` is arithmetic.
#' @noRd
is_terms <- function(side, also = NULL) {
  while (rlang::is_call(side, "(")) {
    side <- side[[2]]
  }
  operators <- c("+", ":", "*", "|", "%in%", also)
  rlang::is_call(side, operators, n = 2) && (length(also) || all(lengths(lapply(as.list(side)[-1], all.vars)) > 0))
}

#' The groups or parts of the images. Where a formula took paths and labels out of a data frame, a name is one of its
#' columns.
#' @noRd
prepare_column <- function(values, x, y, data) {
  if (!rlang::is_string(values) || !rlang::is_formula(x) && !rlang::is_formula(y)) {
    return(values)
  }
  frame <- data %||% if (rlang::is_formula(x)) y else x
  if (!values %in% names(frame)) {
    abort_no_column(values, frame)
  }
  frame[[values]]
}

#' A matrix with an image in each row, as an array.
#' @noRd
unflatten <- function(x, dim, byrow) {
  if (is.null(dim) || prod(dim) != ncol(x) || !length(dim) %in% 2:3) {
    values <- paste0(ncol(x), " values", if (!is.null(dim)) paste0(", not ", prod(dim)))
    abort_mxtune(
      paste0("A matrix has an image in each row: `dim` must be the dimensions of its ", values, "."),
      hint = "For example dim = c(28, 28) for 784 values."
    )
  }
  if (!byrow) {
    return(array(x, c(nrow(x), dim)))
  }
  aperm(array(x, c(nrow(x), rev(dim))), c(1, (length(dim) + 1):2))
}

#' What R holds as images, as Python takes it.
#' @param labelled Of a data frame: do its labels matter?
#' @noRd
picture_source <- function(x, layout = "NHWC", labelled = TRUE) {
  x <- plain(x)
  if (inherits(x, c("ArrowObject", "arrow_dplyr_query", "nanoarrow_array_stream"))) {
    x <- as.data.frame(x)
  }
  if (is.data.frame(x)) {
    table_source(x, labelled)
  } else if (is_text(x)) {
    if (length(x) == 1 && is.na(x)) list(NULL) else as.character(x)
  } else if (is_encoded(x) || inherits(x, "mximages") || is_python(x)) {
    x
  } else if (inherits(x, "magick-image")) {
    lapply(seq_along(x), function(i) png_bytes(x[i]))
  } else if (holds_pixels(x)) {
    array_source(x, layout)
  } else {
    list_source(x)
  }
}

is_nothing <- function(x) is.null(x) || is.atomic(x) && length(x) == 1 && is.na(x)

is_text <- function(x) is.character(x) || is.factor(x)

#' The bytes of a file, rather than pixels.
#' @noRd
is_encoded <- function(x) is.raw(x) && is.null(dim(x))

list_source <- function(x) {
  if (!is.list(x) || is.object(x) && !inherits(x, c("blob", "vctrs_list_of"))) {
    abort_mxtune(
      paste0("Images can't be an object of class ", class(x)[1], "."),
      hint = "Supported are a folder, paths, a data frame, an array, and a list of magick images."
    )
  }
  lapply(unclass(x), list_item)
}

holds_pixels <- function(x) is.numeric(x) || is.logical(x) || is.raw(x)

array_source <- function(x, layout) {
  axes <- length(dim(x))
  if (!axes %in% 3:4) {
    abort_mxtune(
      "An array of images has 3 or 4 dimensions.",
      bullets = paste0("this one has ", if (axes) paste(dim(x), collapse = " x ") else "none"),
      hint = paste(
        "One image: array(x, c(1, dim(x))).",
        "A matrix with an image in each row: mximages(x, dim = c(height, width))."
      )
    )
  }
  if (!rlang::is_string(layout) || !layout %in% c("NHWC", "HWCN")) {
    abort_mxtune("`layout` must be \"NHWC\" or \"HWCN\".", bullets = paste0("it is ", deparse(layout)[1]))
  }
  structure(list(x = with_missing(x), layout = layout), class = "mx_pictures")
}

#' Pixels as Python sees them: NA of whole numbers and of logicals is none there, but a number, or true.
#' @noRd
with_missing <- function(x) {
  if ((is.integer(x) || is.logical(x)) && anyNA(x)) {
    storage.mode(x) <- "double"
  }
  x
}

list_item <- function(item) {
  item <- plain(item)
  if (is_nothing(item)) {
    NULL
  } else if (is_text(item) && length(item) == 1) {
    as.character(item)
  } else if (is_encoded(item) || is_python(item)) {
    item
  } else if (inherits(item, "magick-image")) {
    png_bytes(item)
  } else if (holds_pixels(item) && length(dim(item)) %in% 2:3) {
    structure(list(x = with_missing(item), layout = "HWC"), class = "mx_pictures")
  } else {
    abort_mxtune(
      paste0("A list of images can't hold an object of class ", class(item)[1], "."),
      hint = "Use magick images, arrays of height x width x channels, or paths."
    )
  }
}

#' A magick image as the bytes of a PNG: nothing is lost.
#' @noRd
png_bytes <- function(picture) {
  magick::image_write(picture, format = "png")
}
