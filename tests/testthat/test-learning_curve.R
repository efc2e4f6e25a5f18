test_that("a learning curve is measured, told and drawn", {
  model <- mxtrain(mxexample("fashion"), tune = "head", image_size = 32, seed = 1, verbose = 0)
  curve <- mxlearning_curve(model)
  expect_named(curve$table, c("images", "per_class", "accuracy", "lower", "upper", "fitted"))
  expect_equal(max(curve$table$images), 320)
  expect_identical(as.data.frame(curve), as.data.frame(curve$table))
  expect_named(curve$classes, c("level", "n", "recall", "gain", "lower", "upper", "short"))
  expect_equal(curve$classes$n, rep(40, 10))
  expect_equal(curve$n, 400)
  expect_length(curve$gain_interval, 2)
  expect_true(curve$gain_interval[1] < curve$gain && curve$gain < curve$gain_interval[2])
  expect_output(print(curve), "Learning curve: accuracy .* with 400 images")
  withr::local_pdf(NULL)
  expect_s3_class(plot(curve), "ggplot")
  expect_s3_class(plot(model, "learning_curve"), "ggplot")
  expect_identical(base_plot(curve), curve)
})

base_plot <- function(curve) {
  testthat::with_mocked_bindings(plot(curve), is_installed = function(...) FALSE, .package = "rlang")
}

test_that("a model that does not know its images says what to give", {
  expect_error(mxlearning_curve(small_model()), "does not know all the images", class = "mxtune_label_error")
})
