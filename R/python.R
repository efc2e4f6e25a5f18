# Which Python: the user's wish first, then the one install_mxtune() made, then one made on the spot (by
# reticulate 1.41 and later). A Python that hosts this R can't be changed, and is used.

environment_name <- "r-mxtune"

configure_python <- function() {
  if (hosted_by_python() || wished_python()) {
    return(invisible())
  }
  if (has_environment()) {
    use_environment()
  } else if (can_require()) {
    require_python()
  }
  invisible()
}

#' Python runs in this process already, and reticulate did not start it.
#' @noRd
hosted_by_python <- function() {
  isTRUE(.Call(mxtune_python_runs))
}

#' Has the user said which Python to use?
#' @noRd
wished_python <- function() {
  any(nzchar(Sys.getenv(c("RETICULATE_PYTHON", "RETICULATE_PYTHON_ENV", "VIRTUAL_ENV"))))
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
  found <- c(Sys.which(c("python3", paste0("python3.", c(11, 12, 13, 14, 10, 9)))), "/usr/bin/python3")
  Find(fits, unique(found[file.exists(found)]))
}

#' What the engine needs, as pip reads it.
#' @noRd
requirements <- function() {
  lines <- readLines(requirements_file())
  lines[!startsWith(lines, "#")]
}

requirements_file <- function() {
  system.file("requirements.txt", package = "mxtune", mustWork = TRUE)
}

#' CUDA 11 as packages, for the build of MXNet that uses GPUs.
#' @noRd
cuda_requirements <- function() {
  paste0(
    "nvidia-",
    c(
      "cublas-cu11>=11.11", "cuda-nvrtc-cu11>=11.8", "cuda-runtime-cu11>=11.8", "cudnn-cu11>=8.9,<9",
      "cufft-cu11>=10.9", "curand-cu11>=10.3", "cusolver-cu11>=11.4", "cusparse-cu11>=11.7",
      "nccl-cu11>=2.16", "nvtx-cu11>=11.8"
    )
  )
}
