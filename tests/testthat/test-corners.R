# The same numbers in both languages: tests/python/test_corners.py reads the same pictures and predictions.

shared <- function(...) testthat::test_path("..", "shared", ...)

corners <- normalizePath(shared("corners"))
expected <- utils::read.csv(shared("corners.csv"), check.names = FALSE)
train_corners <- function() {
  mxtrain(corners, net = "lenet", tune = "all", epochs = 10, batch_size = 4, augment = "none", seed = 1)
}
files <- file.path(corners, expected$file)

test_that("pictures that are not square get the stored predictions", {
  told <- predict(train_corners(), corners, type = "prob")
  expect_identical(told$.file, expected$file)
  expect_identical(as.character(told$.pred_class), expected$pred_class)
  expect_equal(told$.pred_left, expected$pred_left, tolerance = 0.02) # another CPU rounds otherwise
})

test_that("arrays get the predictions of their files, in each layout", {
  model <- train_corners()
  from_files <- predict(model, files, type = "prob")$.pred_left
  hwn <- vapply(files, function(f) png::readPNG(f), matrix(0, 24, 40))
  nhw <- aperm(hwn, c(3, 1, 2))
  nhwc <- array(nhw, c(dim(nhw), 1))
  expect_identical(predict(model, hwn, type = "prob", layout = "HWCN")$.pred_left, from_files)
  expect_identical(predict(model, nhw, type = "prob")$.pred_left, from_files)
  expect_identical(predict(model, nhwc, type = "prob")$.pred_left, from_files)
  expect_identical(predict(model, round(nhwc * 255), type = "prob")$.pred_left, from_files)
  expect_identical(predict(model, lapply(files, magick::image_read), type = "prob")$.pred_left, from_files)
})

test_that("R and Python train the same model to the last bit, and each opens the other's", {
  folder <- withr::local_tempdir()
  from_r <- file.path(folder, "r.mxt")
  from_python <- file.path(folder, "python.mxt")
  model <- train_corners()
  mxsave(model, from_r)
  told <- run_python(c(
    "from mxtune import mxload, mxtrain",
    sprintf("folder = %s", deparse(corners)),
    "how = dict(net='lenet', tune='all', epochs=10, batch_size=4, augment='none', seed=1, verbose=0)",
    "model = mxtrain(folder, **how)",
    sprintf("model.save(%s)", deparse(from_python)),
    sprintf("theirs = mxload(%s)", deparse(from_r)),
    "print(*(float(p).hex() for p in model.predict(folder, type='prob')['pred_left']))",
    "print(*(float(p).hex() for p in theirs.predict(folder, type='prob')['pred_left']))",
    "print(all((model.network.params[n] == theirs.network.params[n]).all() for n in model.network.params))"
  ))
  mine <- predict(model, corners, type = "prob")$.pred_left
  read <- function(line) as.numeric(strsplit(line, " ")[[1]])
  expect_identical(read(told[1]), mine)
  expect_identical(read(told[2]), mine)
  expect_identical(told[3], "True")
  expect_identical(predict(mxload(from_python), corners, type = "prob")$.pred_left, mine)
})

test_that("locale and language of the session change nothing", {
  plain <- predict(train_corners(), corners, type = "prob")
  for (env in list(c(LC_ALL = "C"), c(LC_ALL = "tr_TR.UTF-8", LANGUAGE = "tr"))) {
    there <- fresh(function(corners) {
      library(mxtune)
      fit <- mxtrain(
        corners,
        net = "lenet", tune = "all", epochs = 10, batch_size = 4, augment = "none", seed = 1, verbose = 0
      )
      predict(fit, corners, type = "prob")
    }, list(corners), env = env)
    expect_identical(there, plain)
  }
})
