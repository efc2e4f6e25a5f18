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
#' | `mxinsert_after()` (or `mxinsert()`), `mxinsert_before()` | the network with additional layers |
#' | `mxreplace()` | the network with other layers in the place of some |
#' | `mxremove()` | the network without some layers |
#' | `mxrename()` | the network with a layer renamed |
#' | `mxattach()` | the network with one more output, which `predict(fit, newdata, type = "<layer>")` gives |
#' | `mxwith_channels()`, `mxwith_image_size()` | the network for other images, with its weights |
#' | `plot()` | a picture: boxes in columns, one for each resolution |
#' | `predict()` | the classes of images, by a network with labels; see [predict.mxmodel()] |
#' | `mxdiff()` | one row for each difference between two networks: layer, change, before, after |
#' | `mxfreeze()`, `mxunfreeze()` | the network with layers excluded from training, or included again |
#'
#' @param x A name in [mxzoo()], or a file: `.mxt`, `.keras` or `.h5` of Keras, `.onnx` of any framework, `-symbol.json`
#'   of MXNet next to its `.params`, or `.prototxt` of Caffe next to its `.caffemodel`; a normalisation that a file
#'   of Keras or ONNX begins with becomes `preprocess`. Weights alone (`.pth`, `.safetensors`, `.h5`) lead to the
#'   network of torchvision, timm, keras.applications or [mxzoo()] whose names and shapes it has, with timm's
#'   `config.json` beside them also to its preprocessing. The `.json` of a network of Keras
#'   (`model.to_json()`) needs its `weights`. `"hf:timm/resnet18.a1_in1k"` is a repository of timm on the
#'   Hugging Face hub, which `"@revision"` may follow: downloaded once, then opened without a network (Python package
#'   `huggingface_hub`).
#' @param weights A file of weights: MXNet, PyTorch, Caffe, NumPy or safetensors; or the arrays themselves: a named
#'   list, or an unnamed one in the order of Theano's and Lasagne's programs, whose kernels are turned. `NULL` takes the
#'   network's own, `"random"` initial values.
#' @param classes The number of classes of the last layer. `NULL` keeps the network's own.
#' @param image_size Height and width in pixels: one number or two. `NULL` keeps the network's own.
#' @param seed A whole number: governs the initial values of weights that have none.
#' @param channels 3 for colour, 1 for grey, or 4: arrays of four channels, and images with their transparency (RGBA).
#'   `NULL` keeps the network's own.
#' @param preprocess How an image becomes the network's input: a list such
#'   as `list(size = c(28, 28), channels = 1, mean = 0, std = 255, fit = "stretch")`. What is not named stays the
#'   network's own; if a file does not specify it, that of ImageNet.
#' @param limit How many times as much memory and work for one image the network may need as is usual; networks of
#'   [mxzoo()] need half or less.
#' @param ... For `mxinsert_after()`, `mxinsert_before()`, `mxreplace()`: the operator's arguments, as MXNet names them.
#'   Otherwise not used.
#' @return An object of class `mxnetwork`; its `$classifier` is the name of the last layer, its `$stages` are those of
#'   the last layer of each resolution, its `$outputs` those of the layers that give its outputs, its
#'   `$levels` the classes that they stand for, or `NULL`.
#' @export
#' @examplesIf mxtune:::has_engine()
#' net <- mxnetwork("lenet")
#' mxlayers(net)
#' mxnetwork("lenet") |>
#'   mxreplace_head(units = 3) |>
#'   mxfreeze("conv*") |>
#'   mxlayers()
#'
#' # ReLU instead of tanh, and Dropout before the last layer
#' other <- net |>
#'   mxreplace("tanh", "relu") |>
#'   mxinsert_before(net$classifier, "Dropout", p = 0.3)
#' mxdiff(net, other)
#' plot(other)
mxnetwork <- function(x, weights = NULL, classes = NULL, image_size = NULL, seed = 0, channels = NULL,
                      preprocess = NULL, limit = 1, ...) {
  refuse_unknown(...)
  require_given(x = "A name in mxzoo(), or a file.")
  x <- as_handle(x)
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
  require_given()
  engine_call("layers", as_network(net))
}

#' @rdname mxnetwork
#' @param layer The name of a layer: see `mxlayers()`. For `mxremove()` and `mxattach()` also several, as for
#'   `what`.
#' @export
mxcut <- function(net, layer, ...) {
  refuse_unknown(...)
  require_given()
  edit("cut", environment())
}

#' @rdname mxnetwork
#' @param units The number of outputs of the new last layer.
#' @param name The new layer's name. `NULL` chooses one.
#' @param stages Should the new layer see the average and maximum of every resolution stage, not only the last features?
#' @export
mxreplace_head <- function(net, units, seed = 0, name = "head", stages = FALSE, ...) {
  refuse_unknown(...)
  require_given()
  edit("replace_head", environment())
}

