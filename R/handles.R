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
    x$bytes <- .Call(mxtune_lazy_raw, bytes_maker(x$live)) # made when something first looks, as saveRDS() does
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

#' What makes an object's bytes; in a forked process nothing does.
#' @noRd
bytes_maker <- function(live) {
  force(live)
  function() {
    if (is_forked()) {
      refuse_in_fork(sys.frame(sys.nframe() - 1L))
    }
    engine_call("to_bytes", arguments = list(object = held_by(live)))
  }
}

#' mclapply() and its kin would tell their user nothing but "fatal error in wrapper code" of a fault that comes while a
#' child sends its value: so the child sends the error, and ends, as it does by parallel's own function.
#' @noRd
refuse_in_fork <- function(call) {
  message <- "A model or network can't be saved in a forked process, nor returned from it."
  refusal <- rlang::catch_cnd(abort_forked(message, call))
  parallel <- asNamespace("parallel")
  send <- parallel$sendMaster
  if (any(vapply(seq_len(sys.nframe()), function(n) identical(sys.function(n), send), NA))) {
    text <- paste0("Error : ", conditionMessage(refusal), "\n")
    parallel$mcexit(1L, structure(text, class = "try-error", condition = refusal))
  }
  stop(refusal)
}

revive_bytes <- function(x) {
  kind <- names(handle_classes)[handle_classes == class(x)]
  held_by(engine_call("from_bytes", arguments = list(data = x$bytes, kind = kind))$live)
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
