# The engine's signatures: defaults are written in Python alone, and the help pages read them there.

#' Arguments of a public function of Python with their defaults as R writes them; "" where there is none.
#' @noRd
signature_of <- function(name) {
  told <- engine_call("signature", arguments = list(name = name))
  rlang::set_names(as.character(unlist(told)), names(told))
}

default_of <- function(name, argument) {
  paste0("`", signature_of(name)[[argument]], "`")
}
