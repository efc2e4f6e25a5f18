#' Check images before training
#'
#' `mximages()` returns a set of images with their labels, after reading each file once. Images that can't be read,
#' exact duplicates and very small classes are named. [mxtrain()] and `predict()` accept the set in place of the
#' images.
#'
#' @section Kinds of images:
#' - the path of a folder of class folders (`photos/cat/...`, `photos/dog/...`), of a folder of images, or
#'   of a single image;
#' - a character vector or factor of paths, with labels in `y`;
#' - a data frame with a column of paths and one of labels, named by a formula `label ~ path` in `y`, by `path` and
#'   `label`, or found;
#' - the path of a table in a file (`.csv`, `.tsv`, `.txt`, `.xlsx`, `.parquet`), whose columns are found
#'   alike; a column `decision`, as [mxlook()] writes it, leaves out what it says to `drop`;
#' - a formula `label ~ path`, with `data`;
#' - an array of images: N x H x W x C or N x H x W (`layout = "NHWC"`), or H x W x C x N (`layout =
#'   "HWCN"`, the faster order in R), with values of any range;
#' - a matrix with a flattened image in each row, and `dim = c(height, width)` or `c(height, width,
#'   channels)`;
#' - a list of `magick` images, or one `magick` object with several;
#' - a raw vector, the bytes of an image file, or a list of these; also in a column of a data frame (a list, a `blob`),
#'   or of a table of arrow;
#' - the address of a folder, a file, a table or a zip archive, as `"s3://bucket/photos"`, that Python's package fsspec
#'   opens.
#'   Addresses in a table are only followed into the folder that `root` names.
#'
#' A factor, character or logical vector and dates ask for classification, a numeric vector for regression (numbered
#' classes: `task = "classification"`), a logical or 0/1 matrix (or a list of label sets) for several labels per image.
#'
#' @param x The images: see below.
#' @param y Their labels, in the same order, or with the files as names: factor, character, logical, numeric, logical
#'   matrix or list. Where `x` is a data
#'   frame: a formula `label ~ path`, or the name of the label column. `NULL` takes the names of the folders, or the
#'   label column of `x`.
#' @param levels The classes, in the order wanted. `NULL` takes those of the folders or labels: the order of a factor,
#'   otherwise sorted bytewise.
#' @param on_bad What to do with images that can't be read: `"error"` stops and names them all, `"skip"` leaves them
#'   out.
#' @param layout The order of an array's dimensions: `"NHWC"` or `"HWCN"`.
#' @param recursive Search subfolders of a folder that has no classes?
#' @param task `"classification"`, `"multilabel"` or `"regression"`. `NULL` infers it from the labels.
#' @param validation Images for validation: another set made by `mximages()`.
#' @param path,label For a table: the columns of paths and of labels. `NULL` finds them.
#' @param range For images of more than 8 bits (16-bit files, other arrays): the values of black and white, such
#'   as `c(0, 4095)`, or percentiles of all values, as `"1%..99%"`. `NULL` decides from all images together: 0 to 1,
#'   to 255, to the largest number of 10, 12, 14 or 16 bits, or what the values span. A model keeps the range of its
#'   training images, and new images are treated alike. A range within 0 to 255 stretches 8-bit images, too.
#' @param root For a table, a formula or several paths: the folder that the paths start from. `NULL` is the folder of
#'   the table's file, or the working directory.
#' @param data For a formula: the data frame.
#' @param groups What no split may separate: images of one patient, animal, burst or site. The name of a column, one
#'   value per image (with names, by file), or a regular expression whose first group in a file's name is the group, as
#'   `"^([^_]+)_"`.
#' @param split What each image is for: train, valid or test (also training, val, dev, holdout ...). The name of a
#'   column, or one text per image (with names, by file). `split(images)` then gives the set of each; [mxtrain()] trains
#'   on the first and validates on the second.
#' @param dim For a matrix: the dimensions of one image, as in `dim(image) <- dim`.
#' @param byrow For a matrix: is each image flattened row by row, as in MNIST's CSV files, rather than column by
#'   column as R does it?
#' @param ... Not used.
#' @return An object of class `mximages`. `print()` counts the images of each class, `plot()` draws a contact sheet,
#'   `as.data.frame()` gives one row per image, `summary()` the counts and the problems found. `x[i]` is the set of
#'   some images, `c(x, y)` of all; `split(x, 0.2)` is a list of two sets, `training` and `validation`; where `split`
#'   said what each image is for, `split(x)` is a list of these sets.
#' @export
#' @examplesIf mxtune:::has_engine()
#' images <- mximages(mxexample("fashion"))
#' images
#' plot(images)
mximages <- function(x, y = NULL, levels = NULL, on_bad = "error", layout = "NHWC", recursive = FALSE, task = NULL,
                     validation = NULL, path = NULL, label = NULL, groups = NULL, range = NULL, root = NULL,
                     split = NULL, data = NULL, dim = NULL, byrow = FALSE, ...) {
  refuse_unknown(...)
  require_given()
  arguments <- prepare_arguments(as.list(environment()))
  made("mximages", NULL, arguments)
}

