planted <- local({
  found <- NULL
  function() {
    if (is.null(found)) {
      folder <- some_fashion(n = 20, env = testthat::teardown_env())
      classes <- list.files(folder)
      first <- list.files(file.path(folder, classes[1]), full.names = TRUE)[2]
      file.rename(first, file.path(folder, classes[2], "planted.png"))
      model <- mxtrain(folder, tune = "head", image_size = 48, folds = 3, seed = 1, verbose = 0)
      found <<- list(model = model, folder = folder, classes = classes)
    }
    found
  }
})

test_that("a planted label comes first, with what it would be", {
  suspects <- mxsuspects(planted()$model)
  table <- suspects$table
  expect_named(table, c(".file", "label", "suggested", "prob", "suggested_prob", "score", "suspect"))
  expect_equal(nrow(table), 60)
  expect_identical(basename(table$.file[1]), "planted.png")
  expect_identical(as.character(table$suggested[1]), planted()$classes[1])
  expect_type(table$suspect, "logical")
  expect_false(is.unsorted(rev(table$score)))
  expect_output(print(suspects), "Suspects: [0-9]+ of 60 images may have a wrong label")
  expect_identical(as.data.frame(suspects), as.data.frame(table))
  expect_named(suspects$copies, c("set", ".file", "label"))
  expect_equal(nrow(suspects$classes), 0)
  withr::local_pdf(NULL)
  expect_identical(plot(suspects, n = 4), suspects)
})

test_that("a mended table is read again: a changed label counts, a deleted row is left out", {
  file <- withr::local_tempfile(fileext = ".csv")
  mxsuspects(planted()$model, file = file)
  table <- utils::read.csv(file)
  expect_named(table, c("file", "label", "suggested", "score"))
  expect_identical(basename(table$file[1]), "planted.png")
  table$label[1] <- planted()$classes[1]
  gone <- table$file[2]
  utils::write.csv(table[-2, ], file, row.names = FALSE)
  images <- as.data.frame(mximages(file))
  expect_equal(nrow(images), 59)
  expect_identical(as.character(images$label[images$file == table$file[1]]), planted()$classes[1])
  expect_false(gone %in% images$file)
})

test_that("another session says the same, and shows the images that it is given", {
  file <- withr::local_tempfile(fileext = ".mxt")
  mxsave(planted()$model, file)
  own <- mxsuspects(planted()$model)
  loaded <- mxsuspects(mxload(file), planted()$folder)
  expect_equal(loaded$table, own$table)
  expect_error(plot(mxsuspects(mxload(file))), "not at hand", class = "mxtune_label_error")
  saved <- withr::local_tempfile(fileext = ".rds")
  saveRDS(own, saved)
  expect_equal(readRDS(saved)$table, own$table)
  expect_error(mxsuspects(planted()$model, file = "suspects.xlsx"), "written as .csv", class = "mxtune_argument_error")
})

test_that("booleans and numbers that are classes come back as such", {
  files <- list.files(planted()$folder, full.names = TRUE, recursive = TRUE)
  is_bag <- basename(dirname(files)) == planted()$classes[2]
  for (labels in list(is_bag, ifelse(is_bag, 10, 2))) {
    images <- mximages(files, labels, task = "classification")
    model <- mxtrain(images, tune = "head", image_size = 48, folds = 3, seed = 1, verbose = 0)
    file <- withr::local_tempfile(fileext = ".csv")
    mxsuspects(model, file = file)
    again <- as.data.frame(mximages(file, task = "classification"))
    in_class <- function(file) file.path(basename(dirname(file)), basename(file))
    expect_setequal(paste(in_class(again$file), again$label), paste(in_class(files), factor(labels)))
  }
})
