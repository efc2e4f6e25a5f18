# Loading starts no Python. An environment made by install_mxtune() is found when the engine is first needed.

.onLoad <- function(libname, pkgname) {
  register_for_python(parent.env(environment()))
  offer_engine_in_time()
  offer_methods()
  # CRAN's policy: what R CMD check runs, examples and vignettes too, writes to the session's folder alone
  if (nzchar(Sys.getenv("_R_CHECK_PACKAGE_NAME_")) && !nzchar(Sys.getenv("MXTUNE_CACHE"))) {
    Sys.setenv(MXTUNE_CACHE = file.path(tempdir(), "mxtune"))
  }
}

.onUnload <- function(libpath) {
  library.dynam.unload("mxtune", libpath)
}
