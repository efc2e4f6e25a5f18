#' Evaluate a model
#'
#' `mxevaluate()` returns a data frame with the columns `.metric`, `.estimate`, and `.lower` and `.upper`, the ends of
#' its interval at 95 % by a bootstrap over images, or over groups where there are any; `mxconfusion()` a table of
#' truth by prediction; `mxper_class()` precision and recall, one row per class; `mxtop_losses()` the images with the
#' highest loss, one row per image; `mxcalibration()` what was `predicted` and what was `observed`. Without
#' images they use those kept for validation, which the model remembers.
#'
#' The rows of `mxcalibration()` are 15 bins of the probability of the predicted class: `n` images, their mean
#' probability, how many of them were right, and `error`, whose sum is the expected calibration error. With several
#' labels per image each `level` has its bins, of its own probability; for regression each image has a row.
#'
#' @param model A model.
#' @param x Images with labels: anything that [mximages()] takes. `NULL` means those kept for validation.
#' @param y Their labels, where `x` has none.
#' @param path,label,root For a table: its columns of paths and labels, and the folder that the paths are relative to.
#' @param split The purpose of each image, as in [mximages()]: only those for test are evaluated.
#' @param n How many images.
#' @param ... Must be empty.
#' @references Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural networks.
#'   ICML.
#' @export
#' @examplesIf mxtune:::has_engine()
#' images <- mximages(mxexample("fashion"))
#' fit <- mxtrain(images, net = "lenet", tune = "all", epochs = 1, seed = 1)
#' mxevaluate(fit)
#' mxconfusion(fit)
#' mxper_class(fit)
#' mxtop_losses(fit, n = 5)
#' sum(mxcalibration(fit)$error)
mxevaluate <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  model <- as_model(model)
  measured <- judged("evaluated", model, x, y, path = path, label = label, root = root, split = split)
  stats::setNames(measured, paste0(".", names(measured)))
}

#' @rdname mxevaluate
#' @export
mxconfusion <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  model <- as_model(model)
  counts <- judged("confusion", model, x, y, path = path, label = label, root = root, split = split)
  confusion_table(as.data.frame(counts), model$levels)
}

#' @rdname mxevaluate
#' @export
mxtop_losses <- function(model, x = NULL, y = NULL, n = 9, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  dotted(judged("top_losses", model, x, y, path = path, label = label, root = root, split = split, n = n))
}

#' @rdname mxevaluate
#' @export
mxper_class <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  judged("per_class", model, x, y, path = path, label = label, root = root, split = split)
}

#' @rdname mxevaluate
#' @export
mxcalibration <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  judged("calibration", model, x, y, path = path, label = label, root = root, split = split)
}

#' What models that had not seen an image say of it
#'
#' With folds, which is the default where the head alone is trained, each image that a model was trained on is predicted
#' by a model that was trained without its fold: `mxout_of_fold()` returns a row for each.
#'
#' @param model A model trained with `folds`: see [mxtrain()].
#' @param ... Must be empty.
#' @return A data frame: `.file`, the truth and the prediction, and `fold`. For classification `truth`, `.pred_class`
#'   and their probabilities `prob` and `.pred_prob`; for several labels an image `truth_<label>`, `.pred_<label>` and
#'   `prob_<label>`; for regression `truth` and `.pred`. An image that is alone in its class has no row.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), tune = "head", image_size = 64, seed = 1)
#' mxevaluate(fit)
#' wrong <- subset(mxout_of_fold(fit), truth != .pred_class)
#' head(wrong)
mxout_of_fold <- function(model, ...) {
  refuse_unknown(...)
  require_given()
  dotted(engine_call("out_of_fold", as_model(model)))
}

#' The result of the model's method for labelled images, or for those of its validation.
#' @noRd
judged <- function(what, model, x, y, ..., split = NULL) {
  model <- as_model(model)
  images <- if (is.null(x)) list(y = y) else prepare_source(x, y)
  arguments <- Filter(Negate(is.null), c(images, list(split = prepare_column(split, x, y, NULL), ...)))
  if (what == "evaluated") { # with intervals, as a table
    return(engine_call(what, arguments = c(list(object = model), arguments), listener = listener()))
  }
  engine_call(what, model, arguments, listener())
}

#' Rows are the truth, columns the prediction, in the model's order.
#' @noRd
confusion_table <- function(counts, levels) {
  numbers <- as.matrix(counts[vapply(counts, is.numeric, logical(1))])
  structure(
    unname(numbers),
    dimnames = list(truth = levels, prediction = levels), class = "table"
  )
}
