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
#' @param engine What computes: `"mxnet"`, `"torch"` (PyTorch), or both, `c("mxnet", "torch")`: the environment has what
#'   is named and not the other. `"auto"`: MXNet where it exists, which is neither on Windows nor on Macs with Apple
#'   silicon; PyTorch there, and beside MXNet where there is an NVIDIA GPU that only PyTorch supports.
#' @export
#' @examples
#' \dontrun{
#' install_mxtune()
#' install_mxtune(engine = "torch") # without MXNet
#' }
install_mxtune <- function(envname = "r-mxtune", python = NULL, gpu = NA, fresh = FALSE, engine = "auto") {
  engines <- engines_to_install(engine)
  if (is.na(gpu)) {
    gpu <- "mxnet" %in% engines && any(supported_by_mxnet(gpu_capabilities()))
    rlang::inform(c(i = what_is_installed(engines, gpu)))
  }
  if (fresh) {
    remove_environment(envname)
  }
  tryCatch(
    make_environment(envname, python %||% starting_python(), gpu, engines, only = !identical(engine, "auto")),
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

#' The engines that are asked for; of "auto" those that serve this machine.
#' @noRd
engines_to_install <- function(engine, system = Sys.info(), capabilities = gpu_capabilities()) {
  if (!identical(engine, "auto")) {
    return(known_engines(engine))
  }
  if (!paste(system[["sysname"]], system[["machine"]]) %in% c("Linux x86_64", "Linux aarch64", "Darwin x86_64")) {
    return("torch")
  }
  c("mxnet", if (length(capabilities) && !any(supported_by_mxnet(capabilities))) "torch")
}

known_engines <- function(engine) {
  if (is.character(engine) && length(engine) && all(engine %in% c("mxnet", "torch"))) {
    return(unique(engine))
  }
  abort_mxtune(
    paste0("`engine` must be \"auto\", \"mxnet\", \"torch\" or c(\"mxnet\", \"torch\"), not ", deparse1(engine), "."),
    class = "mxtune_argument_error"
  )
}

what_is_installed <- function(engines, gpu) {
  if (!"mxnet" %in% engines) {
    return("Installing PyTorch. On Linux it uses NVIDIA GPUs, on Macs with Apple silicon the GPU.")
  }
  if ("torch" %in% engines) {
    return("Installing MXNet and PyTorch, which uses GPUs that MXNet can't. engine = \"torch\" leaves MXNet out.")
  }
  if (gpu) {
    "Found a GPU that MXNet can use: installing the GPU build. gpu = FALSE installs the CPU build."
  } else {
    "Found no GPU that MXNet can use: installing the CPU build. gpu = TRUE installs the GPU build."
  }
}

#' The compute capability of each GPU that NVIDIA's own tool lists.
#' @noRd
gpu_capabilities <- function() {
  tool <- Sys.which("nvidia-smi")
  if (!nzchar(tool)) {
    return(numeric())
  }
  listed <- suppressWarnings(
    system2(tool, c("--query-gpu=compute_cap", "--format=csv,noheader"), stdout = TRUE, stderr = FALSE)
  )
  capability <- suppressWarnings(as.numeric(listed))
  capability[!is.na(capability)]
}

#' Has MXNet 1.9.1 machine code for these?
#' @noRd
supported_by_mxnet <- function(capabilities) {
  capabilities >= 5 & capabilities <= 8.9
}

#' What mxtune needs, as pip reads it; the engines that these lines name are those that fit the machine.
#' @noRd
requirements <- function() {
  lines <- readLines(requirements_file())
  lines[!startsWith(lines, "#")]
}

#' The same without engines, which are installed by their names.
#' @noRd
common_requirements <- function() {
  grep("^(mxnet|torch)\\b", requirements(), value = TRUE, invert = TRUE)
}

#' PyTorch, as pip reads it.
#' @noRd
torch_requirement <- function() {
  sub(";.*", "", grep("^torch\\b", requirements(), value = TRUE))
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
