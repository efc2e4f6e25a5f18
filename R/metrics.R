#' Evaluate a model
#'
#' `mxevaluate()` returns a data frame with the columns `.metric` and `.estimate`; `mxconfusion()` a table of
#' truth by prediction; `mxtop_losses()` the pictures with the highest loss, one row per picture.
#'
#' @param model A model.
#' @param x Pictures with labels: anything that [mximages()] takes. `mxevaluate()` without pictures returns the
#'   metrics of those kept for validation.
#' @param y Their labels, where `x` has none.
#' @param n How many pictures.
#' @export
#' @examplesIf mxtune:::has_engine()
#' pictures <- mximages(mxexample("fashion"))
#' fit <- mxtrain(pictures, net = "lenet", tune = "all", epochs = 1, seed = 1)
#' mxevaluate(fit)
#' mxconfusion(fit, pictures)
#' mxtop_losses(fit, pictures, n = 5)
mxevaluate <- function(model, x = NULL, y = NULL, ...) {
  refuse_unknown(...)
  check_model(model)
  images <- if (is.null(x)) list() else list(x = labelled_images(x, y))
  metrics <- engine_call("evaluate", model, images, listener())
  out <- data.frame(.metric = names(metrics), .estimate = as.numeric(unlist(metrics)))
  like(out, model$history)
}

#' @rdname mxevaluate
#' @export
mxconfusion <- function(model, x, y = NULL, ...) {
  refuse_unknown(...)
  check_model(model)
  counts <- engine_call("confusion", model, list(x = labelled_images(x, y)), listener())
  confusion_table(as.data.frame(counts), model$levels)
}

#' @rdname mxevaluate
#' @export
mxtop_losses <- function(model, x, y = NULL, n = 9, ...) {
  refuse_unknown(...)
  check_model(model)
  dotted(engine_call("top_losses", model, list(x = labelled_images(x, y), n = n), listener()))
}

#' Pictures and labels as one set.
#' @noRd
labelled_images <- function(x, y = NULL) {
  if (missing(x)) {
    abort_mxtune("`x` is missing: which pictures?", hint = "Use pictures that were held out of training.")
  }
  if (is.null(y) && is_handle(x)) x else mximages(x, y)
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
