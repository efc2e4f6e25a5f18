#' Pretrained networks
#'
#' Returns a data frame of the networks that [mxnetwork()] and [mxtrain()] know by name, those with weights here and now
#' first: `available` (`"installed"`; `"cached"`: downloaded before; `"hub"`: downloaded by the name in `source`; or
#' `"file of weights"`: with a file of yours), `top1` (accuracy on ImageNet, in
#' percent, that `top1_source` states), `parameters`, `macs` (multiply-accumulates per image), `input_size` (pixels),
#' `seconds` (for 1,000 images on this machine, once that was measured), `licence` and `source` of the weights. It
#' prints within 80 columns.
#'
#' @param measure `TRUE` measures the networks with weights here, a few seconds each; names measure these. The result is
#'   kept in the cache, for this machine and version of the engine.
#' @param ... Must be empty.
#' @export
#' @examplesIf mxtune:::has_engine()
#' zoo <- mxzoo()
#' zoo[zoo$available == "installed", ]
mxzoo <- function(measure = FALSE, ...) {
  refuse_unknown(...)
  table <- engine_call("mxzoo", arguments = list(measure = measure), listener = listener())
  structure(table, class = c("mxzoo", class(table)))
}

#' Python writes it; a part of the table with other columns prints as any data frame.
#' @export
#' @noRd
print.mxzoo <- function(x, ...) {
  plain <- structure(x, class = setdiff(class(x), "mxzoo"))
  whole <- c("name", "available", "top1", "parameters", "macs", "input_size", "seconds", "licence")
  if (!all(whole %in% names(x)) || !has_engine()) {
    print(plain, ...)
  } else {
    cat(engine_call("zoo_text", arguments = list(table = as.data.frame(plain)[whole])), sep = "\n")
  }
  invisible(x)
}
