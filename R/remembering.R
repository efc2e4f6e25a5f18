#' A model that forgets its images
#'
#' A model remembers names, labels and predictions of the images that it was validated on, and features of those that it
#' was trained on. `mxforget()` returns one that does not: it predicts the same, its file is smaller, and nobody who
#' gets it learns what an image was called, or shows. Its metrics stay, and 8 bytes of the content of each image that
#' was trained on, by which [mxevaluate()] warns of these.
#'
#' The package butcher does the same: `butcher::axe_fitted()` forgets the validation, `butcher::axe_data()` the
#' memory, and `butcher::butcher()` both.
#'
#' @param model A model.
#' @param what `"validation"`: without it there are no prediction sets, suspects, intervals, nor figures of each class,
#'   but on labelled images that are given. `"memory"`: without it the model tells nothing of what is novel, of the
#'   nearest training images and of where all lie, and [mxexplain()] measures evidence from nothing, not from what is
#'   usual. `"all"`: both.
#' @param ... Must be empty.
#' @return The model.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), tune = "head", image_size = 32, seed = 1)
#' fit <- mxforget(fit)
#' predict(fit, file.path(mxexample("fashion"), "bag"))
mxforget <- function(model, what = "all", ...) {
  refuse_unknown(...)
  require_given()
  engine_call("forget", as_model(model), list(what = what))
}
