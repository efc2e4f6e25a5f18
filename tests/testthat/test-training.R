test_that("training from a folder, a data frame and an array gives a model with the labels' classes", {
  folder <- small_folder()
  files <- list.files(folder, recursive = TRUE, full.names = TRUE)
  frame <- data.frame(file = files, kind = basename(dirname(files)))
  arguments <- list(net = "lenet", tune = "all", epochs = 1, seed = 2)
  train <- function(...) of_few(do.call(mxtrain, c(list(...), arguments)))
  from_folder <- train(folder)
  from_formula <- train(kind ~ file, data = frame)
  from_columns <- train(frame, "kind")
  from_vectors <- train(files, factor(frame$kind))
  held <- frame[c(1, 13, 25), ]
  with_valid <- function(...) suppressWarnings(train(..., valid = held), classes = "mxtune_warning")
  expect_equal(with_valid(kind ~ file, frame)$metrics$n, 3)
  expect_equal(with_valid(frame, "kind")$metrics$n, 3)
  expect_s3_class(from_folder, "mxmodel")
  for (model in list(from_folder, from_formula, from_columns, from_vectors)) {
    expect_identical(model$levels, c("ankle_boot", "bag", "coat"))
    expect_identical(weights_digest(model), weights_digest(from_formula))
  }
})

test_that("an array trains as its images do", {
  folder <- small_folder()
  files <- list.files(folder, recursive = TRUE, full.names = TRUE)
  pixels <- vapply(files, function(f) png::readPNG(f) * 255, matrix(0, 28, 28))
  labels <- factor(basename(dirname(files)))
  train <- function(...) of_few(mxtrain(..., net = "lenet", tune = "all", epochs = 1, seed = 2))
  from_hwcn <- train(pixels, labels, layout = "HWCN")
  from_nhwc <- train(aperm(pixels, c(3, 1, 2)), labels)
  rows <- t(matrix(pixels, 784))
  from_rows <- train(rows, labels, dim = c(28, 28))
  expected <- predict(from_hwcn, files, type = "prob")
  expect_equal(predict(from_nhwc, files, type = "prob"), expected)
  expect_equal(predict(from_rows, files, type = "prob"), expected)
})

test_that("two processes train layers as one does", {
  folder <- small_folder()
  files <- list.files(folder, recursive = TRUE, full.names = TRUE)
  train <- function(...) of_few(mxtrain(folder, net = "lenet", epochs = 1, seed = 2, ...))
  of_two <- predict(train(workers = 2), files, type = "prob")
  expect_equal(of_two, predict(train(), files, type = "prob"), tolerance = 1e-4)
  expect_error(train(workers = "ray://here:1"), "need Ray|There is no Ray cluster", class = "mxtune_error")
})

test_that("numbers ask for regression, a logical matrix for several labels", {
  folder <- small_folder()
  files <- list.files(folder, recursive = TRUE, full.names = TRUE)
  bright <- vapply(files, function(f) mean(png::readPNG(f)), 0, USE.NAMES = FALSE)
  fit <- of_few(mxtrain(files, bright, net = "lenet", tune = "all", epochs = 1, seed = 1))
  expect_identical(fit$task, "regression")
  expect_named(predict(fit, files[1:2]), c(".file", ".pred"))
  several <- cbind(dark = bright < 0.3, shoe = grepl("boot", files))
  fit <- of_few(mxtrain(files, several, net = "lenet", tune = "all", epochs = 1, seed = 1))
  expect_identical(fit$task, "multilabel")
  expect_named(predict(fit, files[1:2], type = "prob"), c(".file", ".pred_dark", ".pred_shoe"))
})

test_that("faults in labels are conditions with classes", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  labels <- factor(basename(dirname(files)))
  labels[2] <- NA
  expect_error(mxtrain(files, labels, net = "lenet"), class = "mxtune_label_error")
  expect_error(mxtrain(files, labels[1:3], net = "lenet"), class = "mxtune_label_error")
  more <- factor(basename(dirname(files)), levels = c("ankle_boot", "bag", "coat", "zebra"))
  expect_warning(
    of_few(mxtrain(files, more, net = "lenet", tune = "head", epochs = 1, seed = 1)),
    class = "mxtune_label_warning"
  )
})

