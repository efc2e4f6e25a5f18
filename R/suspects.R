#' Find labels that are probably wrong
#'
#' `mxsuspects()` ranks images by how much speaks against their label, in predictions of models that had not seen them
#' (the idea of confident learning; Northcutt et al., 2021), with the label that each would have. It also finds copies
#' that carry different labels, and classes that may be one. Without images these are the images that the model was
#' validated on: with folds, which is the default where the head alone is trained, all that it was trained on.
#'
#' With `file` a table of all images is written, those with the most suspect label first, to be mended by hand: change
#' what is in `label` (several labels per image have a column each, with TRUE and FALSE), or delete a row, and the image
#' is left out. Then `mxtrain("suspects.csv")` or [mximages()] reads it. Files are relative to the table's folder where
#' they are within it.
#'
#' @param model A model.
#' @param x,y Images and labels, as in [mxevaluate()]. What the model remembers of them, by their content, is taken; the
#'   others are predicted. With the images at hand near-copies are found, too, and `plot()` shows them.
#' @param path,label,root,split For a table, as in [mxevaluate()].
#' @param file A `.csv` to write; `NULL` for none.
#' @param ... Must be empty.
#' @return An object with three data frames:
#' - `table`, a row for each label of each image, the most suspect first: `.file`; `label` and `suggested`, with their
#'   probabilities `prob` and `suggested_prob`; `score`, the logarithm of the ratio of the most probable other label to
#'   it; `suspect`, whether that is ten times as probable. With several labels per image each `level` of each image has
#'   a row; for regression `score` is the distance from the prediction in robust standard deviations, and `suspect`
#'   above 3.5;
#' - `copies`: `set`, `.file` and `label` of copies and near-copies whose labels differ;
#' - `classes`: pairs that are taken for each other both ways and more often than by chance, and that predictions do not
#'   tell apart.
#'
#' `as.data.frame()` gives the first of these, `plot()` draws a contact sheet of the suspect images.
#' @references Northcutt, C. G., Jiang, L. and Chuang, I. L. (2021). Confident learning: estimating uncertainty in
#'   dataset labels. Journal of Artificial Intelligence Research 70.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), tune = "head", image_size = 64, seed = 1)
#' suspects <- mxsuspects(fit)
#' suspects
#' plot(suspects, n = 12)
mxsuspects <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, file = NULL,
                       ...) {
  refuse_unknown(...)
  require_given()
  found <- judged("suspects", model, x, y, path = path, label = label, root = root, split = split)
  if (!is.null(file)) {
    engine_call("save", found, list(path = file), listener(), spelled = c(path = "file"))
  }
  told <- engine_call("suspected", arguments = list(object = found))
  told$table <- dotted(told$table)
  told$copies <- dotted(told$copies)
  told$live <- hold(new.env(parent = topenv()), found)
  new_answer(told, "mxsuspects")
}

#' @export
print.mxsuspects <- function(x, ...) {
  cat(x$heading, sep = "\n")
  suspect <- x$table[x$table$suspect, setdiff(names(x$table), "suspect")]
  if (nrow(suspect)) {
    suspect$.file <- sub("^.*/([^/]+/[^/]+)$", "\\1", suspect$.file)
    print(as.data.frame(utils::head(suspect, 10)), row.names = FALSE, digits = 3)
  }
  if (nrow(suspect) > 10) {
    cat("... and", nrow(suspect) - 10, "more\n")
  }
  if (length(x$notes)) {
    cat(x$notes, sep = "\n")
  }
  invisible(x)
}

#' @rdname mxsuspects
#' @param row.names,optional For the generic.
#' @export
as.data.frame.mxsuspects <- function(x, row.names = NULL, optional = FALSE, ...) { # nolint: object_name_linter
  as.data.frame(x$table)
}

#' @rdname mxsuspects
#' @param n For `plot()`: how many images to show at most.
#' @export
plot.mxsuspects <- function(x, n = 24, ...) {
  refuse_unknown(...)
  found <- held_by(x$live)
  if (is.null(found)) {
    abort_mxtune("These suspects came from another session.", hint = "Make them again with mxsuspects().")
  }
  sheet <- engine_call("sheet", found, list(n = n))
  before <- graphics::par(mar = c(0, 0, 0, 0))
  on.exit(graphics::par(before))
  draw_picture(sheet)
  invisible(x)
}
