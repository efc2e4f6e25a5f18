# Tests leave the user's cache alone, and compute everything unless they ask for a cache.
withr::local_envvar(
  MXTUNE_CACHE = withr::local_tempdir(.local_envir = teardown_env()), MXTUNE_CACHE_GB = "0",
  .local_envir = teardown_env()
)
