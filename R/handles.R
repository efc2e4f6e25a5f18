# An object of R that holds one of Python's, what printing needs, and what brings it back in a new session.

handle_classes <- c(Model = "mxmodel", ImageSet = "mximages", Network = "mxnetwork")

is_handle <- function(x) inherits(x, handle_classes)

#' The object of this package for one of Python's. Its facts print it where no Python runs; `live` is shared by all its
#' copies, and below the namespace, so that R loads this package, and its methods, wherever such an object is read.
#' @noRd
new_handle <- function(object, kind = sub("^.*\\.", "", class(object)[1])) {
  if (!kind %in% names(handle_classes)) {
    abort_mxtune(paste0("The engine answered with an object of class ", kind, ", which is unknown to R."))
  }
  x <- engine_call("facts", arguments = list(object = object))
  x$live <- hold(new.env(parent = topenv()), object)
  if (kind != "ImageSet") { # which is made again from its recipe
    x$bytes <- lazy_bytes(x$live) # made when something first looks, as saveRDS() does
  }
  structure(x, class = handle_classes[[kind]])
}

#' Keep Python's object for as long as `live` is used. It stays out of `live` itself: what is sent to another process
#' may hold no pointers (future's option `future.globals.onReference = "error"`).
#' @noRd
hold <- function(live, object) {
  the$held <- the$held + 1L
  live$key <- paste(basename(tempdir()), the$held) # of this session alone
  the$objects[[live$key]] <- object
  reg.finalizer(live, function(live) rm(list = intersect(live$key, names(the$objects)), envir = the$objects))
  live
}

#' Python's object, or `NULL` where the session that made it is gone.
#' @noRd
held_by <- function(live) {
  object <- if (!is.null(live$key)) the$objects[[live$key]]
  if (is_alive(object)) object
}

#' Python's object, made again where the session that made it is gone.
#' @noRd
handle_of <- function(x) {
  if (is.null(x) || is_python(x)) {
    return(x)
  }
  held_by(x$live) %||% held_by(hold(x$live, if (inherits(x, "mximages")) revive_images(x) else revive_bytes(x)))
}

#' An object's bytes, made when something first looks; in a forked process nothing does. A worker of makeForkCluster()
#' sends `live` in their place, with which its parent finds the object: no error could be sent any more.
#' @noRd
lazy_bytes <- function(live) {
  make <- function() {
    if (is_forked()) {
      refuse_in_fork(sys.frame(sys.nframe() - 1L))
    }
    object <- held_by(live)
    if (is.null(object)) {
      abort_forked(forked_words)
    }
    engine_call("to_bytes", arguments = list(object = object))
  }
  .Call(mxtune_lazy_raw, make, function() if (is_forked() && is_running("sendData.SOCKnode")) live)
}

forked_words <- "A model or network can't be saved in a forked process, nor returned from it."

#' Is this function of parallel being called?
#' @noRd
is_running <- function(name) {
  wanted <- asNamespace("parallel")[[name]]
  any(vapply(seq_len(sys.nframe()), function(n) identical(sys.function(n), wanted), NA))
}

#' mclapply() and its kin would tell their user nothing but "fatal error in wrapper code" of a fault that comes while a
#' child sends its value: so the child sends the error, and ends, as it does by parallel's own function.
#' @noRd
refuse_in_fork <- function(call) {
  refusal <- rlang::catch_cnd(abort_forked(forked_words, call))
  if (is_running("sendMaster")) {
    text <- paste0("Error : ", conditionMessage(refusal), "\n")
    asNamespace("parallel")$mcexit(1L, structure(text, class = "try-error", condition = refusal))
  }
  stop(refusal)
}

revive_bytes <- function(x) {
  kind <- names(handle_classes)[handle_classes == class(x)]
  held_by(engine_call("from_bytes", arguments = c(list(data = x$bytes, kind = kind), x$asked))$live)
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

#' An answer that prints itself wherever this package is installed: `home` makes R load it, as a handle's `live` does.
#' @noRd
new_answer <- function(parts, class) {
  structure(c(parts, list(home = topenv())), class = class)
}