#' A set and how it was made, which makes it again in another session.
#' @noRd
made <- function(what, owner, arguments) {
  images <- engine_call(what, owner, arguments, listener())
  images$recipe <- list(what = what, owner = owner, arguments = arguments)
  images
}

#' The set once more, in a session that did not make it.
#' @noRd
revive_images <- function(x) {
  if (is.null(x$recipe)) {
    abort_mxtune("This set of images came from another session.", hint = "Make it again with mximages().")
  }
  held_by(engine_call(x$recipe$what, x$recipe$owner, x$recipe$arguments)$live)
}

#' @export
length.mximages <- function(x) {
  x$n
}

#' @rdname mximages
#' @param i Which images: numbers from 1, negative ones to leave out, `TRUE` and `FALSE` for each, or file names.
#' @export
`[.mximages` <- function(x, i) {
  if (missing(i)) {
    return(x)
  }
  check_positions(x, i)
  at <- seq_len(length(x))
  if (is.character(i)) {
    at <- rlang::set_names(at, as.data.frame(x)$file)
  }
  chosen <- unname(at[i])
  if (anyNA(chosen)) {
    beyond <- if (anyNA(i)) "NA" else as.character(i[is.na(at[i])])
    abort_mxtune(paste0("There is no image ", paste(utils::head(beyond, 5), collapse = ", "), "."))
  }
  made("take", x, list(indices = as.list(chosen - 1L)))
}

# Stops unless `i` can choose images of the set: by numbers, by TRUE and FALSE for each, or by names.
check_positions <- function(x, i) {
  if (is.logical(i)) {
    if (length(i) != length(x)) {
      abort_mxtune(paste0("A mask must have ", length(x), " entries, one for each image, not ", length(i), "."))
    }
  } else if (is.numeric(i)) {
    if (any(i != trunc(i), na.rm = TRUE)) {
      abort_mxtune("Positions must be whole numbers.")
    }
  } else if (!is.character(i)) {
    abort_mxtune("Images are chosen by numbers, by TRUE and FALSE, or by file names.", bullets = class(i)[1])
  }
}

#' @rdname mximages
#' @export
c.mximages <- function(x, ...) {
  for (other in lapply(list(...), as_handle)) {
    if (!inherits(other, "mximages")) {
      abort_mxtune(paste0("Only sets of mximages() can be joined, not an object of class ", class(other)[1], "."))
    }
    x <- made("joined", x, list(other = other))
  }
  x
}

#' @rdname mximages
#' @param f For `split()`: the share to validate on, or a vector with the set of each image. Without
#'   it a fifth, or what `split` of `mximages()` said.
#' @param drop Leave out sets without images?
#' @param seed For a share: the same seed gives the same split. `NULL` draws one from R's generator.
#' @export
split.mximages <- function(x, f = 0.2, drop = TRUE, seed = NULL, ...) {
  rlang::check_dots_empty()
  parts <- if (missing(f)) unlist(engine_call("parts", x))
  if (!is.null(parts)) {
    f <- factor(parts, intersect(c("training", "validation", "test"), parts))
  }
  if (length(f) != 1 || length(x) == 1) {
    if (is.atomic(f) && length(f) != length(x)) {
      abort_mxtune(paste0("`f` must be a share, or have ", length(x), " values, one for each image."))
    }
    return(lapply(split(seq_len(length(x)), f, drop = drop), function(i) x[i]))
  }
  seed <- seed %||% sample.int(.Machine$integer.max, 1)
  rows <- engine_call("divided", x, list(fraction = f, seed = seed))
  lapply(rlang::set_names(rows, c("training", "validation")), function(rows) x[as.integer(rows) + 1L])
}

#' @rdname mximages
#' @param object,row.names,optional An `mximages`; the others are for the generic.
#' @export
summary.mximages <- function(object, ...) {
  parts <- list(counts = engine_call("counts", object), problems = engine_call("problems", object))
  new_answer(parts, "summary.mximages")
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
#' @param n For `plot()`: how many images to show.
#' @export
plot.mximages <- function(x, n = 24, ...) {
  refuse_unknown(...)
  sheet <- engine_call("sheet", x, list(n = n))
  before <- graphics::par(mar = c(0, 0, 0, 0))
  on.exit(graphics::par(before))
  draw_picture(sheet)
  invisible(x)
}

#' An image as a plot of its own.
#' @noRd
draw_picture <- function(pixels) {
  graphics::plot.new()
  graphics::plot.window(c(0, ncol(pixels)), c(0, nrow(pixels)), asp = 1, xaxs = "i", yaxs = "i")
  smooth <- max(dim(pixels)[1:2]) >= 100 # as in Python, the pixels of small ones are seen
  graphics::rasterImage(pixels, 0, 0, ncol(pixels), nrow(pixels), interpolate = smooth)
}
