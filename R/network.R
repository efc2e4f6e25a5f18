#' Networks: open, read, edit
#'
#' `mxnetwork()` returns a network: by a name in [mxzoo()], or from files. Each edit returns a new network
#' and leaves the old one alone. [mxtrain()] takes the result as `net`.
#'
#' | verb | what comes back |
#' | --- | --- |
#' | `mxlayers()`, `as.data.frame()` | a row a layer: name, operator, output shape, parameters, trainable |
#' | `mxcut()` | the network that ends in this layer |
#' | `mxreplace_head()` | the network with a new last layer |
#' | `mxinsert()` | the network with one layer more |
#' | `mxremove()` | the network with one layer less |
#' | `mxrename()` | the network with a layer called otherwise |
#' | `mxfreeze()`, `mxunfreeze()` | the network with more, or less, that training leaves alone |
#'
#' @param x A name in [mxzoo()], or a file: `.mxt`, or `-symbol.json` of MXNet beside its `.params`.
#' @param weights A file of weights of MXNet, PyTorch or safetensors. Default: the network's own.
#' @param classes How many classes the last layer tells apart. Default: the network's own.
#' @param image_size Height and width in pixels: one number or two. Default: the network's own.
#' @param seed A whole number: of the first values of weights that have none.
#'   Default: `r default_of("mxnetwork", "seed")`.
#' @param channels 3 for colour, 1 for grey. Default: the network's own.
#' @param preprocess How a picture becomes the network's input, where not in the network's own way: a list such
#'   as `list(size = c(28, 28), channels = 1, mean = 0, std = 255, fit = "stretch")`. What is not named stays the
#'   network's own; where a file does not say, that of ImageNet.
#' @param ... Must be empty; for `mxinsert()`: the operator's arguments, as MXNet names them.
#' @return An object of class `mxnetwork`.
#' @export
#' @examplesIf mxtune:::has_engine()
#' net <- mxnetwork("lenet")
#' mxlayers(net)
#' mxnetwork("lenet") |>
#'   mxreplace_head(units = 3) |>
#'   mxfreeze("conv*") |>
#'   mxlayers()
mxnetwork <- function(x, weights, classes, image_size, seed, channels, preprocess, ...) {
  rlang::check_dots_empty()
  arguments <- as.list(environment())
  if (inherits(x, "mxmodel")) {
    return(engine_call("network", x))
  }
  names(arguments)[names(arguments) == "x"] <- "name_or_path"
  engine_call("mxnetwork", arguments = arguments, listener = listener())
}

#' @rdname mxnetwork
#' @param net A network.
#' @export
mxlayers <- function(net) {
  engine_call("layers", arguments = list(object = as_network(net)))
}

#' @rdname mxnetwork
#' @param layer The name of a layer: see `mxlayers()`.
#' @export
mxcut <- function(net, layer) {
  edit("cut", environment())
}

#' @rdname mxnetwork
#' @param units How many outputs the new last layer has.
#' @param name Of the new layer.
#' @param stages Should the new layer see the average and maximum of every stage, not only the last features?
#'   Default: `r default_of("Network.replace_head", "stages")`.
#' @export
mxreplace_head <- function(net, units, seed, name, stages) {
  edit("replace_head", environment())
}

#' @rdname mxnetwork
#' @param what Layers: a name, a pattern such as `"block1*"`, several of these, or a number: the first so
#'   many layers with parameters, or with a minus sign all but the last so many.
#' @export
mxfreeze <- function(net, what) {
  edit("freeze", environment())
}

#' @rdname mxnetwork
#' @export
mxunfreeze <- function(net, what) {
  edit("unfreeze", environment())
}

#' @rdname mxnetwork
#' @param after The layer behind which the new one is put.
#' @param operator An operator of MXNet, such as `"Dropout"`.
#' @export
mxinsert <- function(net, after, operator, name, seed, ...) {
  edit("insert", environment(), ...)
}

#' @rdname mxnetwork
#' @export
mxremove <- function(net, layer) {
  edit("remove", environment())
}

#' @rdname mxnetwork
#' @export
mxrename <- function(net, layer, name) {
  edit("rename", environment())
}

#' @param frame The environment of the verb that was called: its arguments, the network among them.
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

# ---- an object of R that holds the network ----

new_mxnetwork <- function(object) {
  facts <- describe("network_facts", object)
  live <- live(object)
  structure(c(facts, list(bytes = lazy_bytes("network_bytes", live), live = live)), class = "mxnetwork")
}

#' @export
print.mxnetwork <- function(x, ...) {
  print_handle(x)
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