test_that("whole numbers need no L, and an argument that does not exist is refused", {
  fit <- of_few(mxtrain(
    small_folder(),
    net = "lenet", tune = "all", epochs = 1, batch_size = 8, image_size = c(28, 28), seed = 5
  ))
  expect_equal(engine_call("settings", fit)$seed, 5)
  expect_error(mxtrain(small_folder(), epochz = 1), "epochz")
})

test_that("predicting draws nothing from R's generator", {
  model <- small_model()
  set.seed(1)
  before <- .Random.seed
  predict(model, small_folder())
  mxevaluate(model)
  expect_identical(.Random.seed, before)
})

test_that("a function as a callback sees each epoch and may end the training", {
  seen <- list()
  fit <- of_few(mxtrain(
    small_folder(),
    net = "lenet", tune = "all", epochs = 5, seed = 1,
    callbacks = function(epoch, metrics) {
      seen[[length(seen) + 1]] <<- metrics
      epoch < 2
    }
  ))
  expect_length(seen, 2)
  expect_true("train_loss" %in% names(seen[[1]]))
  expect_equal(nrow(as.data.frame(fit)), 2)
})

test_that("the history is a data frame for a callback at the end", {
  history <- NULL
  fit <- of_few(mxtrain(
    small_folder(),
    net = "lenet", tune = "all", epochs = 2, seed = 1,
    callbacks = list(on_epoch = function(epoch, metrics) NULL, on_end = function(rows) history <<- rows)
  ))
  expect_s3_class(history, "data.frame")
  expect_equal(history$train_loss, fit$history$train_loss)
})

test_that("a fault in a callback names it and keeps the cause", {
  error <- expect_error(
    of_few(mxtrain(
      small_folder(),
      net = "lenet", tune = "all", epochs = 2, seed = 1,
      callbacks = list(on_epoch = function(epoch, metrics) stop("no {such} thing"))
    )),
    class = "mxtune_callback_error"
  )
  expect_match(conditionMessage(error), "The callback on_epoch failed.", fixed = TRUE)
  expect_identical(conditionMessage(error$parent), "no {such} thing")
  expect_s3_class(error$model, "mxmodel")
})

test_that("a network without weights and few images are said, with what to take instead", {
  warned <- expect_warning(
    mxtrain(small_folder(), net = "lenet", epochs = 1, seed = 1),
    "lenet has no pretrained weights, and 29 images are few to learn from.",
    class = "mxtune_training_warning"
  )
  expect_match(warned$hint, "Use net = \"efficientnet_lite0\"", fixed = TRUE)
})

test_that("a loss that is no number costs no model", {
  error <- expect_error(
    mxtrain(small_folder(), tune = "tail", lr = 1e30, epochs = 2, seed = 1),
    class = "mxtune_training_error"
  )
  expect_match(conditionMessage(error), "rlang::last_error()$model is the best model so far", fixed = TRUE)
  expect_equal(nrow(predict(error$model, small_folder())), nrow(predict(small_model(), small_folder())))
})

test_that("an interrupt returns the best model so far with a warning", {
  folder <- small_folder()
  result <- fresh(function(folder) {
    library(mxtune)
    pid <- Sys.getpid()
    warned <- NULL
    fit <- withCallingHandlers(
      mxtrain(
        folder,
        net = "lenet", tune = "all", epochs = 500, patience = 500, seed = 1, verbose = 0,
        callbacks = function(epoch, metrics) if (epoch == 3) tools::pskill(pid, tools::SIGINT)
      ),
      warning = function(w) {
        warned <<- class(w)
        invokeRestart("muffleWarning")
      }
    )
    list(epochs = nrow(fit$history), warned = warned, predicts = nrow(predict(fit, folder)))
  }, list(folder))
  expect_lt(result$epochs, 500)
  expect_true("mxtune_training_warning" %in% result$warned)
  expect_identical(result$predicts, 36L)
})

test_that("what is known before the training is said before its first epoch", {
  epochs <- 0
  train <- function() {
    mxtrain(
      small_folder(),
      net = "lenet", tune = "all", epochs = 1, seed = 1, callbacks = function(epoch, metrics) epochs <<- epochs + 1
    )
  }
  withCallingHandlers(train(), warning = function(w) {
    expect_match(conditionMessage(w), "no pretrained weights")
    expect_identical(epochs, 0)
    rlang::cnd_muffle(w)
  })
  expect_identical(epochs, 1)
  withr::local_options(warn = 2)
  expect_error(train(), "no pretrained weights")
  expect_identical(epochs, 1)
})

