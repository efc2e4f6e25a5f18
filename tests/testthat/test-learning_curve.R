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
  expect_s3_class(plot(curve), "ggplot")
  expect_s3_class(plot(model, "learning_curve"), "ggplot")
})

test_that("it is drawn without ggplot2, too", {
  line <- data.frame(images = c(10, 100, 200), value = c(0.5, 0.7, 0.75), lower = 0.4, upper = 0.8)
  marks <- cbind(line[2:3, ], text = c("100: 0.7", "200: 0.75"))
  file <- withr::local_tempfile(fileext = ".png")
  grDevices::png(file)
  base_learning_curve(line[1:2, ], line, marks, 2L, "accuracy")
  grDevices::dev.off()
  expect_gt(file.size(file), 2000)
})

test_that("a model that does not know its images says what to give", {
  expect_error(mxlearning_curve(small_model()), "does not know all the images", class = "mxtune_label_error")
})
