page_of <- function(...) {
  file <- withr::local_tempfile(fileext = ".html")
  mxreport(small_model(), file, ...)
  paste(readLines(file, encoding = "UTF-8", warn = FALSE), collapse = "\n")
}

test_that("a report is written, and its path returned invisibly", {
  model <- small_model()
  file <- withr::local_tempfile(fileext = ".html")
  shown <- withVisible(mxreport(model, file))
  expect_false(shown$visible)
  expect_identical(normalizePath(shown$value), normalizePath(file))
  page <- page_of(card = list(intended_use = "To sort laundry."))
  expect_match(page, "To sort laundry.", fixed = TRUE)
  expect_match(page, sprintf("It is right for %.0f of 100 images", 100 * model$metrics$accuracy), fixed = TRUE)
  numbers <- regmatches(page, gregexpr("(?<=<data value=\")[^\"]+", page, perl = TRUE))[[1]]
  expect_true(model$metrics$accuracy %in% as.numeric(numbers))
})

test_that("images that are given show, by a formula, too", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  table <- data.frame(path = files, label = basename(dirname(files)))
  for (page in list(page_of(small_folder()), page_of(table), page_of(label ~ path, table))) {
    expect_match(page, "data:image/jpeg;base64,", fixed = TRUE)
  }
})

test_that("a browser opens only where someone sits and asks", {
  opened <- character()
  withr::local_options(browser = function(url) opened <<- c(opened, url))
  rlang::with_interactive(page_of(), TRUE)
  rlang::with_interactive(page_of(open = TRUE), FALSE)
  expect_length(opened, 0)
  rlang::with_interactive(page_of(open = TRUE), TRUE)
  expect_length(opened, 1)
})

test_that("what can't be reported on is refused", {
  expect_error(mxreport(mxnetwork("lenet"), "x.html"), "mxmodel", class = "mxtune_error")
  expect_error(mxreport(small_model(), "x.txt"), "written as .html", class = "mxtune_argument_error")
  expect_error(mxreport(small_model(), file.path(tempdir(), "missing", "x.html")), class = "mxtune_store_error")
  file <- tempfile(fileext = ".html")
  expect_error(mxreport(small_model(), file, y = "bag"), "no images", class = "mxtune_argument_error")
})
