#' Predict faster, in int8
#'
#' `mxquantize()` measures on labelled images what a model gains and loses when MXNet computes it with whole numbers
#' of 8 bits on a CPU, and returns the model with what it found. The ranges of its layers are measured on up to 128 of
#' the images; then its classifier is fitted anew, so that its outputs in int8 are those of before: labels only judge
#' it. The model then predicts in int8 if that is faster on this machine, the accuracy is at most half a point lower,
#' and the log-loss at most 2 % higher (for regression, the RMSE), on at least 200 images that it was not trained on.
#' `summary()` says what was measured and chosen, and [mxsave()] keeps it. The weights stay what they are: on a GPU,
#' on a CPU without VNNI, and with PyTorch, the model predicts as before. `mxload(precision = "float32")` and `"int8"`
#' override the choice.
#'
#' @param model A model.
#' @param x,y Labelled images, as in [mxevaluate()]: some hundred, better ones that the model was not trained on. `NULL`
#'   means those of the validation.
#' @param path,label,root,split For a table, as in [mxevaluate()].
#' @param ... Must be empty.
#' @return The model.
#' @export
#' @examplesIf mxtune:::has_engine("int8")
#' photos <- list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE)
#' labels <- basename(dirname(photos))
#' some <- seq_along(photos) %% 2 == 0
#' fit <- mxtrain(photos[some], labels[some], tune = "head", image_size = 64, seed = 1)
#' fit <- mxquantize(fit, photos[!some], labels[!some])
#' summary(fit)
mxquantize <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  judged("quantize", model, x, y, path = path, label = label, root = root, split = split)
}
