# A cache of its own for a test. Sys.setenv() does not reach a Python that runs.
local_cache <- function(env = parent.frame()) {
  environ <- reticulate::import("os", convert = FALSE)$environ
  names <- c("MXTUNE_CACHE", "MXTUNE_CACHE_GB")
  before <- lapply(rlang::set_names(names), function(name) reticulate::py_to_r(environ$get(name, "")))
  folder <- withr::local_tempdir(.local_envir = env)
  environ$update(MXTUNE_CACHE = folder, MXTUNE_CACHE_GB = "1")
  withr::defer(do.call(environ$update, before), envir = env)
  folder
}
