test_that("library(mxtune) starts no Python and takes under a second", {
  told <- fresh(function() {
    loadNamespace("reticulate") # its own start is not ours
    seconds <- system.time(library(mxtune))[["elapsed"]]
    example <- mxexample("fashion")
    list(seconds = seconds, started = reticulate::py_available(), example = dir.exists(example))
  })
  expect_lt(told$seconds, 1)
  expect_false(told$started)
  expect_true(told$example)
})

test_that("a saved model prints without Python", {
  file <- withr::local_tempfile()
  saveRDS(small_model(), file)
  started <- fresh(function(file) {
    library(mxtune)
    model <- readRDS(file)
    utils::capture.output(print(model), glance(model), tidy(model))
    reticulate::py_available()
  }, list(file))
  expect_false(started)
})

test_that("a missing Python is one error in plain words", {
  told <- fresh(function() {
    tryCatch(mxtune::mxzoo(), error = function(e) list(class = class(e), text = conditionMessage(e)))
  }, env = c(RETICULATE_PYTHON = "/nowhere/python"))
  expect_true("mxtune_engine_error" %in% told$class)
  expect_match(told$text, "No Python was found, and mxtune's engine needs one.", fixed = TRUE)
  expect_match(told$text, "install_mxtune()", fixed = TRUE)
})

test_that("a Python without the engine's packages is one error that names the package", {
  venv <- withr::local_tempdir()
  system2(reticulate::py_config()$python, c("-m", "venv", "--without-pip", venv))
  told <- fresh(function() {
    tryCatch(mxtune::mxzoo(), error = function(e) list(class = class(e), text = conditionMessage(e)))
  }, env = c(RETICULATE_PYTHON = file.path(venv, "bin", "python")))
  expect_true("mxtune_engine_error" %in% told$class)
  expect_match(told$text, "mxtune's Python engine isn't installed yet.", fixed = TRUE)
  expect_match(told$text, "it has no package numpy", fixed = TRUE)
  expect_match(told$text, "install_mxtune()", fixed = TRUE)
  expect_no_match(told$text, "Traceback")
})

test_that("a Python whose MXNet is broken is one error with the way out, and mxinfo() still answers", {
  broken <- withr::local_tempdir()
  dir.create(file.path(broken, "mxnet"))
  writeLines("import nothing_of_this_name", file.path(broken, "mxnet", "__init__.py"))
  told <- fresh(function(folder) {
    library(mxtune)
    error <- tryCatch(mxtrain(folder, net = "lenet", tune = "all", epochs = 1), error = identity)
    list(class = class(error), text = conditionMessage(error), info = mxinfo()$problems)
  }, list(some_fashion(2, 2)), env = c(PYTHONPATH = broken))
  expect_true("mxtune_engine_error" %in% told$class)
  expect_match(told$text, "install_mxtune()", fixed = TRUE)
  expect_gt(nrow(told$info), 0)
})

test_that("another mxtune in the user's Python is named, once, and not used", {
  other <- withr::local_tempdir()
  dir.create(file.path(other, "mxtune"))
  writeLines("raise ImportError('the wrong engine')", file.path(other, "mxtune", "__init__.py"))
  dir.create(file.path(other, "mxtune-9.9.dist-info"))
  metadata <- c("Metadata-Version: 2.1", "Name: mxtune", "Version: 9.9")
  writeLines(metadata, file.path(other, "mxtune-9.9.dist-info", "METADATA"))
  output <- fresh_output(function() {
    library(mxtune)
    invisible(mxzoo())
    invisible(mxzoo())
  }, env = c(PYTHONPATH = other))
  expect_length(grep("mxtune uses its own engine, version [0-9.]+, and not mxtune 9.9", output), 1)
})

test_that("the session's state is left as it was", {
  changed <- fresh(function(folder) {
    library(mxtune)
    reticulate::py_config() # what starting Python changes is reticulate's
    set.seed(7)
    state <- function() {
      env <- Sys.getenv()
      list(
        seed = .Random.seed, options = options(), locale = Sys.getlocale(), directory = getwd(),
        env = env[!grepl("^(RETICULATE|MXNET_)", names(env))], devices = dev.list()
      )
    }
    before <- state()
    images <- mximages(folder)
    mxlayers(mxnetwork("lenet"))
    after <- state()
    names(before)[!mapply(identical, before, after)]
  }, list(some_fashion(2, 2)))
  expect_identical(changed, character())
})

test_that("set.seed() governs what training draws", {
  set.seed(3)
  expected <- sample.int(.Machine$integer.max, 1)
  set.seed(3)
  model <- of_few(mxtrain(small_folder(), net = "lenet", tune = "head", epochs = 1))
  expect_equal(engine_call("settings", model)$seed, expected)
})

test_that("a forked process gets an error and no deadlock", {
  engine()
  told <- parallel::mclapply(1:2, function(i) tryCatch(mxzoo(), error = conditionMessage), mc.cores = 2)
  expect_match(told[[1]], "can't be used in a forked process", fixed = TRUE)
})

test_that("an error of Python keeps its trace, out of sight", {
  error <- expect_error(mximages("nowhere at all"), class = "mxtune_picture_error")
  expect_no_match(conditionMessage(error), "Traceback")
  expect_match(error$trace_python, "Traceback")
})

test_that("MXNet and PyTorch train and predict beside each other in one session, and Ctrl-C reaches both", {
  told <- fresh(function(folder) {
    library(mxtune)
    train <- function(engine, ...) {
      suppressWarnings(mxtrain(folder, net = "lenet", tune = "all", seed = 2, verbose = 0, engine = engine, ...))
    }
    engines <- c("mxnet", "torch")
    models <- lapply(engines, train, epochs = 1)
    file <- tempfile(fileext = ".mxt")
    mxsave(models[[2]], file)
    pid <- Sys.getpid()
    press <- function(epoch, metrics) if (epoch == 3) tools::pskill(pid, tools::SIGINT)
    stopped <- lapply(rev(engines), train, epochs = 500, patience = 0, callbacks = press)
    list(
      summaries = vapply(models, function(model) paste(capture.output(summary(model)), collapse = "\n"), ""),
      predictions = lapply(models, predict, folder, type = "logit"),
      moved = predict(mxload(file, device = "cpu", engine = "mxnet"), folder, type = "logit"),
      epochs = vapply(stopped, function(model) nrow(model$history), 0L)
    )
  }, list(small_folder()))
  expect_match(told$summaries[1], "engine mxnet: `engine` asks for it", fixed = TRUE)
  expect_match(told$summaries[2], "engine torch: `engine` asks for it", fixed = TRUE)
  expect_equal(told$predictions[[2]], told$predictions[[1]], tolerance = 0.01)
  expect_equal(told$moved, told$predictions[[2]], tolerance = 1e-4)
  expect_true(all(told$epochs < 500))
})

test_that("what is no engine is named with those that are", {
  for (wrong in list("pytorch", "", 1, NA, c("mxnet", "torch"))) {
    error <- expect_error(mxtrain(small_folder(), net = "lenet", engine = wrong), class = "mxtune_argument_error")
    expect_match(conditionMessage(error), "`engine` must be one of auto, mxnet, torch.", fixed = TRUE)
  }
})
