# An object of R that holds one of Python's, what printing needs, and what brings it back in a new session.

handle_classes <- c(Model = "mxmodel", ImageSet = "mximages", Network = "mxnetwork")

is_handle <- function(x) inherits(x, handle_classes)

#' The object of this package for one of Python's. Its facts print it where no Python runs; `live` is shared by all its
#' copies.
#' @noRd
new_handle <- function(object, kind = sub("^.*\\.", "", class(object)[1])) {
  if (!kind %in% names(handle_classes)) {
    abort_mxtune(paste0("The engine answered with an object of class ", kind, ", which is unknown to R."))
  }
  x <- engine_call("facts", arguments = list(object = object))
  live <- new.env(parent = emptyenv())
  live$object <- object
  if (kind != "ImageSet") { # which is made again from its recipe
    make <- function() engine_call("to_bytes", arguments = list(object = live$object))
    x$bytes <- .Call(mxtune_lazy_raw, make) # made when something first looks: saveRDS() and save.image() do
  }
  x$live <- live
  structure(x, class = handle_classes[[kind]])
}

#' Python's object, made again where the session that made it is gone.
#' @noRd
handle_of <- function(x) {
  if (is.null(x) || is_python(x)) {
    return(x)
  }
  if (!is_alive(x$live$object)) {
    x$live$object <- if (inherits(x, "mximages")) revive_images(x) else revive_bytes(x)
  }
  x$live$object
}

revive_bytes <- function(x) {
  kind <- names(handle_classes)[handle_classes == class(x)]
  engine_call("from_bytes", arguments = list(data = x$bytes, kind = kind))$live$object
}

#' Python's description of its object, with R's name for it.
#' @noRd
print_handle <- function(x, ...) {
  first <- sub("^<?(Model|ImageSet|Network)(.*?)>?$", paste0(class(x)[1], "\\2"), x$text[1], perl = TRUE)
  cat(strwrap(first, exdent = 2), x$text[-1], sep = "\n")
  invisible(x)
}

#' @export
print.mxmodel <- print_handle

#' @export
print.mximages <- print_handle

#' @export
print.mxnetwork <- print_handle
