#' Put a model on the Hugging Face hub
#'
#' `mxpush()` puts `model.mxt` and a model card, `README.md`, into a repository, which is made if there is none:
#' what it predicts, how good it is, what it was trained on, the licence of its weights, and how to load it in R and
#' Python. A card that others have written stays. Both come in one commit, or nothing changes.
#' `mxload("hf:owner/name")` loads it, in both languages.
#'
#' The file holds names, labels and predictions of the images that the model was validated on, but for that of
#' `mxforget(model)`: a repository is made for its owner alone, unless you say otherwise. Log in once, in a terminal:
#' `hf auth login`; or set `HF_TOKEN` before Python starts. Python needs the package huggingface_hub.
#'
#' @section Boards:
#' A model is one file, so a board of the package pins holds it, and Python reads it there, too (`mxtune.pins`):
#'
#' ```r
#' mxsave(model, "clothes.mxt")
#' pins::pin_upload(board, "clothes.mxt", "clothes", metadata = as.list(glance(model)))
#' mxload(pins::pin_download(board, "clothes"))
#' ```
#'
#' vetiver's `vetiver_model()`, `vetiver_pin_write()` and `vetiver_api()` take a model, too. A request to such a service
#' has a row for each image, its bytes as base64 in `image`: no path of the server's is opened.
#'
#' @param model A model made by [mxtrain()] or read by [mxload()].
#' @param repository `"hf:owner/name"`; `"hf:owner/name@branch"` for another branch than main.
#' @param private Whether a repository that is made is for its owner alone. One that is there stays as it is.
#' @param card What the card says that no file can tell, as for [mxreport()]; `licence` is that of the model.
#' @param ... Must be empty.
#' @return The address of the commit, invisibly.
#' @export
#' @examples
#' \dontrun{
#' mxpush(fit, "hf:me/clothes", card = list(licence = "apache-2.0"))
#' }
mxpush <- function(model, repository, private = TRUE, card = NULL, ...) {
  refuse_unknown(...)
  require_given()
  arguments <- list(repository = repository, private = private, card = card)
  invisible(engine_call("push", as_model(model), arguments, listener()))
}
