#' Predict images with a model, or with a network as it is
#'
#' Returns a data frame with one row per image, in the order given: `.file` (images of an
#' array are numbered there, from `[1]`), and
#' - for classification `.pred_class`, a factor whose levels are those of `factor(y)`, also where `y` was logical or
#'   numeric, and with `type = "prob"` also `.pred_<class>`, the probability of each (of a class called "class" it is
#'   `.pred_class_`);
#'   with `top = 5` there are so many rows per image, its likeliest classes first: `.file`, `.pred_class`, `.pred_prob`;
#' - for several labels per image `.pred_<label>`: logical, or probabilities with `type = "prob"`;
#' - for regression `.pred`;
#' - with `type = "set"` all that the truth may be, so that for a share `level` of images it is among it
#'   (split-conformal; Vovk et al., 2005), judged by images that the model was not trained on: `.pred_set`, a list of
#'   classes, the most probable first; for several labels `NA` where it may be either; for regression `.pred_lower` and
#'   `.pred_upper`.
#'
#' An image that can't be read is a row of `NA`, and a warning names it.
#'
#' A network with ImageNet's weights knows its 1,000 classes, one from a file the classes that the file names. An edit
#' after which the outputs mean something else forgets them; `type = "logit"` and `"features"` need none.
#'
#' @param object A model made by [mxtrain()] or read by [mxload()]; or an [mxnetwork()].
#' @param newdata Images: anything that [mximages()] takes as `x`.
#' @param type `"class"`, `"prob"`, `"logit"` (before the softmax), `"set"` or `"features"` (the input of the last
#'   layer); or the name of another output, see [mxattach()].
#' @param on_bad What to do with images that can't be read: `"na"` predicts `NA`, `"error"` stops.
#' @param batch_size Images per step; of 32 a GPU takes more where its memory holds them.
#' @param path,root For a table: its column of paths, and the folder that they are relative to.
#' @param level For sets: the share of images whose truth is to be among them.
#' @param abstain A probability: below it no class is predicted (`NA`), and `.abstained` says why.
#' @param top For classification: how many of the likeliest classes to return, each in a row. `NULL` returns one row per
#'   image.
#' @param novelty Whether to add how far each image is from all that was trained on (Lee et al., 2018): `.novelty`, in
#'   units of the distance within which 95 % of images like those lie, and `.is_novel`, whether that is above 1.
#' @param layout For an array: see [mximages()].
#' @param ... Must be empty.
#' @references Lee, K., Lee, K., Lee, H. and Shin, J. (2018). A simple unified framework for detecting
#'   out-of-distribution samples and adversarial attacks. NeurIPS.
#'
#'   Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic learning in a random world. Springer.
#' @return A data frame (a tibble where that package is installed).
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 1, seed = 1)
#' predict(fit, file.path(mxexample("fashion"), "bag"), type = "prob")
#'
#' net <- mxnetwork("efficientnet_lite0")
#' predict(net, file.path(mxexample("fashion"), "sandal"), top = 3)
predict.mxmodel <- function(object, newdata, type = "class", on_bad = "na", batch_size = 32, path = NULL, root = NULL,
                            level = 0.9, abstain = NULL, top = NULL, novelty = FALSE, ..., layout = "NHWC") {
  refuse_unknown(...)
  require_given()
  arguments <- list(
    x = picture_source(newdata, layout, labelled = FALSE), type = type, on_bad = on_bad, batch_size = batch_size,
    path = path, root = root, level = level, abstain = abstain, top = top, novelty = novelty
  )
  dotted(engine_call("predict", object, arguments, listener(), spelled = c(x = "newdata")))
}

#' @rdname predict.mxmodel
#' @export
predict.mxnetwork <- predict.mxmodel

#' Python's columns with the dot that tidymodels puts before them.
#' @noRd
dotted <- function(frame) {
  ours <- grepl("^(file|pred|abstained|novelty|is_novel)($|_)", names(frame))
  names(frame)[ours] <- paste0(".", names(frame)[ours])
  frame
}

#' Save and load a model
#'
#' `mxsave()` writes one file, which Python, R and other machines can read; it returns the model, invisibly.
#' `mxload()` returns the model. The file contains no code: a file from a stranger may be damaged, but it can't
#' run anything. `saveRDS()` works as well, for R alone.
#'
#' A name that ends in `.onnx` gives a file for other programs (onnxruntime, also in browsers and on phones, OpenVINO,
#' TensorRT): of a model, images of the size that it takes, N x H x W x C whole numbers from 0 to 255, to
#' probabilities, its classes in the metadata; of a network, images as they are prepared for it, to its outputs.
#' A network is written for MXNet itself as `-symbol.json`, and its weights alone as `.safetensors` or `.params`. The
#' weights of a network of torchvision or timm get the names that they have there, whatever the number of classes, so
#' that `timm.create_model(checkpoint_path=)` loads them: train it with `head = "last features"`, since a head on every
#' stage is no part of these networks.
#'
#' @param model A model; or, for other formats than `.mxt`, a network.
#' @param path The file's name, usually ending in `.mxt`. For `mxload()` also `"hf:owner/name"`, a repository of the
#'   Hugging Face hub where [mxpush()] put a model; `"@revision"` may follow.
#' @param limit How many times as much memory and work for one image the network may need as is usual; networks of
#'   [mxzoo()] need half or less.
#' @param device,engine Where the model predicts, as for [mxtrain()].
#' @param precision `"float32"`; `"int8"` on CPUs with VNNI, after [mxquantize()]; PyTorch's `"bfloat16"`. `"auto"` is
#'   int8 where [mxquantize()] chose it and it can be had, or else the engine's own.
#' @param ... Must be empty.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 1, seed = 1)
#' file <- tempfile(fileext = ".mxt")
#' mxsave(fit, file)
#' mxload(file)
mxsave <- function(model, path, ...) {
  refuse_unknown(...)
  require_given()
  handle <- as_handle(model)
  engine_call("save", if (inherits(handle, "mxnetwork")) handle else as_model(model), list(path = path))
  invisible(model)
}

