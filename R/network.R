#' Open, inspect and edit networks
#'
#' `mxnetwork()` returns a network: by a name in [mxzoo()], or from files. Each edit returns a new network
#' and leaves the old one unchanged. [mxtrain()] takes the result as `net`.
#'
#' | verb | returns |
#' | --- | --- |
#' | `mxlayers()`, `as.data.frame()` | one row per layer: name, operator, output shape, parameters, trainable |
#' | `mxcut()` | the network that ends at this layer |
#' | `mxreplace_head()` | the network with a new last layer |
#' | `mxinsert()` | the network with an additional layer |
#' | `mxremove()` | the network without a layer |
#' | `mxrename()` | the network with a layer renamed |
#' | `mxfreeze()`, `mxunfreeze()` | the network with layers excluded from training, or included again |
#'
#' @param x A name in [mxzoo()], or a file: `.mxt`, `.onnx` of any framework, `-symbol.json` of MXNet beside its
#'   `.params`, or `.prototxt` of Caffe beside its `.caffemodel`.
#' @param weights A file of weights: MXNet, PyTorch, Caffe or safetensors. `NULL` takes the network's own.
#' @param classes The number of classes of the last layer. `NULL` keeps the network's own.
#' @param image_size Height and width in pixels: one number or two. `NULL` keeps the network's own.
#' @param seed A whole number: governs the initial values of weights that have none.
#' @param channels 3 for colour, 1 for grey. `NULL` keeps the network's own.
#' @param preprocess How an image becomes the network's input: a list such
#'   as `list(size = c(28, 28), channels = 1, mean = 0, std = 255, fit = "stretch")`. What is not named stays the
#'   network's own; where a file does not say, that of ImageNet.
#' @param limit How many times as much memory and work for one image the network may need as is usual; networks of
#'   [mxzoo()] need half or less.
#' @param ... For `mxinsert()`: the operator's arguments, as MXNet names them. Otherwise not used.
#' @return An object of class `mxnetwork`.
#' @export
#' @examplesIf mxtune:::has_engine()
#' net <- mxnetwork("lenet")
#' mxlayers(net)
#' mxnetwork("lenet") |>
#'   mxreplace_head(units = 3) |>
#'   mxfreeze("conv*") |>
#'   mxlayers()
mxnetwork <- function(x, weights = NULL, classes = NULL, image_size = NULL, seed = 0, channels = NULL,
                      preprocess = NULL, limit = 1, ...) {
  refuse_unknown(...)
  if (inherits(x, "mxmodel")) {
    return(engine_call("network", x))
  }
  arguments <- as.list(environment())
  names(arguments)[names(arguments) == "x"] <- "name_or_path"
  engine_call("mxnetwork", arguments = arguments, listener = listener())
}

#' @rdname mxnetwork
#' @param net A network.
#' @export
mxlayers <- function(net) {
  engine_call("layers", as_network(net))
}

#' @rdname mxnetwork
#' @param layer The name of a layer: see `mxlayers()`.
#' @export
mxcut <- function(net, layer, ...) {
  refuse_unknown(...)
  edit("cut", environment())
}

#' @rdname mxnetwork
#' @param units The number of outputs of the new last layer.
#' @param name The new layer's name. `NULL` chooses one.
#' @param stages Should the new layer see the average and maximum of every resolution stage, not only the last features?
#' @export
mxreplace_head <- function(net, units, seed = 0, name = "head", stages = FALSE, ...) {
  refuse_unknown(...)
  edit("replace_head", environment())
}

#' @rdname mxnetwork
#' @param what Layers: a name, a pattern such as `"block1*"`, several of these, or a number `n`: the first `n` layers
#'   with parameters; `-n` is all but the last `n`.
#' @export
mxfreeze <- function(net, what, ...) {
  refuse_unknown(...)
  edit("freeze", environment())
}

#' @rdname mxnetwork
#' @export
mxunfreeze <- function(net, what = "*", ...) {
  refuse_unknown(...)
  edit("unfreeze", environment())
}

#' @rdname mxnetwork
#' @param after The layer after which the new one is inserted.
#' @param operator An operator of MXNet, such as `"Dropout"`.
#' @export
mxinsert <- function(net, after, operator, name = NULL, seed = 0, ...) {
  edit("insert", environment(), ...)
}

#' @rdname mxnetwork
#' @export
mxremove <- function(net, layer, ...) {
  refuse_unknown(...)
  edit("remove", environment())
}

#' @rdname mxnetwork
#' @export
mxrename <- function(net, layer, name, ...) {
  refuse_unknown(...)
  edit("rename", environment())
}

#' @param frame The environment of the verb: its arguments, the network among them.
#' @noRd
edit <- function(verb, frame, ...) {
  arguments <- c(as.list(frame), rlang::list2(...))
  net <- as_network(arguments$net)
  engine_call(verb, net, arguments[names(arguments) != "net"])
}

as_network <- function(net) {
  if (inherits(net, "mxmodel")) {
    net <- engine_call("network", net)
  }
  if (!inherits(net, "mxnetwork")) {
    abort_mxtune(
      paste0("`net` must be an mxnetwork, not an object of class ", class(net)[1], "."),
      hint = "mxnetwork() opens one."
    )
  }
  net
}

#' @rdname mxnetwork
#' @param object,row.names,optional For the generics.
#' @export
summary.mxnetwork <- function(object, ...) {
  mxlayers(object)
}

#' @rdname mxnetwork
#' @export
as.data.frame.mxnetwork <- function(x, row.names = NULL, optional = FALSE, ...) { # nolint: object_name_linter
  as.data.frame(mxlayers(x))
}
