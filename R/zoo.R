#' Pretrained networks
#'
#' Returns a data frame of the networks that [mxnetwork()] and [mxtrain()] know by name: parameters,
#' multiplications, input size, source and licence of the weights, and whether it can be had offline now.
#' @export
#' @examplesIf mxtune:::has_engine()
#' mxzoo()
mxzoo <- function() {
  engine_call("mxzoo")
}