#' @rdname mxsave
#' @export
mxload <- function(path, limit = 1, device = "auto", engine = "auto", precision = "auto", ...) {
  refuse_unknown(...)
  require_given()
  engine_call("mxload", arguments = as.list(environment()))
}

as_model <- function(model) {
  model <- as_handle(model)
  if (!inherits(model, "mxmodel")) {
    abort_mxtune(
      paste0("`model` must be an mxmodel, not an object of class ", class(model)[1], "."),
      hint = "mxtrain() and mxload() make one."
    )
  }
  model
}

#' A model's summary, history and metrics
#'
#' `summary()` shows how the model was made and how good it is. `as.data.frame()` and `tidy()` return the
#' training history, one row per epoch. `glance()` returns one row of metrics, and the interval of the first of them, at
#' 95 %. `augment()` returns the
#' data with predictions added: a grouped tibble stays grouped, a data.table keeps its key.
#'
#' @param object,x A model.
#' @param data Images: a data frame in which one column holds paths, or anything else that [mximages()]
#'   takes.
#' @param path The column of paths, where `data` is a data frame. Without it, the column is found as [mximages()] finds
#'   it.
#' @param row.names,optional For the generic.
#' @param ... For `augment()`: arguments of [predict.mxmodel()].
#' @name mxmodel
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 1, seed = 1)
#' summary(fit)
#' glance(fit)
#' augment(fit, mximages(mxexample("fashion")))
NULL

#' @rdname mxmodel
#' @export
summary.mxmodel <- function(object, ...) {
  new_answer(list(text = engine_call("summary", object)), "summary.mxmodel")
}

#' @export
print.summary.mxmodel <- function(x, ...) {
  cat(sub("^Model", "mxmodel", x$text), sep = "\n")
  invisible(x)
}

#' @rdname mxmodel
#' @export
as.data.frame.mxmodel <- function(x, row.names = NULL, optional = FALSE, ...) { # nolint: object_name_linter
  as.data.frame(x$history)
}

#' @rdname mxmodel
#' @export
tidy.mxmodel <- function(x, ...) {
  x$history
}

#' @rdname mxmodel
#' @export
glance.mxmodel <- function(x, ...) {
  figures <- c(
    list(task = x$task, network = x$network, classes = length(x$levels), epochs = nrow(x$history)),
    x$metrics
  )
  if (length(x$interval)) {
    figures[paste0(names(x$metrics)[1], c("_lower", "_upper"))] <- as.list(unlist(x$interval))
  }
  like(as.data.frame(figures, check.names = FALSE), x$history)
}

#' @rdname mxmodel
#' @export
augment.mxmodel <- function(x, data, path, ...) {
  of_predict <- setdiff(names(formals(predict.mxmodel)), c("object", "newdata", "top")) # a row per image
  refuse_unknown(..., known = c("data", "path", of_predict))
  if (missing(data)) {
    abort_missing("data")
  }
  if (is.character(data) && length(data) != 1) {
    data <- like(data.frame(file = data), x$history)
  }
  if (!is.data.frame(data)) {
    images <- if (inherits(data, "mximages")) data else mximages(data)
    return(bind_columns(like(as.data.frame(images), x$history), drop_file(predict(x, images, ...))))
  }
  column <- column_name(rlang::enquo(path), data)
  check_no_column(data, names(drop_file(predict(x, character(), ...)))) # before the work
  bind_columns(data, drop_file(predict(x, data, path = column, ...)))
}

drop_file <- function(frame) frame[names(frame) != ".file"]

#' A column that a user gave by its name, as a symbol or as text.
#' @noRd
column_name <- function(quosure, data) {
  if (rlang::quo_is_missing(quosure)) {
    return(NULL)
  }
  if (!rlang::quo_is_symbol(quosure)) {
    return(rlang::eval_tidy(quosure))
  }
  name <- rlang::as_name(quosure)
  if (name %in% names(data)) {
    return(name)
  }
  if (!rlang::env_has(rlang::quo_get_env(quosure), name, inherit = TRUE)) {
    abort_no_column(name, data)
  }
  rlang::eval_tidy(quosure)
}

check_no_column <- function(data, names) {
  both <- intersect(names(data), names)
  if (length(both)) {
    abort_mxtune(
      paste0("The data frame already has ", if (length(both) > 1) "columns " else "a column ", name_list(both), "."),
      hint = paste0("Rename or remove what is there first, as in data$", both[1], " <- NULL.")
    )
  }
}

name_list <- function(names) paste0("\"", names, "\"", collapse = ", ")

#' More columns, by the data frame's own method: it keeps groups, keys and geometry.
#' @noRd
bind_columns <- function(data, more) {
  data[names(more)] <- as.list(more)
  data
}

like <- function(frame, other) {
  class(frame) <- class(other)
  frame
}
