# Loading starts no Python. An environment made by install_mxtune() is found when the engine is first needed.

.onUnload <- function(libpath) {
  library.dynam.unload("mxtune", libpath)
}
