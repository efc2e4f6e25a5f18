# The same numbers in both languages: tests/python/test_corners.py reads the same images and predictions.

shared <- function(...) testthat::test_path("..", "shared", ...)

corners <- normalizePath(shared("corners"))
expected <- utils::read.csv(shared("corners.csv"), check.names = FALSE)
train_corners <- function() {
  of_few(mxtrain(corners, net = "lenet", tune = "all", epochs = 10, batch_size = 4, augment = "none", seed = 1))
}
files <- file.path(corners, expected$file)

test_that("images that are not square get the stored predictions", {
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
    "import warnings",
    "from mxtune import mxload, mxtrain",
    "warnings.filterwarnings('ignore', 'lenet has no pretrained weights')",
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
  locales <- withr::local_tempdir()
  turkish <- c("-i", "tr_TR", "-f", "UTF-8", file.path(locales, "tr_TR.UTF-8"))
  skip_if(!nzchar(Sys.which("localedef")) || system2("localedef", turkish) != 0, "no localedef to make a locale with")
  plain <- predict(train_corners(), corners, type = "prob")
  for (locale in c("C", "tr_TR.UTF-8")) {
    there <- fresh(function(corners) {
      library(mxtune)
      fit <- mxtrain(
        corners,
        net = "lenet", tune = "all", epochs = 10, batch_size = 4, augment = "none", seed = 1, verbose = 0
      )
      list(locale = Sys.getlocale("LC_CTYPE"), predicted = predict(fit, corners, type = "prob"))
    }, list(corners), env = c(LC_ALL = locale, LANGUAGE = "tr", LOCPATH = locales))
    expect_identical(there$locale, locale)
    expect_identical(there$predicted, plain)
  }
})

test_that("folders of any script are found in a C locale", {
  classes <- c("\u00e4pfel", "\u732b")
  folder <- file.path(withr::local_tempdir(), "\u0131\u015f\u0131k")
  for (class in classes) {
    dir.create(file.path(folder, class), recursive = TRUE)
    file.copy(list.files(corners, recursive = TRUE, full.names = TRUE), file.path(folder, class))
  }
  there <- fresh(function(parent) {
    bytes <- list.files(parent, full.names = TRUE) # without a mark
    as.character(unique(as.data.frame(suppressWarnings(mxtune::mximages(bytes)))$label))
  }, list(dirname(folder)), env = c(LC_ALL = "C"))
  expect_identical(there, classes)
})
