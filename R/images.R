#' Look at pictures before training
#'
#' `mximages()` returns a set of pictures with their labels: found, read once, and audited. Pictures that
#' can't be read, exact duplicates and classes with very few pictures are named. [mxtrain()] and `predict()`
#' take the set in place of the pictures.
#'
#' @section Kinds of pictures:
#' - the path of a folder of class folders (`photos/cat/...`, `photos/dog/...`), of a folder of pictures, or
#'   of a picture;
#' - a character vector of paths, with labels in `y`;
#' - a data frame with a column of paths and one of labels, named by a formula `label ~ path` in `y`, or
#'   found;
#' - an array of pictures: N x H x W x C or N x H x W (`layout = "NHWC"`), or H x W x C x N (`layout =
#'   "HWCN"`, which is how R holds pictures best, and faster). Values are whole numbers from 0 to 255 or
#'   numbers from 0 to 1;
#' - a matrix with a flattened picture in each row, and `dim = c(height, width)` or `c(height, width,
#'   channels)`;
#' - a list of `magick` pictures, or one `magick` object with several;
#' - a formula `label ~ path` with `data`.
#'
#' A factor or strings ask for classification, numbers for regression, a logical or 0/1 matrix (or a list of
#' label sets) for several labels a picture.
#'
#' @param x The pictures: see below.
#' @param y Their labels, in the pictures' order: factor, character, numeric, logical matrix or list; a
#'   formula `label ~ path` or the name of the label column where `x` is a data frame. `NULL` where folders
#'   or `x` tell.
#' @param levels The classes, in the order wanted. Default: as the folders or labels tell, sorted bytewise.
#' @param on_bad What to do with pictures that can't be read: `"error"` names them all, `"skip"` goes on
#'   without. Default: `r default_of("mximages", "on_bad")`.
#' @param layout The order of an array's dimensions: `"NHWC"` or `"HWCN"`.
#'   Default: `r default_of("mximages", "layout")`.
#' @param recursive Look into folders within a folder that has no classes?
#'   Default: `r default_of("mximages", "recursive")`.
#' @param task `"classification"`, `"multilabel"` or `"regression"`, where the labels alone would tell
#'   otherwise.
#' @param validation Pictures to validate on: another set made by `mximages()`.
#' @param data For a formula: the data frame.
#' @param dim For a matrix: the dimensions of one picture, as `dim(picture) <- dim` takes them.
#' @param byrow For a matrix: are pictures flattened row by row, as in MNIST's CSV files, and not column by
#'   column as R does it?
#' @param ... For methods.
#' @return An object of class `mximages`. `print()` counts, `plot()` shows a contact sheet, `as.data.frame()`
#'   gives a row a picture, `summary()` the counts and the problems found.
#' @export
#' @examplesIf mxtune:::has_engine()
#' images <- mximages(mxexample("fashion"))
#' images
#' plot(images)
mximages <- function(x, ...) {
  UseMethod("mximages")
}

#' @rdname mximages
#' @export
mximages.default <- function(x, y, levels, on_bad, layout, recursive, task, validation, ...) {
  rlang::check_dots_empty()
  arguments <- as.list(environment())
  recipe <- arguments # a set made again in a new session comes from the same call
  layout <- if (rlang::is_missing(arguments$layout)) NULL else arguments$layout
  arguments$x <- picture_source(x, layout)
  arguments$layout <- rlang::missing_arg()
  images <- engine_call("mximages", arguments = arguments, listener = listener())
  images$recipe <- recipe[!vapply(recipe, rlang::is_missing, logical(1))]
  images
}

#' @rdname mximages
#' @export
mximages.data.frame <- function(x, y, ...) {
  if (missing(y)) {
    return(mximages.default(x, ...))
  }
  moulded <- mould_frame(x, y)
  mximages.default(moulded$x, moulded$y, ...)
}

#' @rdname mximages
#' @export
mximages.formula <- function(x, data, ...) {
  moulded <- mould_formula(x, data)
  mximages.default(moulded$x, moulded$y, ...)
}

#' @rdname mximages
#' @export
mximages.matrix <- function(x, ..., dim, byrow = FALSE) {
  mximages.default(mould_matrix(x, if (missing(dim)) NULL else dim, byrow), ..., layout = "NHWC")
}

# ---- each kind of input is moulded once ----

mould_frame <- function(x, y) {
  if (rlang::is_formula(y)) {
    return(mould_formula(y, x))
  }
  if (!rlang::is_string(y) || !(y %in% names(x))) {
    abort_mxtune(
      "`y` must name the data frame's labels: a formula or the name of a column.",
      hint = paste0("Columns: ", paste(names(x), collapse = ", "), ". For example y = label ~ path.")
    )
  }
  paths <- vapply(x, function(column) is.character(column) || is.factor(column), logical(1))
  paths <- setdiff(names(x)[paths], y)
  if (length(paths) != 1) {
    abort_mxtune(
      paste0("Which column holds the paths? There are ", length(paths), " besides ", y, " that could."),
      hint = paste0("Say it by a formula: ", y, " ~ path.")
    )
  }
  list(x = as.character(x[[paths]]), y = x[[y]])
}

