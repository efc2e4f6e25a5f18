test_that("mxinfo() tells what is used, and prints it", {
  info <- mxinfo()
  expect_s3_class(info, "mxinfo")
  expect_identical(info$version, as.character(utils::packageVersion("mxtune")))
  expect_identical(normalizePath(dirname(info$folder)), engine_folder())
  expect_named(info$problems, c("what", "remedy"))
  text <- capture.output(print(info))
  expect_match(text[1], "^R .*, mxtune .*, reticulate ")
})

test_that("without Python mxinfo() still answers, with the one command", {
  info <- fresh(function() mxtune::mxinfo(), env = c(RETICULATE_PYTHON = "/nowhere/python"))
  expect_match(info$problems$what, "No Python was found")
  expect_match(info$problems$remedy, "install_mxtune()", fixed = TRUE)
  expect_output(print(info), "install_mxtune()", fixed = TRUE)
})
