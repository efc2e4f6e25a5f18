#' What is cached, and removing it
#'
#' A data frame of what mxtune has kept on this computer: `kind`, `entries`, `size` (bytes), `used` (the last time) and
#' `folder`. [mxtrain()] keeps `"features"`, the outputs of the frozen network for your images, so that the next
#' training on the same images starts at once, from R or Python; and of `"images"` what was seen when they were checked,
#' and, where layers are trained on more than fit in 512 MB, images, decoded and as small as the network takes them;
#' `mxtrain(cache = FALSE)` keeps nothing. [mxzoo()] keeps each measured `"speed"`.
#'
#' The folder is the environment variable `MXTUNE_CACHE`, or `mxtune` in your cache folder, and only you can read it.
#' Features and images take at most 2 GB (`MXTUNE_CACHE_GB`; 0 keeps none), decoded images half of that: those not used
#' for longest are removed. Set these before Python starts.
#'
#' @param clear Remove all of it?
#' @param ... Must be empty.
#' @export
#' @examplesIf mxtune:::has_engine()
#' mxcache()
mxcache <- function(clear = FALSE, ...) {
  refuse_unknown(...)
  engine_call("mxcache", arguments = list(clear = clear))
}
