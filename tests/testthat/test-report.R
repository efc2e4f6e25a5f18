drawn <- function(code) {
  file <- withr::local_tempfile(fileext = ".png")
  grDevices::png(file)
  force(code)
  grDevices::dev.off()
  file.size(file)
}

test_that("each kind of plot is drawn, by ggplot2 and without it", {
  model <- small_model()
  for (kind in c("history", "confusion", "per_class", "calibration", "top_losses")) {
    expect_gt(drawn(of_trained(plot(model, kind, data = small_folder()))), 2000, label = kind)
  }
  for (kind in c("confusion", "per_class", "calibration", "top_losses")) {
    expect_gt(drawn(plot(model, kind)), 2000, label = paste(kind, "of the validation"))
  }
  shown <- withr::with_pdf(NULL, plot(model))
  expect_s3_class(shown, "ggplot")
  expect_identical(shown$labels$x, "predicted")
})

test_that("base graphics draw the same where ggplot2 is missing", {
  model <- small_model()
  curves <- long_history(model$history)
  expect_gt(drawn(base_history(curves, model)), 2000)
  expect_identical(metric_limits("accuracy", c(0.95, 1)), c(0.9, 1))
  expect_gt(drawn(base_confusion(mxconfusion(model))), 2000)
  expect_gt(drawn(base_per_class(worst_classes(mxper_class(model)), NULL)), 2000)
  numbers <- data.frame(level = rep(c("a", "b"), 5), predicted = 1:10, observed = 10:1)
  for (table in list(mxcalibration(model), numbers)) {
    expect_gt(drawn(base_calibration(calibration_panels(table), calibration_words(table))), 2000)
  }
})

test_that("the calibration that is drawn has the table's numbers, those of each label where there are several", {
  model <- small_model()
  table <- mxcalibration(model)
  expect_identical(sum(table$n), model$metrics$n)
  expect_equal(sum(table$n * table$observed, na.rm = TRUE) / sum(table$n), model$metrics$accuracy)
  shown <- withr::with_pdf(NULL, plot(model, "calibration"))
  expect_equal(ggplot2::layer_data(shown, 1)$y, table$observed[table$n > 0])
  expect_match(levels(shown$data$panel), sprintf("expected calibration error %.3g", sum(table$error)), fixed = TRUE)

  labels <- do.call(rbind, lapply(1:14, function(k) cbind(level = paste("label", k), table)))
  labels$error <- labels$error + rep(14:1, each = 15) / 15
  panels <- calibration_panels(labels)
  expect_length(panels, 12)
  expect_match(names(panels)[1], "^label 1\n")
  numbers <- data.frame(level = rep(c("width", "weight"), each = 3), predicted = 1:6, observed = c(2, 2, 2, 4, 5, 9))
  both <- withr::with_pdf(NULL, plot_calibration(numbers, model))
  expect_identical(levels(both$data$panel), c("width\nRMSE 0.816, 3 images", "weight\nRMSE 1.73, 3 images"))
})

test_that("classes are drawn worst first, and forty at most", {
  table <- data.frame(level = paste("class", 1:50), n = 7L, precision = 0.5, recall = (50:1) / 50)
  worst <- worst_classes(table)
  expect_identical(nrow(worst), 40L)
  expect_identical(worst$name[1], "class 50 (7)")
  expect_gt(drawn(plot_per_class(table, NULL)), 2000)
})

test_that("an image that the model was wrong about is titled by file, truth and prediction, or by its loss", {
  worst <- data.frame(.file = "a/1.png", truth = "bag", .pred_class = "coat", prob = 0.01, .pred_prob = 0.9, loss = 4.6)
  expect_identical(loss_titles(worst), "1.png\ntruth: bag (0.01)\npredicted: coat (0.90)")
  expect_identical(loss_titles(data.frame(.file = "1.png", loss = 1.234)), "1.png\nloss 1.23")
  worst$truth <- trimws(strrep("long ", 9))
  expect_match(loss_titles(worst), "\ntruth: long long long lo\u2026g (0.01)\n", fixed = TRUE)
})

test_that("the epoch with the lowest validation loss is ringed, where there is one", {
  history <- data.frame(stage = "all", train_loss = 3:1, valid_loss = c(2, 1, 3))
  ringed <- withr::with_pdf(NULL, plot_history(list(history = history)))
  expect_identical(ggplot2::layer_data(ringed, 3)$x, 2)
  bare <- withr::with_pdf(NULL, plot_history(list(history = history[1:2])))
  expect_null(bare$labels$caption)
})
