test_that("example images are found, as in Python", {
  expect_identical(mxexample(), "fashion")
  expect_length(list.files(mxexample("fashion")), 10)
  theirs <- engine_call("mxexample", arguments = list(name = "fashion"))
  expect_identical(list.files(theirs), list.files(mxexample("fashion")))
})
