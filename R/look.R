#' Look through images, and mend labels
#'
#' `mxlook()` shows images on a page of this machine: how many each class has, which files can't be read, copies and
#' near-copies, and, with a model, labels that are probably wrong, the most suspect first. A key keeps an image as it
#' is, gives it another class, drops it, or takes that back; where images have several labels, a key sets or clears one.
#' R waits until the page is left by its button, or for Ctrl-C
#' (Esc in RStudio); nothing is lost by either.
#'
#' Each decision is written at once to a table, `file, label, decision, was`, which [mximages()] and [mxtrain()] take:
#' labels as they are now, without the images that were dropped. Several labels have a column with `TRUE` and `FALSE`
#' each, which [mximages()] takes by `label = c("cat", "dog")`. Files stay as they are, unless `move` is set. Called
#' again, it goes on where it was left; what the table says of other images stays.
#'
#' Nobody but this machine can reach the page, and there only who has its address, which has a random part. It loads
#' nothing from elsewhere.
#'
#' @param x A folder, a table, or what else [mximages()] takes, with one class for each image, with several labels, or
#'   without any; or a set of `mximages()`, whose groups and parts are kept in the table. Images that can't be read are
#'   shown by name.
#' @param model A model or its file, as in [mxsuspects()]; `NULL` for none.
#' @param decisions The table, a `.csv` file. `NULL` is `photos-decisions.csv` for a folder `photos`, in the working
#'   directory.
#' @param move `TRUE`: when the page is left by its button, files of a folder of class folders are moved as was decided:
#'   to the folder of their class, or to `photos-dropped` beside it. None is deleted, and none replaces another.
#' @param port Of the page; 0 is any free one.
#' @param show Whether to open the page, in the viewer of RStudio or in a browser; `NULL` where R is interactive. A
#'   function is called with the address. The address is told anyway.
#' @param ... Must be empty.
#' @return A data frame, invisibly: `file` (the path), `label` (or a logical column for each of several), `decision`
#'   (keep, relabel, drop, or empty) and `was`, the label before a change; `group` and `split` where the images have
#'   them.
#' @export
#' @examplesIf mxtune:::has_engine() && interactive()
#' decisions <- mxlook(mxexample("fashion"), decisions = tempfile(fileext = ".csv"))
#' mximages(decisions)
mxlook <- function(x, model = NULL, decisions = NULL, move = FALSE, port = 0, show = NULL, ...) {
  refuse_unknown(...)
  require_given()
  if (rlang::is_formula(x)) {
    abort_mxtune(
      "`x` can't be a formula.",
      hint = "Give the set of images: mxlook(mximages(label ~ path, data = photos))."
    )
  }
  if (isTRUE(show %||% rlang::is_interactive())) {
    show <- getOption("viewer", utils::browseURL)
  }
  if (inherits(model, "mxmodel")) {
    model <- as_model(model)
  }
  arguments <- list(
    x = prepare_source(x)$x, model = model, decisions = decisions, move = move, port = port, show = show %||% FALSE
  )
  invisible(engine_call("mxlook", arguments = arguments, listener = listener()))
}
