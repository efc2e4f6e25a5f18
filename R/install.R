#' Install the engine
#'
#' Creates a Python environment with the versions that this package was tested with, and returns its Python's
#' path, invisibly. Nothing else on the machine is changed. Restart R afterwards.
#' @param envname The environment's name, or a path. `"r-mxtune"` is found automatically; point
#'   `RETICULATE_PYTHON` to any other.
#' @param python The Python to create it from, 3.9 to 3.14. `NULL` finds one.
#' @param gpu Install the build of MXNet for NVIDIA GPUs? `NA` checks for a GPU that it supports (compute
#'   capability 5.0 to 8.9).
#' @param fresh Remove an existing environment of this name first?
#' @export
#' @examples
#' \dontrun{
#' install_mxtune()
#' }
install_mxtune <- function(envname = "r-mxtune", python = NULL, gpu = NA, fresh = FALSE) {
  if (is.na(gpu)) {
    gpu <- has_usable_gpu()
    rlang::inform(c(i = if (gpu) {
      "Found a GPU that MXNet can use: installing the GPU build. gpu = FALSE installs the CPU build."
    } else {
      "Found no GPU that MXNet can use: installing the CPU build. gpu = TRUE installs the GPU build."
    }))
  }
  if (fresh) {
    remove_environment(envname)
  }
  tryCatch(
    make_environment(envname, python %||% starting_python(), gpu),
    error = function(error) {
      abort_mxtune(
        "The engine could not be installed.",
        hint = paste(
          "It needs Python 3.9 to 3.14 with venv (on Debian and Ubuntu: apt install python3-venv) and access to a",
          "package index. Specify a different Python with python = \"/path/to/python3\"."
        ),
        class = "mxtune_engine_error", parent = error
      )
    }
  )
  rlang::inform(c(v = paste0("Installed in \"", envname, "\". Restart R; run mxinfo() for details.")))
  invisible(environment_python(envname))
}

#' Does NVIDIA's own tool list a GPU for which MXNet 1.9.1 has machine code?
#' @noRd
has_usable_gpu <- function() {
  tool <- Sys.which("nvidia-smi")
  if (!nzchar(tool)) {
    return(FALSE)
  }
  listed <- suppressWarnings(
    system2(tool, c("--query-gpu=compute_cap", "--format=csv,noheader"), stdout = TRUE, stderr = FALSE)
  )
  capability <- suppressWarnings(as.numeric(listed))
  any(capability >= 5 & capability <= 8.9, na.rm = TRUE)
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
