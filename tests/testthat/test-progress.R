play <- function(listen) {
  tell <- function(kind, ...) if (!is.null(listen[[kind]])) listen[[kind]](list(...))
  tell("message", text = "The images are small {here}: 96 pixels. image_size = 224 overrides.")
  tell("start", title = "head", total = 100, unit = "images")
  tell("advance", n = 50)
  tell("epoch", stage = "head", epoch = 1, epochs = 5, metrics = list(train_loss = 0.51234, valid_accuracy = 0.8))
  tell("end")
}

test_that("nothing is said in testthat, lines are in a script", {
  expect_identical(progress_style(), "silent")
  withr::local_envvar(TESTTHAT = "")
  expect_identical(progress_style(), "lines")
  expect_identical(progress_style(0), "silent")
  expect_identical(progress_style(2), "bar")
  expect_null(listener(0))
})

test_that("a line an epoch, as Python writes it", {
  expect_snapshot(play(listener(1)))
})

test_that("a message that is signalled again, as future and knitr do, keeps its line", {
  caught <- list()
  withCallingHandlers(play(listener(1)), message = function(m) {
    caught <<- c(caught, list(m))
    invokeRestart("muffleMessage")
  })
  again <- utils::capture.output(for (m in caught) message(m), type = "message")
  expect_length(again, 2)
  expect_match(again[2], "^head 1/5 ")
})

test_that("a bar ends with the work", {
  withr::local_options(cli.progress_show_after = 0, cli.dynamic = FALSE, cli.ansi = FALSE)
  told <- cli::cli_fmt(play(listener(2)))
  expect_true(any(grepl("head 1/5", told)))
  expect_equal(cli::cli_progress_num(), 0)
})

test_that("a document that is knitted shows a line an epoch", {
  folder <- withr::local_tempdir()
  rmd <- file.path(folder, "doc.Rmd")
  writeLines(c(
    "```{r}", "library(mxtune)", paste0("images <- '", small_folder(), "'"),
    "fit <- mxtrain(images, net = 'lenet', tune = 'all', epochs = 2, seed = 1)", "```"
  ), rmd)
  fresh(function(rmd) knitr::knit(rmd, sub("Rmd$", "md", rmd), quiet = TRUE), list(rmd))
  text <- readLines(sub("Rmd$", "md", rmd))
  expect_length(grep("^## all [12]/2 ", text), 2)
})
