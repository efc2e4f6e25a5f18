#' Example images
#'
#' Returns the path of a folder of class folders with images that come with the package; without a name,
#' the available names. It needs no Python.
#' @param name `"fashion"`: 400 greyscale images of 28 x 28 pixels, 40 in each of 10 classes of clothes and
#'   shoes, from Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017; MIT licence, included).
#' @export
#' @examples
#' list.files(mxexample("fashion"))
mxexample <- function(name = NULL) {
  folder <- system.file("extdata", package = "mxtune")
  names <- list.dirs(folder, full.names = FALSE, recursive = FALSE)
  if (is.null(name)) {
    return(sort(names, method = "radix"))
  }
  if (!rlang::is_string(name) || !name %in% names) {
    abort_mxtune(
      paste0("No example images are called \"", paste(name, collapse = " "), "\"."),
      hint = paste0("There are: ", paste(names, collapse = ", "), ".")
    )
  }
  file.path(folder, name)
}