mould_formula <- function(formula, data) {
  if (missing(data) || !is.data.frame(data)) {
    abort_mxtune("A formula needs `data`: the data frame that has its columns.")
  }
  if (length(formula) != 3) {
    abort_mxtune("The formula must have two sides.", hint = "For example label ~ path.")
  }
  unknown <- setdiff(all.vars(formula), c(names(data), ls(environment(formula))))
  if (length(unknown)) {
    abort_mxtune(
      paste0("The data frame has no column ", paste(unknown, collapse = ", "), "."),
      hint = paste0("Columns: ", paste(names(data), collapse = ", "), ".")
    )
  }
  side <- function(i) rlang::eval_tidy(formula[[i]], data, environment(formula))
  path <- side(3)
  if (!is.character(path) && !is.factor(path)) {
    abort_mxtune(paste0("The right side of the formula must be paths of pictures, not ", class(path)[1], "."))
  }
  list(x = as.character(path), y = side(2))
}

mould_matrix <- function(x, dim, byrow) {
  if (is.null(dim) || prod(dim) != ncol(x) || !length(dim) %in% 2:3) {
    values <- paste0(ncol(x), " values", if (!is.null(dim)) paste0(", not ", prod(dim)))
    abort_mxtune(
      paste0("A matrix has a picture in each row: `dim` must be the dimensions of its ", values, "."),
      hint = "For example dim = c(28, 28) for 784 values."
    )
  }
  if (!byrow) {
    return(array(x, c(nrow(x), dim)))
  }
  aperm(array(x, c(nrow(x), rev(dim))), c(1, (length(dim) + 1):2))
}

#' What R holds as pictures, ready to cross the border.
#' @noRd
picture_source <- function(x, layout = NULL) {
  UseMethod("picture_source")
}

`picture_source.magick-image` <- function(x, layout = NULL) {
  lapply(seq_along(x), function(i) encoded(x[i]))
}

picture_source.character <- function(x, layout = NULL) x

picture_source.data.frame <- picture_source.character

picture_source.mximages <- picture_source.character

picture_source.numeric <- function(x, layout = NULL) {
  axes <- length(dim(x))
  if (!axes %in% 3:4) {
    abort_mxtune(
      "An array of pictures has 3 or 4 dimensions.",
      bullets = paste0("this one has ", if (axes) paste(dim(x), collapse = " x ") else "none"),
      hint = paste(
        "One picture: array(x, c(1, dim(x))).",
        "A matrix with a picture in each row: mximages(x, dim = c(height, width))."
      )
    )
  }
  layout <- layout %||% "NHWC"
  if (!layout %in% c("NHWC", "HWCN")) {
    hint <- "Use layout = \"NHWC\" or \"HWCN\"."
    abort_mxtune(paste0("Unknown layout \"", layout, "\"."), hint = hint)
  }
  structure(list(x = x, layout = layout), class = "mx_pictures")
}

picture_source.logical <- picture_source.numeric

picture_source.raw <- picture_source.numeric

picture_source.list <- function(x, layout = NULL) {
  lapply(x, function(item) if (is.character(item)) item else list_item(item))
}

picture_source.default <- function(x, layout = NULL) {
  abort_mxtune(
    paste0("Pictures can't be an object of class ", class(x)[1], "."),
    hint = "Give a folder, paths, a data frame, an array, or a list of magick pictures."
  )
}

list_item <- function(item) {
  if (inherits(item, "magick-image")) {
    encoded(item)
  } else if (is.raw(item) && is.null(dim(item))) {
    item
  } else if ((is.numeric(item) || is.raw(item)) && length(dim(item)) %in% 2:3) {
    structure(list(x = item, layout = "HWC"), class = "mx_pictures")
  } else {
    abort_mxtune(
      paste0("A list of pictures can't hold an object of class ", class(item)[1], "."),
      hint = "Use magick pictures, arrays of height x width x channels, or paths."
    )
  }
}

#' A magick picture as the bytes of a PNG: nothing is lost.
#' @noRd
encoded <- function(picture) {
  magick::image_write(picture, format = "png")
}

# ---- an object of R that holds the set ----

new_mximages <- function(object) {
  facts <- describe("images_facts", object)
  structure(c(facts, list(live = live(object))), class = "mximages")
}

revive_images <- function(x) {
  if (is.null(x$recipe)) {
    abort_mxtune("This set of pictures came from another session.", hint = "Make it again with mximages().")
  }
  do.call(mximages.default, x$recipe)$live$object
}

#' @export
length.mximages <- function(x) {
  x$n
}

#' @export
print.mximages <- function(x, ...) {
  print_handle(x)
}

#' @rdname mximages
#' @param object,row.names,optional An `mximages`; the others are for the generic.
#' @export
summary.mximages <- function(object, ...) {
  structure(
    list(counts = engine_call("counts", object), problems = engine_call("problems", object)),
    class = "summary.mximages"
  )
}

#' @export
print.summary.mximages <- function(x, ...) {
  print(as.data.frame(x$counts), row.names = FALSE)
  if (length(x$problems)) {
    cat(paste("x", x$problems), sep = "\n")
  }
  invisible(x)
}

#' @rdname mximages
#' @export
as.data.frame.mximages <- function(x, row.names = NULL, optional = FALSE, ...) { # nolint: object_name_linter
  as.data.frame(engine_call("frame", x))
}

#' @rdname mximages
#' @param n For `plot()`: how many pictures to show.
#' @export
plot.mximages <- function(x, n, ...) {
  sheet <- engine_call("sheet", x, arguments = list(n = rlang::maybe_missing(n)))
  draw_raster(sheet)
  invisible(x)
}

draw_raster <- function(pixels) {
  before <- graphics::par(mar = c(0, 0, 0, 0))
  on.exit(graphics::par(before))
  graphics::plot.new()
  graphics::plot.window(c(0, ncol(pixels)), c(0, nrow(pixels)), asp = 1, xaxs = "i", yaxs = "i")
  graphics::rasterImage(pixels, 0, 0, ncol(pixels), nrow(pixels), interpolate = TRUE)
}
