#' @keywords internal
#' @details
#' The work is done by an engine written in Python, in the same process. You need not know Python:
#' [install_mxtune()] installs the engine, [mxinfo()] checks it, [mxtrain()] is where to start.
"_PACKAGE"

#' @useDynLib mxtune, .registration = TRUE
#' @importFrom generics augment glance tidy
#' @importFrom rlang %||% .data
#' @importFrom stats predict
NULL

#' @export
generics::augment

#' @export
generics::glance

#' @export
generics::tidy
