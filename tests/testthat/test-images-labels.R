# Labels, and the columns of a data frame: what is used as R means it, and what is refused by name.

some_files <- function(n = 8) list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE)[seq_len(n)]

# Columns of classes that mean something of their own, as packages make them.
odd_columns <- function(n) {
  list(
    difftime = as.difftime(seq_len(n), units = "mins"),
    hms = structure(seq_len(n) + 0, class = c("hms", "difftime"), units = "secs"),
    haven_labelled = structure(
      rep(c(1, 2), length.out = n),
      labels = c(yes = 1, no = 2), class = c("haven_labelled", "vctrs_vctr", "double")
    ),
    units = structure(seq_len(n), class = "units"),
    complex = complex(n, 1, 2),
    raw = as.raw(seq_len(n)),
    matrix = matrix(seq_len(2 * n), n),
    data.frame = data.frame(a = seq_len(n), b = letters[seq_len(n)]),
    numeric_version = numeric_version(rep("1.0", n)),
    list = rep(list(mean), n)
  )
}

with_column <- function(frame, column) {
  frame$odd <- column
  frame
}

test_that("a column of any class stops nothing beside paths and labels", {
  files <- some_files()
  frame <- data.frame(file = files, kind = rep(c("a", "b"), 4))
  model <- small_model()
  expected <- predict(model, frame)
  times <- list(integer64 = structure(seq_len(8) + 0, class = "integer64"), time = Sys.time() + 1:8)
  for (column in c(odd_columns(8), times)) {
    both <- with_column(frame, column)
    expect_identical(predict(model, both), expected)
    expect_named(augment(model, both), c("file", "kind", "odd", ".pred_class"))
    expect_identical(mximages(both, label = "kind")$levels, c("a", "b"))
  }
  lists <- structure(list(file = files, time = as.POSIXlt(Sys.time() + 1:8)), class = "data.frame", row.names = 1:8)
  expect_identical(predict(model, lists), expected)
})

test_that("where such a class is the label the error names the column and what to do", {
  files <- some_files()
  columns <- odd_columns(8)
  for (class in names(columns)) {
    both <- with_column(data.frame(file = files), columns[[class]])
    error <- expect_error(mximages(both, label = "odd"), class = "mxtune_label_error")
    expect_match(error$headline, paste0("The column \"odd\" can't be used: it is of class ", class), fixed = TRUE)
    expect_true(nzchar(error$hint))
  }
  for (class in setdiff(names(columns), c("matrix", "data.frame"))) {
    wait <- columns[[class]]
    error <- expect_error(mximages(wait ~ files, data = data.frame()), class = "mxtune_label_error")
    expect_match(error$headline, paste0("`wait` can't be labels: it is of class ", class), fixed = TRUE)
    expect_error(mximages(files, wait), "`y` can't be labels", class = "mxtune_label_error")
  }
  hint <- tryCatch(mximages(files, columns$haven_labelled), mxtune_label_error = function(e) e$hint)
  expect_identical(hint, "haven::as_factor(y) makes classes of it, as.numeric(y) numbers.")
})

test_that("dates, times and logical values are classes as factor() writes them", {
  files <- some_files()
  days <- as.Date("2024-03-01") + rep(c(40, 0, 9, 200), 2)
  times <- as.POSIXct("2024-03-01 08:30:00", tz = "Europe/Vienna") + rep(c(0, 3600, 86400, 60), 2)
  for (y in list(days, times, rep(c(TRUE, FALSE), 4), factor(letters[1:8])[c(3, 4)])) {
    y <- rep(y, length.out = 8)
    expected <- levels(factor(y))
    images <- suppressWarnings(mximages(files, y), classes = "mxtune_warning")
    expect_identical(images$levels, expected)
    frame <- data.frame(file = files, label = y)
    expect_identical(suppressWarnings(mximages(frame), classes = "mxtune_warning")$levels, expected)
    images <- suppressWarnings(mximages(y ~ files, data = data.frame()), classes = "mxtune_warning")
    expect_identical(images$levels, expected)
  }
  expect_identical(mximages(files, as.POSIXlt(times))$levels, levels(factor(times)))
})

