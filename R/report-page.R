#' Report on a model, on one page
#'
#' `mxreport()` writes one HTML file, which needs no network, no script and no other file: how good the model is, in
#' plain words and in figures with their intervals, what not to trust it for, what is confused with what, how sure it
#' is, the images it is most wrong about, how it was made, the licence of its weights, and a model card (Mitchell et
#' al., 2019). The same model and images give the same file.
#'
#' @param model A model.
#' @param path The file's name, ending in `.html`.
#' @param x Images with labels: anything that [mximages()] takes. If the model was trained on most of them, they are
#'   shown beside what it remembers of them; others judge it, as in [mxevaluate()]. `NULL` shows the images of the
#'   session that trained it.
#' @param y Their labels, where `x` has none.
#' @param card What the model card says that no file can tell: a list with any of `intended_use`, `out_of_scope`,
#'   `factors`, `data`, `ethics`, `caveats`, `licence`. What is not given is "not stated".
#' @param open Whether to open the page in a browser; an R that nobody sits at opens none.
#' @param ... Must be empty.
#' @return The path, invisibly.
#' @references Mitchell, M., Wu, S., Zaldivar, A., et al. (2019). Model cards for model reporting. FAT*.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 1, seed = 1)
#' mxreport(fit, tempfile(fileext = ".html"))
mxreport <- function(model, path, x = NULL, y = NULL, card = NULL, open = FALSE, ...) {
  refuse_unknown(...)
  require_given()
  model <- as_model(model)
  images <- if (!is.null(x)) {
    list(x = engine_call("labelled_images", model, c(prepare_source(x, y), list(on_bad = "skip")), listener()))
  } else {
    list(y = y)
  }
  written <- engine_call("report", model, c(list(path = path, card = card), images), listener())
  if (isTRUE(open) && rlang::is_interactive()) {
    utils::browseURL(written)
  }
  invisible(written)
}
