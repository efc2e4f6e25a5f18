# Which Python: the user's choice first, then the environment that install_mxtune() made, then one made on the spot (by
# reticulate 1.41 and later). A Python that hosts this R can't be changed, and is used.

environment_name <- "r-mxtune"

configure_python <- function() {
  if (hosted_by_python() || chosen_python()) {
    return(invisible())
  }
  if (isTRUE(tryCatch(reticulate::virtualenv_exists(environment_name), error = function(e) FALSE))) {
    reticulate::use_virtualenv(environment_name, required = FALSE)
  } else if ("py_require" %in% getNamespaceExports("reticulate")) {
    require_python <- getExportedValue("reticulate", "py_require")
    require_python(requirements(), python_version = ">=3.9,<3.13")
  }
  invisible()
}

#' Has the user chosen a Python?
#' @noRd
chosen_python <- function() {
  any(nzchar(Sys.getenv(c("RETICULATE_PYTHON", "RETICULATE_PYTHON_ENV", "VIRTUAL_ENV"))))
}

#' @param only Remove engines that are not named?
#' @noRd
make_environment <- function(envname, python, gpu, engines, only) {
  if (!reticulate::virtualenv_exists(envname)) {
    start_environment(envname, python)
  } else {
    remove_engines(envname, c(if (!gpu) "mxnet-cu117", if (only) setdiff(c("mxnet", "torch"), engines)))
  }
  from_file <- tempfile(fileext = ".txt") # reticulate loses the quotes within a requirement
  writeLines(common_requirements(), from_file)
  on.exit(unlink(from_file))
  reticulate::virtualenv_install(envname, packages = "numpy", pip_options = paste("-r", shQuote(from_file)))
  if ("torch" %in% engines) {
    writeLines(torch_requirement(), from_file)
    reticulate::virtualenv_install(envname, packages = "torch", pip_options = paste("-c", shQuote(from_file)))
  }
  if (!"mxnet" %in% engines) {
    return(invisible())
  }
  reticulate::virtualenv_install(envname, packages = "mxnet==1.9.1", pip_options = "--no-deps")
  if (gpu) {
    # that build unpacks into the same folder as the other, so it comes last and alone
    reticulate::virtualenv_install(envname, packages = cuda_requirements())
    reticulate::virtualenv_install(
      envname,
      packages = "mxnet-cu117==1.9.1", ignore_installed = TRUE, pip_options = "--no-deps"
    )
  }
}

#' Both builds of MXNet live in one folder: the other can't be installed over it, nor stay alone.
#' @noRd
remove_engines <- function(envname, packages) {
  there <- intersect(c("mxnet", "mxnet-cu117", "torch"), reticulate::py_list_packages(envname)$package)
  if ("mxnet-cu117" %in% there && any(c("mxnet", "mxnet-cu117") %in% packages)) {
    packages <- c(packages, "mxnet", "mxnet-cu117")
  }
  packages <- intersect(packages, there)
  if (length(packages)) {
    reticulate::virtualenv_remove(envname, packages = packages, confirm = FALSE)
  }
}

#' By Python's own venv: some versions of reticulate ask for a pip of the system that nothing else needs.
#' @noRd
start_environment <- function(envname, python) {
  if (is.null(python)) {
    return(reticulate::virtualenv_create(envname, packages = NULL))
  }
  folder <- if (grepl("[/\\\\]", envname)) envname else file.path(reticulate::virtualenv_root(), envname)
  arguments <- c("-m", "venv", shQuote(path.expand(folder)))
  output <- suppressWarnings(system2(python, arguments, stdout = TRUE, stderr = TRUE))
  if (!is.null(attr(output, "status"))) {
    stop(python, " -m venv: ", paste(output, collapse = "\n"), call. = FALSE)
  }
}

remove_environment <- function(envname) {
  reticulate::virtualenv_remove(envname, confirm = FALSE)
}

environment_python <- function(envname) {
  reticulate::virtualenv_python(envname)
}

#' The first Python on the path that can make an environment for R: its version fits, R can load its library, and
#' its pip works from here (within R a Python may find libraries of R's and no `ssl`). `NULL` leaves it to reticulate.
#' @noRd
starting_python <- function() {
  code <- "
import ensurepip, ssl, sys, sysconfig, venv
shared = sysconfig.get_config_var('Py_ENABLE_SHARED') or sysconfig.get_config_var('PYTHONFRAMEWORK')
sys.exit(not ((3, 9) <= sys.version_info[:2] <= (3, 14) and shared))"
  fits <- function(python) {
    suppressWarnings(system2(python, c("-c", shQuote(code)), stdout = FALSE, stderr = FALSE)) == 0
  }
  candidates <- c(Sys.which(c("python3", paste0("python3.", c(11, 12, 13, 14, 10, 9)))), "/usr/bin/python3")
  Find(fits, unique(candidates[file.exists(candidates)]))
}
