test_that("a model that forgot its images predicts the same, and is smaller", {
  fit <- small_model()
  small <- mxforget(fit)
  expect_identical(predict(small, small_folder(), type = "prob"), predict(fit, small_folder(), type = "prob"))
  expect_lt(length(mxforget(fit, "memory")$bytes), length(fit$bytes))
  expect_lt(length(small$bytes), length(mxforget(fit, "memory")$bytes))
  expect_error(mxnearest(small, small_folder()), "remembers nothing", class = "mxtune_argument_error")
  expect_error(mxforget(fit, "names"), "what", class = "mxtune_argument_error")
})

test_that("butcher takes the same away, and tells what is lost", {
  fit <- small_model()
  methods <- methods_for_others()$butcher
  axed <- methods$axe_fitted(methods$axe_data(fit))
  expect_equal(length(axed$bytes), length(mxforget(fit)$bytes))
  expect_setequal(
    attr(axed, "butcher_disabled"),
    c("mxnearest()", "plot(kind = \"map\")", "mxsuspects()", "predict(type = \"set\")")
  )
  expect_identical(predict(axed, small_folder()), predict(fit, small_folder()))
})
