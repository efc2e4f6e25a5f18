test_that("a report is written, and its path returned invisibly", {
  model <- small_model()
  file <- withr::local_tempfile(fileext = ".html")
  shown <- withVisible(mxreport(model, file))
  expect_false(shown$visible)
  expect_identical(normalizePath(shown$value), normalizePath(file))
  page <- paste(readLines(file, encoding = "UTF-8", warn = FALSE), collapse = "\n")
  expect_match(page, sprintf("It is right for %.0f of 100 images", 100 * model$metrics$accuracy), fixed = TRUE)
  expect_match(page, sprintf("<data value=\"%s\"", format(model$metrics$accuracy, digits = 17)), fixed = TRUE)
})

test_that("images that are given show, by a formula, too", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  table <- data.frame(path = files, label = basename(dirname(files)))
  file <- withr::local_tempfile(fileext = ".html")
  for (x in list(small_folder(), table)) {
    mxreport(small_model(), file, x)
    expect_match(readLines(file, encoding = "UTF-8", warn = FALSE), "data:image/jpeg;base64,", fixed = TRUE, all = FALSE)
  }
  mxreport(small_model(), file, label ~ path, table)
  expect_match(readLines(file, encoding = "UTF-8", warn = FALSE), "data:image/jpeg;base64,", fixed = TRUE, all = FALSE)
})

test_that("a browser opens only where someone sits and asks", {
  opened <- character()
  withr::local_options(browser = function(url) opened <<- c(opened, url))
  file <- withr::local_tempfile(fileext = ".html")
  rlang::with_interactive(mxreport(small_model(), file), TRUE)
  rlang::with_interactive(mxreport(small_model(), file, open = TRUE), FALSE)
  expect_length(opened, 0)
  rlang::with_interactive(mxreport(small_model(), file, open = TRUE), TRUE)
  expect_length(opened, 1)
})

test_that("what can't be reported on is refused", {
  expect_error(mxreport(mxnetwork("lenet"), "x.html"), "mxmodel", class = "mxtune_error")
  expect_error(mxreport(small_model(), file.path(tempdir(), "missing", "x.html")), class = "mxtune_store_error")
  expect_error(mxreport(small_model(), tempfile(), y = "bag"), "no images", class = "mxtune_argument_error")
})