#' @rdname mxnetwork
#' @param what Layers: a name, a pattern such as `"block1*"`, an operator or kind of layer such as `"batch_norm"`, or
#'   several of these; for `mxfreeze()` and `mxunfreeze()` also a number `n`: the first `n` layers with parameters,
#'   `-n` for all but the last `n`.
#' @param stages Stages of the network by number: 1 for the finest resolution, -1 for the coarsest.
#' @export
mxfreeze <- function(net, what = NULL, stages = NULL, ...) {
  refuse_unknown(...)
  require_given()
  edit("freeze", environment())
}

#' @rdname mxnetwork
#' @export
mxunfreeze <- function(net, what = NULL, stages = NULL, ...) {
  refuse_unknown(...)
  require_given()
  edit("unfreeze", environment())
}

#' @rdname mxnetwork
#' @param after,before The layer after or before which the new one is inserted; or several, as for `what`.
#' @param operator An operator of MXNet, such as `"Dropout"`; or a kind of layer: `"relu"`, `"silu"`, `"hard_swish"`,
#'   `"gelu"`, `"max_pool"`, `"avg_pool"`, `"batch_norm"` and the like.
#' @export
mxinsert_after <- function(net, after, operator, name = NULL, seed = 0, ...) {
  require_given()
  edit("insert_after", environment(), ...)
}

#' @rdname mxnetwork
#' @export
mxinsert <- function(net, after, operator, name = NULL, seed = 0, ...) {
  require_given()
  edit("insert_after", environment(), ...)
}

#' @rdname mxnetwork
#' @export
mxinsert_before <- function(net, before, operator, name = NULL, seed = 0, ...) {
  require_given()
  edit("insert_before", environment(), ...)
}

#' @rdname mxnetwork
#' @export
mxreplace <- function(net, what, operator, seed = 0, ...) {
  require_given()
  edit("replace", environment(), ...)
}

#' @rdname mxnetwork
#' @export
mxremove <- function(net, layer, ...) {
  refuse_unknown(...)
  require_given()
  edit("remove", environment())
}

#' @rdname mxnetwork
#' @export
mxrename <- function(net, layer, name, ...) {
  refuse_unknown(...)
  require_given()
  edit("rename", environment())
}

#' @rdname mxnetwork
#' @export
mxwith_channels <- function(net, channels, ...) {
  refuse_unknown(...)
  edit("with_channels", environment())
}

#' @rdname mxnetwork
#' @export
mxwith_image_size <- function(net, image_size, ...) {
  refuse_unknown(...)
  edit("with_image_size", environment())
}

#' @rdname mxnetwork
#' @export
mxattach <- function(net, layer, ...) {
  refuse_unknown(...)
  edit("attach", environment())
}

#' @rdname mxnetwork
#' @param other Another network.
#' @export
mxdiff <- function(net, other, ...) {
  refuse_unknown(...)
  engine_call("diff", as_network(net), list(other = as_network(other)))
}

#' @param frame The environment of the verb: its arguments, the network among them.
#' @noRd
edit <- function(verb, frame, ...) {
  arguments <- c(as.list(frame), rlang::list2(...))
  net <- as_network(arguments$net)
  engine_call(verb, net, arguments[names(arguments) != "net"])
}

as_network <- function(net) {
  net <- as_handle(net)
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

#' @rdname mxnetwork
#' @param path A file for the picture, which ends in `.svg`. `NULL` shows it: in the viewer, a browser, or a document of
#'   R Markdown or Quarto.
#' @export
plot.mxnetwork <- function(x, path = NULL, ...) {
  refuse_unknown(...)
  svg <- engine_call("plot", x, list(path = path))
  drawing <- structure(list(svg = svg, text = x$text[1]), class = "mxdrawing")
  if (is.null(path)) drawing else invisible(drawing)
}

#' @export
format.mxdrawing <- function(x, ...) {
  paste0("A drawing of ", x$text, "; plot(net, path = \"net.svg\") writes it.")
}

#' @export
print.mxdrawing <- function(x, ...) {
  if (interactive()) {
    page <- file.path(tempdir(), "mxnetwork.html")
    writeLines(c("<!DOCTYPE html><meta charset=\"utf-8\">", x$svg), page, useBytes = TRUE)
    show <- getOption("viewer") %||% utils::browseURL
    show(page)
  } else {
    cat(format(x), "\n", sep = "")
  }
  invisible(x)
}

#' A drawing in a document: the picture itself in HTML, words in others.
#' @exportS3Method knitr::knit_print
#' @noRd
knit_print.mxdrawing <- function(x, ...) { # nolint: object_name_linter
  if (!knitr::is_html_output()) {
    return(knitr::normal_print(x))
  }
  page <- c("```{=html}", "<div style=\"overflow-x: auto\">", x$svg, "</div>", "```")
  knitr::asis_output(paste0("\n", paste(page, collapse = "\n"), "\n"))
}
