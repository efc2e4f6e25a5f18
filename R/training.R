#' Fine-tune a pretrained network on your pictures
#'
#' Returns a model that predicts what you taught it. With nothing but pictures and labels it looks at the
#' pictures, keeps a fifth for validation, trains a new head on a pretrained network, and goes on to the
#' network's last layers where that helps. What it chose is said, with the argument that overrides it.
#'
#' @section Progress and interruption:
#' A bar in a console and in RStudio, one line an epoch in a document and in Rscript, nothing in testthat.
#' Esc or Ctrl-C ends the training early: the best model so far comes back, with a warning.
#'
#' @section The same numbers:
#' The engine is shared with Python: the same pictures, arguments and `seed` give the same model in both
#' languages.
#'
#' @inheritParams mximages
#' @inheritSection mximages Kinds of pictures
#' @param net Where to start: a name in [mxzoo()], an [mxnetwork()], a model file, or a model to train on.
#'   Default: `r default_of("mxtrain", "net")`.
#' @param tune What to train: `"head"` (the new last layer), `"tail"` (the last layers too), `"all"`, or
#'   `"auto"`: the head, then the tail while validation improves. Default: `r default_of("mxtrain", "tune")`.
#' @param epochs How often to go through the pictures, at most. Default: chosen by their number.
#' @param valid The share of pictures kept for validation, stratified by class; or the pictures themselves,
#'   as an [mximages()] or a data frame. Default: `r default_of("mxtrain", "valid")`.
#' @param image_size Height and width the network sees, in pixels: one number or two. Default: the network's
#'   own.
#' @param batch_size Pictures a step. Default: chosen.
#' @param lr Learning rate. Default: chosen.
#' @param schedule How the learning rate falls. Default: `r default_of("mxtrain", "schedule")`.
#' @param augment Random views of the training pictures: `"auto"`, `"light"`, `"none"`, or a list of
#'   settings. Default: `r default_of("mxtrain", "augment")`.
#' @param class_weights Weights of the classes in the loss: a numeric vector with the classes as names, or
#'   `"balanced"`.
#' @param patience Epochs without a lower validation loss after which a stage ends; 0 for never. Default: chosen.
#' @param restore_best Return the best epoch's weights and not the last one's?
#'   Default: `r default_of("mxtrain", "restore_best")`.
#' @param device `"auto"`, `"cpu"`, `"gpu"`, `"gpu:1"`, or several.
#'   Default: `r default_of("mxtrain", "device")`.
#' @param precision Number format of the work. Default: `r default_of("mxtrain", "precision")`.
#' @param seed A whole number: the same seed gives the same model. `NULL` draws one from R's generator, so
#'   that `set.seed()` governs.
#' @param cache A folder that keeps features of the frozen network between runs, or `TRUE` for the usual one: within
#'   10 GB (the environment variable `MXTUNE_CACHE_GB` sets another bound) the last used are kept.
#' @param checkpoint A file that keeps the state of a long training.
#' @param resume Go on from `checkpoint`? Default: `r default_of("mxtrain", "resume")`.
#' @param callbacks A function `on_epoch(epoch, metrics)`, or a list of such functions: called after each
#'   epoch; one that returns `FALSE` ends the training.
#' @param verbose 0 says nothing, 1 one line an epoch, 2 a bar. Default: by where it runs.
#' @param ... For methods: the arguments of the default method. Else must be empty.
#' @return A model of class `mxmodel`: see [predict.mxmodel()], [mxevaluate()], [mxsave()]. `saveRDS()` works
#'   too.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 2, seed = 1)
#' fit
#' predict(fit, mxexample("fashion"), type = "prob")
#'
#' # labels in a data frame
#' files <- list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE)
#' clothes <- data.frame(file = files, kind = basename(dirname(files)))
#' fit <- mxtrain(kind ~ file, data = clothes, net = "lenet", tune = "all", epochs = 1)
mxtrain <- function(x, ...) {
  UseMethod("mxtrain")
}

#' @rdname mxtrain
#' @export
mxtrain.default <- function(x, y, net, tune, epochs, valid, image_size, batch_size, lr, schedule, augment,
                            class_weights, patience, restore_best, device, precision, seed, cache, checkpoint,
                            resume, callbacks, verbose, ...) {
  rlang::check_dots_empty()
  arguments <- as.list(environment())
  arguments$x <- picture_source(x)
  if (rlang::is_missing(arguments$seed) || is.null(arguments$seed)) {
    arguments$seed <- sample.int(.Machine$integer.max, 1)
  }
  if (is.data.frame(arguments$valid)) {
    arguments$valid <- mximages(arguments$valid)
  }
  engine_call("mxtrain", arguments = arguments, listener = listener(arguments$verbose))
}

#' @rdname mxtrain
#' @export
mxtrain.data.frame <- function(x, y, ..., valid) {
  if (missing(y)) {
    return(mxtrain.default(x, ..., valid = rlang::maybe_missing(valid)))
  }
  moulded <- mould_frame(x, y)
  if (!missing(valid) && is.data.frame(valid)) {
    valid <- mximages(valid, y)
  }
  mxtrain.default(moulded$x, moulded$y, ..., valid = rlang::maybe_missing(valid))
}

#' @rdname mxtrain
#' @export
mxtrain.formula <- function(x, data, ..., valid) {
  moulded <- mould_formula(x, data)
  if (!missing(valid) && is.data.frame(valid)) {
    valid <- mximages(x, valid)
  }
  mxtrain.default(moulded$x, moulded$y, ..., valid = rlang::maybe_missing(valid))
}

#' @rdname mxtrain
#' @export
mxtrain.array <- function(x, y, ..., layout) {
  mxtrain.default(array_images(x, rlang::maybe_missing(y), rlang::maybe_missing(layout)), ...)
}

#' @rdname mxtrain
#' @export
mxtrain.matrix <- function(x, y, ..., dim, byrow = FALSE) {
  x <- mould_matrix(x, if (missing(dim)) NULL else dim, byrow)
  mxtrain.default(array_images(x, rlang::maybe_missing(y)), ...)
}

array_images <- function(x, y, layout) {
  mximages.default(x, rlang::maybe_missing(y), layout = rlang::maybe_missing(layout))
}
