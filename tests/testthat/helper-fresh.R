# A new R session, as a user starts one: `code` is a function, `env` environment variables.
fresh <- function(code, args = list(), env = character()) {
  env <- c(callr::rcmd_safe_env(), TESTTHAT = "", env)
  callr::r(code, args = args, env = env, libpath = .libPaths())
}

# What a new session writes to the console, its messages among it.
fresh_output <- function(code, args = list(), env = character()) {
  out <- withr::local_tempfile(lines = character())
  env <- c(callr::rcmd_safe_env(), TESTTHAT = "", env)
  callr::r(code, args = args, env = env, libpath = .libPaths(), stdout = out, stderr = "2>&1")
  readLines(out, encoding = "UTF-8")
}

# The very Python that R uses, as a program of its own.
run_python <- function(lines, env = character()) {
  script <- withr::local_tempfile(lines = lines, fileext = ".py")
  path <- paste0("PYTHONPATH=", engine_folder())
  python <- reticulate::py_config()$python
  out <- suppressWarnings(system2(python, script, stdout = TRUE, stderr = TRUE, env = c(path, env)))
  if (!is.null(attr(out, "status"))) {
    stop(paste(out, collapse = "\n"))
  }
  out
}
