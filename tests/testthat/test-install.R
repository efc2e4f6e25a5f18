test_that("a set-up that fails says what is needed", {
  withr::local_envvar(WORKON_HOME = withr::local_tempdir())
  capture.output(
    error <- expect_error(
      suppressMessages(install_mxtune(python = "/nowhere/python3", gpu = FALSE)),
      class = "mxtune_engine_error"
    )
  )
  expect_match(conditionMessage(error), "apt install python3-venv", fixed = TRUE)
})

test_that("the versions to install are pinned", {
  pinned <- sub(";.*", "", requirements())
  expect_true(all(c("mxnet==1.9.1", "numpy==1.26.4") %in% pinned))
})

test_that("the engines that fit the machine are installed, or those that are named", {
  on <- function(system, machine, capabilities = numeric()) {
    engines_to_install("auto", c(sysname = system, machine = machine), capabilities)
  }
  expect_identical(on("Linux", "x86_64"), "mxnet")
  expect_identical(on("Linux", "aarch64"), "mxnet")
  expect_identical(on("Darwin", "x86_64"), "mxnet")
  expect_identical(on("Darwin", "arm64"), "torch")
  expect_identical(on("Windows", "x86-64"), "torch")
  expect_identical(on("Linux", "x86_64", c(9, 8.6)), "mxnet")
  expect_identical(on("Linux", "x86_64", 9), c("mxnet", "torch"))
  expect_identical(engines_to_install("torch"), "torch")
  expect_identical(engines_to_install(c("mxnet", "torch")), c("mxnet", "torch"))
  for (wrong in list("pytorch", character(), 1, NULL, c("auto", "torch"), NA_character_)) {
    error <- expect_error(install_mxtune(engine = wrong), class = "mxtune_argument_error")
    expect_match(conditionMessage(error), "`engine` must be", fixed = TRUE)
  }
})

test_that("what is common to the engines names none of them", {
  expect_identical(setdiff(requirements(), common_requirements()), grep("^(mxnet|torch)", requirements(), value = TRUE))
  expect_length(setdiff(requirements(), common_requirements()), 2)
  expect_match(torch_requirement(), "^torch>=[0-9.]+,<=[0-9.]+$")
  expect_match(what_is_installed("torch", FALSE), "PyTorch")
  expect_match(what_is_installed(c("mxnet", "torch"), FALSE), "MXNet and PyTorch")
})

test_that("an environment starts from a Python of the right kind", {
  python <- starting_python()
  if (is.null(python)) { # none on the path: the Python of the tests stands for one
    python <- reticulate::py_config()$python
  }
  home <- withr::local_tempdir()
  withr::local_envvar(WORKON_HOME = home)
  start_environment("by name", python)
  expect_true(reticulate::virtualenv_exists("by name"))
  start_environment(file.path(home, "by path"), python)
  expect_true(reticulate::virtualenv_exists(file.path(home, "by path")))
})

test_that("the environment that install_mxtune() makes is found by itself", {
  home <- withr::local_tempdir()
  python <- reticulate::py_config()$python
  code <- shQuote("import site; print(site.getsitepackages()[0])")
  site <- system2(python, c("-c", code), stdout = TRUE)
  # an environment by that name that sees the packages of this one
  system2(python, c("-m", "venv", "--without-pip", file.path(home, "r-mxtune")))
  folder <- Sys.glob(file.path(home, "r-mxtune", "lib", "python*", "site-packages"))
  writeLines(site, file.path(folder, "packages.pth"))
  used <- fresh(function() {
    Sys.unsetenv(c("RETICULATE_PYTHON", "VIRTUAL_ENV"))
    mxtune::mxlayers(mxtune::mxnetwork("lenet"))
    reticulate::py_config()$python
  }, env = c(WORKON_HOME = home))
  expect_identical(basename(dirname(dirname(used))), "r-mxtune")
})
