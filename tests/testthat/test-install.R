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