test_that("numbered classes have the levels that factor() gives them", {
  files <- some_files()
  for (y in list(rep(c(1e5, 2e5), 4), rep(c(100000L, 3L), 4), rep(c(0.1 + 0.2, 1e-5), 4), rep(c(1e15, 123456.5), 4))) {
    images <- mximages(files, y, task = "classification")
    expect_identical(images$levels, levels(factor(y)))
    again <- mximages(files, y, levels = rev(levels(factor(y))))
    expect_identical(again$levels, rev(levels(factor(y))))
  }
})

test_that("paths may be a factor, AsIs, noquote or a column of these", {
  files <- some_files(2)
  expected <- predict(small_model(), files)
  for (paths in list(factor(files), I(files), noquote(files), I(factor(files)), as.list(files), as.matrix(files))) {
    expect_identical(predict(small_model(), paths), expected)
  }
  for (paths in list(factor(files), I(files), noquote(files))) {
    frame <- structure(list(file = paths), class = "data.frame", row.names = 1:2)
    expect_identical(predict(small_model(), frame), expected)
  }
  expect_identical(predict(small_model(), c(here = files[1])), expected[1, ])
})

test_that("a raw vector is one image's bytes, alone and in a list or a column", {
  files <- some_files(2)
  bytes <- lapply(files, readBin, "raw", 1e5)
  expected <- predict(small_model(), files, type = "prob")[-1]
  expect_identical(predict(small_model(), bytes[[1]]), tibble::tibble(.file = "[1]", expected[1, 1]))
  expect_identical(predict(small_model(), bytes, type = "prob")[-1], expected)
  blob <- structure(bytes, class = c("blob", "vctrs_list_of", "vctrs_vctr", "list"))
  expect_identical(predict(small_model(), blob, type = "prob")[-1], expected)
  expect_identical(predict(small_model(), data.frame(image = I(bytes)), type = "prob")[-1], expected)
  expect_warning(told <- predict(small_model(), list(files[1], NULL, NA)), class = "mxtune_picture_warning")
  expect_identical(is.na(told$.pred_class), c(FALSE, TRUE, TRUE))
  for (missing in list(NA_character_, list(NA_character_), factor(NA), data.frame(file = NA_character_))) {
    expect_warning(told <- predict(small_model(), missing), class = "mxtune_picture_warning")
    expect_identical(is.na(told$.pred_class), TRUE)
  }
  expect_error(predict(small_model(), list(files)), "can't hold an object of class character")
})

test_that("columns of a data frame hold images as other packages keep them", {
  files <- some_files(2)
  bytes <- lapply(files, readBin, "raw", 1e5)
  expected <- predict(small_model(), files, type = "prob")[-1]
  blob <- structure(bytes, class = c("blob", "vctrs_list_of", "vctrs_vctr", "list"), ptype = raw())
  arrow <- structure(bytes, class = c("arrow_binary", "vctrs_vctr", "list"))
  pairs <- tibble::tibble(bytes = list(bytes[[1]], NULL), path = c("elsewhere.png", files[2]))
  for (column in list(blob, arrow, pairs)) {
    frame <- tibble::tibble(image = column, label = c("a", "b"))
    expect_identical(predict(small_model(), frame, type = "prob")[-1], expected)
    expect_length(suppressWarnings(mximages(frame)), 2)
  }
})

test_that("two columns of one name stop nothing, unless that name is asked for", {
  frame <- data.frame(file = some_files(), kind = rep(c("a", "b"), 4), n = 1, n = 2, check.names = FALSE)
  expect_identical(mximages(frame, label = "kind")$levels, c("a", "b"))
  expect_error(mximages(frame, label = "n"), "Several columns are called \"n\"", class = "mxtune_argument_error")
})

test_that("levels without images are kept when asked, else the hint says droplevels()", {
  files <- some_files()
  y <- factor(rep(c("a", "b"), 4), levels = c("b", "never", "a"))
  expect_identical(mximages(files, y, levels = levels(y))$levels, c("b", "never", "a"))
  warning <- expect_warning(images <- mximages(files, y), class = "mxtune_label_warning")
  expect_identical(images$levels, c("b", "a"))
  expect_identical(warning$bullets, "never")
  expect_match(warning$hint, "levels = levels(y) in mximages() keeps them, droplevels(y)", fixed = TRUE)
  expect_no_warning(mximages(files, droplevels(y)))
})
