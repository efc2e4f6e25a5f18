# Objects on reticulate's own ways, as chunks of R and Python in one document exchange them: `py$model` in R is Python's
# object, and every verb takes it; `r.fit` in Python is the object behind this package's.

#' @exportS3Method reticulate::r_to_py
r_to_py.mxmodel <- function(x, convert = FALSE) { # nolint: object_name_linter
  handle_of(x)
}

#' @exportS3Method reticulate::r_to_py
r_to_py.mximages <- r_to_py.mxmodel # nolint: object_name_linter

#' @exportS3Method reticulate::r_to_py
r_to_py.mxnetwork <- r_to_py.mxmodel # nolint: object_name_linter

#' This package's object for one that reticulate carries; anything else as it is.
#' @noRd
as_handle <- function(x) {
  if (is_python(x) && inherits(x, paste0("mxtune.", names(handle_classes)))) new_handle(x) else x
}

#' The methods of this package for Python's classes, too; Python prints, counts and indexes its objects itself.
#' @noRd
register_for_python <- function(namespace = topenv()) {
  methods <- getNamespaceInfo(namespace, "S3methods")
  python_classes <- rlang::set_names(paste0("mxtune.", names(handle_classes)), handle_classes)
  ours <- methods[, 2] %in% handle_classes & !methods[, 1] %in% c("print", "length", "[")
  for (i in which(ours & is.na(methods[, 4]))) {
    method <- for_python(get(methods[i, 3], namespace))
    registerS3method(methods[i, 1], python_classes[[methods[i, 2]]], method, envir = namespace)
  }
}

#' A method that first takes this package's object for Python's.
#' @noRd
for_python <- function(method) {
  first <- as.name(names(formals(method))[1])
  body(method) <- call("{", call("<-", first, call("as_handle", first)), body(method))
  method
}

#' Chunks of Python may import mxtune where their Python has none of its own: now, or when Python starts. A Python that
#' hosts this R has it, and no object of it may be held here before repair_hosted().
#' @noRd
offer_engine_in_time <- function() {
  if (!reticulate::py_available()) {
    if (!hosted_by_python()) setHook("reticulate.onPyInit", function() offer_engine())
  } else if (!identical(reticulate::py_config()$forced, "the current process")) {
    offer_engine()
  }
}

offer_engine <- function() {
  path <- reticulate::import("sys", convert = FALSE)$path
  reticulate::py_call(reticulate::py_get_attr(path, "append"), engine_folder())
}
