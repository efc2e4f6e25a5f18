#' Fine-tune a pretrained network on your images
#'
#' Returns a model that predicts what you taught it. With nothing but images and labels, `mxtrain()` checks the
#' images, keeps a fifth of them for validation, trains a new last layer on a pretrained network, and then the
#' network's last layers where that helps. What it chose is reported, with the argument that changes it.
#'
#' @section Progress and interruption:
#' A progress bar in a console and in RStudio, one line per epoch in a document and in Rscript, nothing in testthat.
#' Esc, Ctrl-C or SIGTERM ends the training early: the best model so far is returned, with a warning. A second Ctrl-C
#' stops at once. What is known before the training is said before its first epoch. What comes after it does not cost
#' the model: a warning, the error that `options(warn = 2)` makes of it, and an interrupt have it as `$model`.
#'
#' @section Reproducibility:
#' Python and R share one engine: the same images, arguments and `seed` give the same model in both languages.
#'
#' @inheritParams mximages
#' @inheritSection mximages Kinds of images
#' @param net Where to start: a name in [mxzoo()] or on the Hugging Face hub (`"hf:timm/resnet18.a1_in1k"`), an
#'   [mxnetwork()], a file with a network, or a model to train further. `"auto"` chooses among EfficientNet-Lite0, Lite1
#'   and Lite2 by number and size of the images, and says which and why; the choice is the same on every machine.
#' @param tune What to train: `"head"` (the new last layer), `"tail"` (the last layers as well), `"all"`, or
#'   `"auto"`: the head, then the tail while validation improves. The statistics of BatchNorm move where all layers are
#'   trained from the start; behind a head they stay those that it was fitted under.
#' @param epochs The maximum number of passes through the images. `NULL` chooses by their number.
#' @param valid The share of images kept for validation, stratified by class; or the images themselves,
#'   as an [mximages()] or a data frame. `"auto"`: `folds` where only the head is trained, and 0.2 otherwise.
#' @param image_size Height and width of the network's input in pixels: one number or two. `NULL` takes the network's
#'   own, smaller for small images.
#' @param batch_size Images per step. `NULL` chooses.
#' @param lr Learning rate. `NULL` chooses.
#' @param schedule How the learning rate falls: `"cosine"` or `"constant"`.
#' @param augment Random changes to the training images: `"auto"`, `"light"`, `"none"`, or a list of
#'   settings.
#' @param class_weights Weights of the classes in the loss: `"balanced"`, or numbers with the classes as names, as in
#'   `c(cat = 2)` or `1 / table(y)` (1 where a class isn't named). Numbers without names are in the order of the
#'   classes.
#' @param patience Epochs without a lower validation loss after which a phase ends; 0 for never. `NULL` chooses.
#' @param restore_best Return the weights of the best epoch, rather than the last?
#' @param device `"auto"`, `"cpu"`, `"gpu"`, `"gpu:1"`, or several.
#' @param engine What computes: `"mxnet"`, `"torch"` (PyTorch), or `"auto"`: MXNet, unless it is not installed or has no
#'   code for a GPU that PyTorch can use. The environment variable `MXTUNE_ENGINE` is what `"auto"` means. The model
#'   predicts there, too. [install_mxtune()] installs either, or both.
#' @param time_budget Seconds (or a `difftime`) that the training may take, from the first look at the images to the
#'   model. Image size
#'   (where neither you nor the network settled it), phases and epochs are cut to what this machine was measured to do
#'   in them; if the machine becomes busy, the training ends early with the best model so far. It never makes a training
#'   longer: seconds that are not needed are not spent. `summary()` says what each phase took and gave, and the
#'   arguments that give the same training without a budget, unless it ended early.
#' @param workers How many processes of this machine compute; or the address of a Ray cluster whose machines do,
#'   `"ray://host:10001"`, or `"auto"` for the one that this machine belongs to (Python package `ray`). Features are the
#'   same bytes, also where a worker is lost. This process checks the images, holds the features, in memory or else in a
#'   file in the folder of `cache`, and trains the head: for a million images some 20 GB of EfficientNet-Lite0. Layers
#'   are trained on CPUs by processes of this machine (Linux): each has its share of every batch, and all take the same
#'   step. That is what one process learns, but for the order of sums; where one is lost the epoch begins anew. Only
#'   BatchNorms whose statistics move, in a network without weights, see a share each: this is told. A cluster trains
#'   layers, on the CPUs of its machines, where `tune` asks for it, and in a network without weights; `"auto"` is there
#'   `"head"`. Each machine has its share of every batch, which this process reads and sends; gradients go from machine
#'   to machine in every step, and all wait for the slowest. One that is lost leaves its share to the others.
#' @param precision `"auto"`, the engine's own; `"float32"`; PyTorch's `"bfloat16"`; or MXNet's `"int8"`, on CPUs with
#'   VNNI: the features of the head are computed in it, with ranges of up to 128 training images. The metrics are then
#'   those of int8, and the model predicts in it where that can be had, or else in float32 by the same head. For a model
#'   that was trained in float32 see [mxquantize()].
#' @param seed A whole number: the same seed gives the same model. `NULL` draws one from R's generator, so
#'   that `set.seed()` governs.
#' @param deterministic Should the same seed give the same bytes on a GPU, too, as it always does on the CPU? It is
#'   slower there, needs `engine = "torch"` and is an error where something can't be computed so.
#' @param cache The folder in which features of the frozen network are kept between runs, each by its image's content:
#'   the next training on the same images starts at once, one with others computes those that are new. `NULL` or `TRUE`:
#'   that of [mxcache()], which shows and empties it; `FALSE`: nothing is kept. The model is the same. Features are no
#'   images, but tell something of them: only you can read the folder. One that you can't write to, but that
#'   holds something, is read. Where layers are trained on more images than fit
#'   in 512 MB, these are kept, too, decoded, as small as the network takes them.
#' @param checkpoint A file that keeps the state of a long training.
#' @param resume Continue from `checkpoint`?
#' @param callbacks A function `on_epoch(epoch, metrics)`, or a list of such functions: called after each
#'   epoch; returning `FALSE` ends the training.
#' @param verbose 0 is silent, 1 prints a line per epoch, 2 shows a progress bar. `NULL` chooses by where it runs.
#' @param split What each image is for, as [mximages()] has it: those for train are trained on; those for valid are
#'   validated on, in place of `valid`; those for test are neither, and are left for [mxevaluate()], which has `split`,
#'   too.
#' @param head What the new last layer takes: `"every stage"` of the network, or its `"last features"`, as its own last
#'   layer does: for a network that is to be loaded elsewhere, such as in timm. `"auto"`: every stage, where that is
#'   worth its cost.
#' @param meta Information that `summary()` shows: a list with any of `title`, `author`, `notes`, `date`.
#'   `NULL` by default: the same training then gives the same file.
#' @param folds Cross-validation: the images are divided into so many folds (3 to 20), stratified, copies and groups
#'   whole, and each is predicted by a head that was trained on the other folds: see [mxout_of_fold()]. The metrics are
#'   those of these predictions; the model itself learns from all images. `"full"` does it for layers that are trained,
#'   too, by 5 more trainings. `"auto"`: 5 where only the head is trained, `valid` is not given, and there are 20 to
#'   100,000 images, of which the model can remember all outputs (a million). `NULL` for none.
#' @param ... Must be empty.
#' @return A model of class `mxmodel`: see [predict.mxmodel()], [mxevaluate()], [mxsave()]. `saveRDS()` works
#'   as well.
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
mxtrain <- function(x, y = NULL, net = "auto", tune = "auto", epochs = NULL, valid = "auto", image_size = NULL,
                    batch_size = NULL, lr = NULL, schedule = "cosine", augment = "auto", class_weights = NULL,
                    patience = NULL, restore_best = TRUE, device = "auto", precision = "auto", seed = NULL,
                    cache = NULL, checkpoint = NULL, resume = FALSE, callbacks = NULL, verbose = NULL, groups = NULL,
                    range = NULL, path = NULL, label = NULL, root = NULL, split = NULL, meta = NULL, task = NULL,
                    head = "auto", folds = "auto", engine = "auto", deterministic = FALSE, time_budget = NULL,
                    workers = NULL, layout = "NHWC", data = NULL, dim = NULL, byrow = FALSE, ...) {
  refuse_unknown(...)
  require_given()
  arguments <- prepare_arguments(as.list(environment()))
  if (is.null(seed)) {
    arguments$seed <- sample.int(.Machine$integer.max, 1)
  }
  if (is.data.frame(valid)) { # its columns are those of the training images
    columns <- if (rlang::is_formula(x)) x else if (rlang::is_formula(y) || is.data.frame(x) && rlang::is_string(y)) y
    group <- if (rlang::is_string(groups)) groups
    arguments$valid <- mximages(valid, columns, task = task, groups = group, path = path, label = label, root = root)
  }
  crossing <- new.env(parent = emptyenv())
  listener <- listener(verbose)
  run <- engine_call("prepared", arguments = arguments, listener = listener, crossing = crossing) # warns in time
  engine_call("through", run, listener = listener, crossing = crossing, guarded = TRUE)
}
