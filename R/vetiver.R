# Methods for generics of packages that this one does without: vetiver, bundle and butcher. They are registered where
# such a package is loaded, before or after this one. Python's side of vetiver is mxtune.vetiver.

methods_for_others <- function() {
  list(
    bundle = list(bundle = bundle_mxmodel),
    butcher = list(
      axe_data = function(x, verbose = FALSE, ...) axed(x, "memory", c("mxnearest()", "plot(kind = \"map\")")),
      axe_fitted = function(x, verbose = FALSE, ...) axed(x, "validation", c("mxsuspects()", "predict(type = \"set\")"))
    ),
    vetiver = list(
      vetiver_create_description = function(model) sub("^<?Model (.*?)>?$", "An mxtune model: \\1", model$text[1]),
      vetiver_create_meta = function(model, metadata) {
        getExportedValue("vetiver", "vetiver_meta")(metadata, required_pkgs = "mxtune")
      },
      vetiver_ptype = function(model, ...) like(data.frame(image = character()), model$history),
      handler_predict = answer_vetiver
    )
  )
}

#' Register methods for models with the packages that have the generics, now or when they are loaded.
#' @noRd
offer_methods <- function(methods = methods_for_others()) {
  for (package in names(methods)) {
    offer_to(package, methods[[package]])
  }
}

offer_to <- function(package, methods) {
  force(methods) # and not when the loop has gone on
  register <- function(...) {
    for (generic in names(methods)) {
      registerS3method(generic, "mxmodel", methods[[generic]], envir = asNamespace(package))
    }
  }
  if (isNamespaceLoaded(package)) {
    register()
  }
  setHook(packageEvent(package, "onLoad"), register)
}

#' A model is whole when it is saved, so a bundle has nothing to do but to hold it.
#' @noRd
bundle_mxmodel <- function(x, ...) {
  situate <- getExportedValue("bundle", "situate_constr")(function(object) object)
  getExportedValue("bundle", "bundle_constr")(object = x, situate = situate, desc_class = "mxmodel")
}

#' A model without a part of what it remembers, and what it can't do any more, as butcher tells it; the model itself
#' where it remembers none. Both have made their bytes then, whose sizes butcher compares.
#' @noRd
axed <- function(x, what, disabled) {
  smaller <- mxforget(x, what)
  if (length(smaller$bytes) == length(x$bytes)) {
    return(x)
  }
  structure(smaller, butcher_disabled = union(attr(x, "butcher_disabled"), disabled))
}

#' Answers requests with a row for each image, its bytes as base64 in `image`: no path of the server's is opened.
#' @noRd
answer_vetiver <- function(vetiver_model, ...) {
  force(vetiver_model)
  function(req) {
    frame <- getExportedValue("vetiver", "vetiver_type_convert")(req$body, vetiver_model$prototype)
    model <- vetiver_model$model
    type <- if (model$task == "regression") "class" else "prob"
    drop_file(predict(model, lapply(as.list(frame$image), decoded), type = type))
  }
}

#' The bytes of an image; none where the text is no base64, which is no image either. Browsers put
#' `data:image/png;base64,` before it.
#' @noRd
decoded <- function(text) {
  tryCatch(jsonlite::base64_dec(sub("^\\s*data:[^,]*;base64,", "", text)), error = function(error) raw())
}