test_that("a warning of the end has the model, also where warnings are errors, and none where it is muffled", {
  train <- function(signal = tools::SIGINT) {
    mxtrain(
      small_folder(),
      tune = "tail", image_size = 32, epochs = 99, patience = 0, seed = 1,
      callbacks = function(epoch, metrics) if (epoch == 2) tools::pskill(Sys.getpid(), signal) # the head has one epoch
    )
  }
  told <- tryCatch(train(), warning = identity)
  expect_s3_class(told, "mxtune_training_warning")
  expect_identical(nrow(told$model$history), 3L)
  expect_identical(nrow(predict(told$model, small_folder())), 36L)
  told <- tryCatch(train(tools::SIGTERM), warning = identity)
  expect_match(conditionMessage(told), "interrupted by SIGTERM: this is the best model so far", fixed = TRUE)
  withr::local_options(warn = 2)
  error <- expect_error(train(), "(converted from warning) The training was interrupted", fixed = TRUE)
  expect_match(conditionMessage(error), "rlang::last_error()$model is the model", fixed = TRUE)
  expect_s3_class(error$model, "mxmodel")
  expect_s3_class(tryCatch(train(), warning = function(w) w$model), "mxmodel")
  fit <- withCallingHandlers(train(), warning = function(w) invokeRestart("muffleWarning"))
  expect_identical(nrow(fit$history), 3L)
})

test_that("a second Ctrl-C stops at once, with the model in the interrupt", {
  told <- fresh(function(folder) {
    library(mxtune)
    mxinfo()
    reticulate::py_run_string("
import os, signal, threading, time
from mxtune.model.predictor import Predictor
def press():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)
class Twice:
    def on_epoch(self, epoch, metrics):
        if metrics['stage'] == 'tail':
            press()
measured = Predictor.outputs
def outputs(self, *arguments, **named):  # provoked: measuring takes long enough to be met
    press()
    return measured(self, *arguments, **named)
Predictor.outputs = outputs
")
    twice <- reticulate::py_eval("Twice()", convert = FALSE)
    stop <- tryCatch(
      mxtrain(folder, tune = "tail", image_size = 32, epochs = 99, seed = 1, verbose = 0, callbacks = twice),
      interrupt = identity
    )
    reticulate::py_run_string("Predictor.outputs = measured")
    list(class = class(stop), epochs = nrow(stop$model$history), predicts = nrow(predict(stop$model, folder)))
  }, list(small_folder()))
  expect_identical(told, list(class = c("interrupt", "condition"), epochs = 2L, predicts = 36L))
})

# Ctrl-C is a signal; Esc in RStudio sets the flag that the signal's handler sets. No function of R is at work.
for (key in c("os.kill(os.getpid(), signal.SIGINT)", "R_interrupts_pending.value = 1")) {
  test_that(paste("an interrupt in silence returns the best model so far:", key), {
    folder <- small_folder()
    result <- fresh(function(folder, key) {
      library(mxtune)
      checkpoint <- tempfile()
      mxinfo()
      reticulate::py_run_string(paste0("
import ctypes, os, signal, threading, time
R_interrupts_pending = ctypes.c_int.in_dll(ctypes.CDLL(None), 'R_interrupts_pending')
def press():
    while not os.path.exists('", checkpoint, "'):  # until something is learned
        time.sleep(0.05)
    ", key, "
threading.Thread(target=press).start()
"))
      fit <- suppressWarnings(mxtrain(
        folder,
        net = "lenet", tune = "all", epochs = 9999, patience = 0, seed = 1, verbose = 0, checkpoint = checkpoint
      ))
      list(epochs = nrow(fit$history), predicts = nrow(predict(fit, folder)))
    }, list(folder, key))
    expect_lt(result$epochs, 9999)
    expect_identical(result$predicts, 36L)
  })
}

test_that("no graphics device is opened by training and predicting", {
  before <- grDevices::dev.list()
  predict(small_model(), small_folder())
  expect_identical(grDevices::dev.list(), before)
})

test_that("classes come back as what they were: logical, whole and other numbers, ordered factors", {
  files <- list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE)[c(1:6, 395:400)]
  for (values in list(c(TRUE, FALSE), c(7L, 3L), c(1e5, 0.5))) {
    y <- rep(values, each = 6)
    fit <- mxtrain(mximages(files, y, task = "classification"), tune = "head", image_size = 32, valid = 0, seed = 1)
    p <- predict(fit, files, type = "prob")
    expect_identical(levels(p$.pred_class), levels(factor(y)))
    expect_identical(mean(p$.pred_class == y), 1)
    expect_identical(names(p)[-(1:2)], paste0(".pred_", levels(factor(y))))
    counts <- of_trained(mxconfusion(fit, files, if (is.numeric(y)) factor(y) else y))
    expect_identical(rownames(counts), fit$levels)
  }
  y <- factor(rep(c("small", "large"), each = 6), levels = c("small", "large"), ordered = TRUE)
  fit <- mxtrain(files, y, tune = "head", image_size = 32, valid = 0, seed = 1)
  expect_identical(predict(fit, files)$.pred_class, y)
})

test_that("weights and labels with names go by name", {
  files <- list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE)[c(1:6, 395:400)]
  y <- rep(c(TRUE, FALSE), c(8, 4))
  train <- function(weights) {
    fit <- mxtrain(files, y, tune = "head", image_size = 32, valid = 0, seed = 1, class_weights = weights)
    predict(fit, files, type = "logit")$.pred_TRUE
  }
  by_name <- train(c("TRUE" = 0.125, "FALSE" = 0.25))
  expect_identical(train(1 / table(y)), by_name)
  expect_identical(train(c(0.25, 0.125)), by_name)
  expect_error(train(c(yes = 1)), "unknown classes")
  shuffled <- setNames(y, files)[c(12:1)]
  expect_identical(as.data.frame(mximages(files, shuffled))$label, factor(y))
})

