#' Pretrained networks
#'
#' Returns a data frame of the networks that [mxnetwork()] and [mxtrain()] know by name: parameters,
#' multiply-accumulates per image, input size, source and licence of the weights, and whether the weights are
#' available offline now.
#' @export
#' @examplesIf mxtune:::has_engine()
#' mxzoo()
mxzoo <- function() {
  engine_call("mxzoo")
}
