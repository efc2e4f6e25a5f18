# Loading starts no Python. An environment made by install_mxtune() is found when the engine is first needed.

.onLoad <- function(libname, pkgname) {
  register_for_python(parent.env(environment()))
  offer_engine_in_time()
}

.onUnload <- function(libpath) {
  library.dynam.unload("mxtune", libpath)
}