test_that("a model says what it was told of itself, and a digest of its data", {
  train <- function(...) {
    of_few(mxtrain(small_folder(), net = "lenet", epochs = 1, seed = 1, ...))
  }
  told <- train(meta = list(title = "Clothes", author = c("A", "B"), date = as.Date("2026-05-04")))
  expect_identical(told$meta, list(title = "Clothes", author = "A, B", date = "2026-05-04"))
  expect_match(summary(told)$text, "title +Clothes\n.*data +sha256 [0-9a-f]{16}\n")
  expect_length(train()$meta, 0)
  expect_error(train(meta = list(titel = "Clothes")), "Did you mean title?", class = "mxtune_argument_error")
})

test_that("classes may be numbered: task= is an argument of mxtrain(), and the hint names it", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  frame <- data.frame(file = files, code = as.integer(factor(basename(dirname(files)))) * 10L)
  held <- frame[c(1, 13, 25), ]
  train <- function(...) mxtrain(code ~ file, data = frame, tune = "head", image_size = 32, seed = 1, ...)
  fit <- suppressWarnings(train(task = "classification", valid = held), classes = "mxtune_warning")
  expect_identical(fit$task, "classification")
  expect_identical(levels(predict(fit, held)$.pred_class), levels(factor(frame$code)))
  said <- character()
  withCallingHandlers(
    train(verbose = 1, valid = 0),
    mxtune_message = function(message) said <<- c(said, conditionMessage(message))
  )
  hint <- "The labels are numbers, so this is regression. For classes: task = \"classification\"."
  expect_true(any(grepl(hint, gsub("\\s+", " ", said), fixed = TRUE)))
})

test_that("a class that is weighted twice is refused, and a name on a single text means nothing", {
  weights <- c(bag = 1, bag = 2)
  expect_error(mxtrain(small_folder(), class_weights = weights), "a class twice", class = "mxtune_argument_error")
  weights <- c(how = "balanced")
  fit <- of_few(mxtrain(small_folder(), class_weights = weights, net = "lenet", epochs = 1, seed = 1, verbose = 0))
  expect_s3_class(fit, "mxmodel")
})

test_that("a budget of seconds is kept, and the summary says what they were spent on", {
  start <- Sys.time()
  budget <- as.difftime(1 / 3, units = "mins")
  model <- mxtrain(
    some_fashion(),
    net = "efficientnet_lite0", tune = "tail", epochs = 1, seed = 1, time_budget = budget
  )
  expect_lt(as.numeric(difftime(Sys.time(), start, units = "secs")), 25)
  said <- paste(capture.output(print(summary(model))), collapse = "\n")
  expect_match(said, "took +head [0-9.]+ s")
  expect_match(said, "20 s at [0-9]+ images/s; without it: image_size = [0-9]+, epochs = 1")
  expect_error(
    mxtrain(some_fashion(), time_budget = 0), "`time_budget` must be a number of seconds above 0",
    class = "mxtune_argument_error"
  )
})
