# Defaults are written once, in Python, and R's signatures show them: scripts/write_signatures.py writes them.

shown <- function(f) {
  formals <- formals(f)
  defaults <- vapply(formals, function(default) paste(deparse(default), collapse = ""), "")
  unname(ifelse(nzchar(defaults), paste(names(formals), "=", defaults), names(formals)))
}

test_that("R's signatures show Python's arguments and defaults, in the same order", {
  signatures <- engine_call("signatures")
  expect_gt(length(signatures), 15)
  for (name in names(signatures)) {
    f <- get(name, asNamespace("mxtune"))
    expect_identical(shown(f), as.character(signatures[[name]]), label = name)
  }
})

test_that("args() and completion show a user what there is", {
  expect_identical(formals(mxtrain)$net, "auto")
  expect_identical(formals(mximages)$on_bad, "error")
})

test_that("advice on columns is one that R's own signature takes", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  frame <- data.frame(shot = files, note = files, who = basename(dirname(files)))
  expect_error(mximages(frame), "No column contains image paths.", fixed = TRUE, class = "mxtune_argument_error")
  images <- mximages(frame, path = "shot", label = "who")
  expect_identical(images$levels, c("ankle_boot", "bag", "coat"))
})
