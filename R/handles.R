# An object of R holds one of Python's, what printing needs, and what brings it back in a new session.

is_handle <- function(x) inherits(x, c("mxmodel", "mximages", "mxnetwork"))

#' The object of this package for one of Python's.
#' @noRd
new_handle <- function(object, kind = sub("^.*\\.", "", class(object)[1])) {
  switch(kind,
    Model = new_mxmodel(object),
    ImageSet = new_mximages(object),
    Network = new_mxnetwork(object),
    abort_mxtune(paste0("The engine answered with an object of class ", kind, ", which is unknown to R."))
  )
}

#' Python's description of its object, with R's name for it.
#' @noRd
print_handle <- function(x) {
  x$text[1] <- sub("^<?(Model|ImageSet|Network)", class(x)[1], x$text[1])
  x$text[1] <- sub(">$", "", x$text[1])
  cat(strwrap(x$text[1], exdent = 2), x$text[-1], sep = "\n")
  invisible(x)
}

#' What is shared by all copies of one object of R.
#' @noRd
live <- function(object) {
  live <- new.env(parent = emptyenv())
  live$object <- object
  live
}

#' Facts of Python's object that R keeps: printing a saved model starts no Python.
#' @noRd
describe <- function(verb, object) {
  engine_call(verb, arguments = list(object = object))
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
  verb <- if (inherits(x, "mxmodel")) "model_from_bytes" else "network_from_bytes"
  engine_call(verb, arguments = list(data = x$bytes))$live$object
}

#' The object's bytes, made when something first looks: saveRDS() and save.image() do.
#' @noRd
lazy_bytes <- function(verb, live) {
  make <- function() engine_call(verb, arguments = list(object = live$object))
  .Call(mxtune_lazy_raw, make)
}
