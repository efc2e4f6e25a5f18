#' Which training images are most like these
#'
#' `mxnearest()` finds for each image the training images that the network sees as most alike: what a prediction rests
#' on. `mxfeatures()` returns what a layer of the network gives, for statistics of your own. A model remembers the
#' features of its training images (beyond 4,000 of a sample of them, each class in proportion) in its file.
#' `plot(model, "map")` draws all of them in two dimensions.
#'
#' @param model A model.
#' @param x Images: anything that [mximages()] takes.
#' @param n How many neighbours of each image.
#' @param layer The name of a layer, as in the table of the network's layers; `NULL` for what the last layer takes.
#' @param on_bad What to do with images that can't be read: `"na"` gives them `NA`, `"error"` stops.
#' @param batch_size Images per step; of 32 a GPU takes more where its memory holds them.
#' @param path,root For a table: its column of paths, and the folder that they are relative to.
#' @param layout For an array: see [mximages()].
#' @param ... Must be empty.
#' @return `mxnearest()`: a data frame with `n` rows per image: `.file`, `rank`, `neighbour` (the training image),
#'   `label` (its label; with several, `label_<label>`), `similarity` (the cosine of what the network sees in both: 1
#'   for the same). An image is not its own neighbour, nor is a copy of its file.
#'
#'   `mxfeatures()`: an array, the first dimension the images; for maps followed by channels, height and width.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), tune = "head", image_size = 64, seed = 1)
#' mxnearest(fit, file.path(mxexample("fashion"), "bag"), n = 2)
#' dim(mxfeatures(fit, file.path(mxexample("fashion"), "bag")))
mxnearest <- function(model, x, n = 5, on_bad = "na", batch_size = 32, path = NULL, root = NULL, ...,
                      layout = "NHWC") {
  refuse_unknown(...)
  require_given()
  arguments <- list(
    x = picture_source(x, layout, labelled = FALSE), n = n, on_bad = on_bad, batch_size = batch_size, path = path,
    root = root
  )
  dotted(engine_call("nearest", as_model(model), arguments, listener()))
}

#' @rdname mxnearest
#' @export
mxfeatures <- function(model, x, layer = NULL, on_bad = "na", batch_size = 32, path = NULL, root = NULL, ...,
                       layout = "NHWC") {
  refuse_unknown(...)
  require_given()
  arguments <- list(
    x = picture_source(x, layout, labelled = FALSE), layer = layer, on_bad = on_bad, batch_size = batch_size,
    path = path, root = root
  )
  engine_call("features", as_model(model), arguments, listener())
}
