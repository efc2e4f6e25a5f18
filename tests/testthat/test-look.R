# What a browser would do, in another process: R waits for the page.
visits <- function(...) {
  lines <- c(
    "import json, sys, urllib.request",
    "def post(address, path, told):",
    "    headers = {'Content-Type': 'application/json'}",
    "    request = urllib.request.Request(address + path, json.dumps(told).encode(), headers)",
    "    return urllib.request.urlopen(request, timeout=30).read()",
    "for decision, row, label in json.loads(sys.argv[2]):",
    "    post(sys.argv[1], 'decide', {'row': row, 'decision': decision, 'label': label})",
    "post(sys.argv[1], 'done', {})"
  )
  script <- withr::local_tempfile(lines = lines, fileext = ".py", .local_envir = parent.frame())
  python <- reticulate::py_config()$python
  told <- paste0("[", paste(..., sep = ", "), "]")
  function(address) system2(python, c(script, shQuote(address), shQuote(told)), wait = FALSE)
}

test_that("what is decided on the page comes back, and mximages() takes it", {
  photos <- some_fashion(n = 5)
  classes <- list.files(photos)
  table <- withr::local_tempfile(fileext = ".csv")
  visit <- visits(sprintf('["relabel", 0, "%s"]', classes[2]), '["drop", 1, null]', '["keep", 2, null]')
  expect_invisible(decisions <- mxlook(photos, decisions = table, show = visit))
  expect_s3_class(decisions, "data.frame")
  expect_identical(decisions$decision[1:4], c("relabel", "drop", "keep", ""))
  expect_identical(decisions$was[1], classes[1])
  expect_true(all(file.exists(decisions$file)))
  counts <- function(x) as.vector(table(as.data.frame(mximages(x))$label))
  expect_identical(counts(decisions), c(3L, 6L, 5L))
  expect_identical(counts(table), c(3L, 6L, 5L))
})

test_that("it goes on where it was left, on a set of images", {
  images <- mximages(some_fashion(n = 5))
  table <- withr::local_tempfile(fileext = ".csv")
  mxlook(images, decisions = table, show = visits('["drop", 1, null]'))
  decisions <- mxlook(images, decisions = table, show = visits('["keep", 0, null]'))
  expect_identical(decisions$decision[1:3], c("keep", "drop", ""))
})

test_that("of several labels one is set, another cleared", {
  files <- list.files(some_fashion(n = 4), recursive = TRUE, full.names = TRUE)
  labels <- lapply(basename(dirname(files)), c, "item")
  table <- withr::local_tempfile(fileext = ".csv")
  visit <- visits('["relabel", 0, ["item", "new"]]', '["relabel", 1, ["item", "new"]]')
  decisions <- mxlook(mximages(files, labels), decisions = table, show = visit)
  expect_identical(decisions$new[1:3], c(TRUE, TRUE, FALSE))
  columns <- setdiff(names(decisions), c("file", "decision", "was"))
  for (x in list(table, decisions)) {
    read <- as.data.frame(mximages(x, label = columns))
    expect_identical(as.list(read[1, columns]), as.list(setNames(columns %in% c("item", "new"), columns)))
  }
})

test_that("what can't be looked through is an error of its kind", {
  expect_error(mxlook(some_fashion(n = 2), decisions = "x.xlsx"), "written as .csv", class = "mxtune_argument_error")
  expect_error(mxlook(some_fashion(n = 2), move = 1), "`move`", class = "mxtune_argument_error")
  expect_error(mxlook(label ~ path), "mxlook(mximages(label ~ path", fixed = TRUE, class = "mxtune_argument_error")
  expect_error(mxlook(), "x", class = "rlang_error")
})
