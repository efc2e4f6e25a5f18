#' Evaluate a model
#'
#' `mxevaluate()` returns a data frame with the columns `.metric` and `.estimate`; `mxconfusion()` a table of
#' truth by prediction; `mxper_class()` precision and recall, one row per class; `mxtop_losses()` the images with the
#' highest loss, one row per image; `mxcalibration()` what was `predicted` beside what was `observed`. Without
#' images they are about those kept for validation, which the model remembers.
#'
#' The rows of `mxcalibration()` are 15 bins of the probability of the predicted class: `n` images, their mean
#' probability, how many of them were right, and `error`, whose sum is the expected calibration error. With several
#' labels per image each `level` has its bins, of its own probability; for regression each image has a row.
#'
#' @param model A model.
#' @param x Images with labels: anything that [mximages()] takes. `NULL` means those kept for validation.
#' @param y Their labels, where `x` has none.
#' @param path,label,root For a table: its columns of paths and of labels, and the folder that the paths start from.
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
mxevaluate <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, ...) {
  refuse_unknown(...)
  check_model(model)
  metrics <- engine_call("evaluate", model, labelled(x, y, path = path, label = label, root = root), listener())
  out <- data.frame(.metric = names(metrics), .estimate = as.numeric(unlist(metrics)))
  like(out, model$history)
}

#' @rdname mxevaluate
#' @export
mxconfusion <- function(model, x = NULL, y = NULL, ...) {
  refuse_unknown(...)
  check_model(model)
  counts <- engine_call("confusion", model, labelled(x, y), listener())
  confusion_table(as.data.frame(counts), model$levels)
}

#' @rdname mxevaluate
#' @export
mxtop_losses <- function(model, x = NULL, y = NULL, n = 9, ...) {
  refuse_unknown(...)
  check_model(model)
  dotted(engine_call("top_losses", model, c(labelled(x, y), list(n = n)), listener()))
}

#' @rdname mxevaluate
#' @export
mxper_class <- function(model, x = NULL, y = NULL, ...) {
  refuse_unknown(...)
  check_model(model)
  engine_call("per_class", model, labelled(x, y), listener())
}

#' @rdname mxevaluate
#' @export
mxcalibration <- function(model, x = NULL, y = NULL, ...) {
  refuse_unknown(...)
  check_model(model)
  engine_call("calibration", model, labelled(x, y), listener())
}

#' Images as an argument; without any the model knows its validation.
#' @noRd
labelled <- function(x, y = NULL, ...) {
  if (is.null(x)) Filter(Negate(is.null), list(y = y, ...)) else list(x = labelled_images(x, y, ...))
}

#' Images and labels as one set.
#' @noRd
labelled_images <- function(x, y = NULL, ...) {
  if (is.null(y) && is_handle(x)) x else mximages(x, y, ...)
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
