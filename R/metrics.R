#' How good a model is
#'
#' `mxevaluate()` returns a data frame with the columns `.metric` and `.estimate`; `mxconfusion()` a table of
#' truth by prediction; `mxtop_losses()` the pictures the model was most wrong about, a row each.
#'
#' @param model A model.
#' @param x Pictures with labels: anything that [mximages()] takes. `mxevaluate()` without pictures tells the
#'   figures of those that were kept for validation.
#' @param y Their labels, where `x` does not tell.
#' @param n How many pictures. Default: `r default_of("Model.top_losses", "n")`.
#' @export
#' @examplesIf mxtune:::has_engine()
#' pictures <- mximages(mxexample("fashion"))
#' fit <- mxtrain(pictures, net = "lenet", tune = "all", epochs = 1, seed = 1)
#' mxevaluate(fit)
#' mxconfusion(fit, pictures)
#' mxtop_losses(fit, pictures, n = 5)
mxevaluate <- function(model, x, y) {
  check_model(model)
  images <- if (missing(x)) list() else one_set(x, rlang::maybe_missing(y))
  measured <- engine_call("evaluate", model, images, listener())
  out <- data.frame(.metric = names(measured), .estimate = as.numeric(unlist(measured)))
  like(out, model$history)
}

#' @rdname mxevaluate
#' @export
mxconfusion <- function(model, x, y) {
  check_model(model)
  images <- one_set(rlang::maybe_missing(x), rlang::maybe_missing(y))
  counts <- engine_call("confusion", model, images, listener())
  confusion_table(as.data.frame(counts), model$levels)
}

#' @rdname mxevaluate
#' @export
mxtop_losses <- function(model, x, y, n) {
  check_model(model)
  images <- one_set(rlang::maybe_missing(x), rlang::maybe_missing(y))
  dotted(engine_call("top_losses", model, c(images, list(n = rlang::maybe_missing(n))), listener()))
}

#' Pictures and labels as one set.
#' @noRd
one_set <- function(x, y) {
  if (missing(x)) {
    hint <- "Give some that were held out of training."
    abort_mxtune("`x` is missing: which pictures?", hint = hint)
  }
  list(x = if (missing(y) && is_handle(x)) x else mximages(x, rlang::maybe_missing(y)))
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
