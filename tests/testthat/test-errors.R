# The words that users see, with what was expected and what came.

test_that("an error of Python has the house form, and braces stay braces", {
  told <- list(
    classes = list("mxtune_picture_error", "mxtune_error"), message = "Can't read 2 of 313 images.",
    bullets = list("birds/IMG {7}.jpg: the file ends after 12 kB of 48 kB", "fruit/notes.txt: not an image"),
    hint = "Use on_bad = \"skip\" in mximages() to go on without them.",
    files = list("birds/IMG {7}.jpg", "fruit/notes.txt"),
    trace = "Traceback"
  )
  f <- function() abort_from_python(told, NULL)
  expect_snapshot(f(), error = TRUE)
  error <- expect_error(f(), class = "mxtune_picture_error")
  expect_identical(error$files, c("birds/IMG {7}.jpg", "fruit/notes.txt"))
  expect_identical(error$headline, "Can't read 2 of 313 images.")
})

test_that("an interrupt in Python is an interrupt in R", {
  f <- function() abort_from_python(list(classes = list("interrupt")), NULL)
  expect_identical(tryCatch(f(), interrupt = function(i) "interrupted"), "interrupted")
})

test_that("a warning of Python is a warning of R with its class", {
  told <- list(
    classes = list("mxtune_label_warning", "mxtune_warning"), message = "One class is small.",
    bullets = list("cat: 1")
  )
  expect_snapshot(warn_from_python(told))
  expect_warning(warn_from_python(told), class = "mxtune_label_warning")
})

test_that("wrong arguments are refused before Python is asked", {
  expect_snapshot(error = TRUE, {
    mxsave("model", "x.mxt")
    mxevaluate(1)
    mxexample("birds")
    predict(small_model())
  })
})

test_that("wrong arguments are told by name and value, as R writes it", {
  expect_snapshot(error = TRUE, {
    mxload(NULL)
    mxload(c("a.mxt", "b.mxt"))
    mxnetwork(TRUE)
    mxnetwork("lenet", seed = -1)
    mxtrain(small_folder(), verbose = 3)
    mxtrain(small_folder(), restore_best = "no")
    mxcut(mxnetwork("lenet"))
  })
})

test_that("an engine's error names R's way out first", {
  told <- list(
    classes = list("mxtune_engine_error", "mxtune_error"), message = "MXNet is not installed.",
    hint = "Run: pip install mxnet==1.9.1"
  )
  anyone <- function(lines) sub(shQuote(reticulate_python()), "<python>", lines, fixed = TRUE)
  expect_snapshot(abort_from_python(told, NULL), error = TRUE, transform = anyone)
})

test_that("an error names the call that the user made, from R and from a Python that hosts it", {
  kinds <- c("a", "b", "a", "b")
  error <- expect_error(mxtrain(array(0, c(4, 8, 8, 5)), kinds), class = "mxtune_argument_error")
  expect_identical(conditionCall(error), quote(mxtrain(array(0, c(4, 8, 8, 5)), kinds)))
  expect_identical(hosted(mxload("gone.mxt"))$error$call, "mxload(\"gone.mxt\")")
})
