drawn <- function(code) {
  file <- withr::local_tempfile(fileext = ".png")
  grDevices::png(file)
  force(code)
  grDevices::dev.off()
  file.size(file)
}

test_that("each kind of plot is drawn, by ggplot2 and without it", {
  model <- small_model()
  for (kind in c("history", "confusion", "top_losses")) {
    expect_gt(drawn(plot(model, kind, data = small_folder())), 2000, label = kind)
  }
  for (kind in c("confusion", "top_losses")) {
    expect_gt(drawn(plot(model, kind)), 2000, label = paste(kind, "of the validation"))
  }
  shown <- withr::with_pdf(NULL, plot(model))
  expect_s3_class(shown, "ggplot")
  expect_identical(shown$labels$x %||% "prediction", "prediction")
})

test_that("base graphics draw the same where ggplot2 is missing", {
  model <- small_model()
  curves <- long_history(model$history)
  expect_gt(drawn(base_history(curves, model)), 2000)
  expect_gt(drawn(base_confusion(mxconfusion(model, small_folder()))), 2000)
})

test_that("an image that the model was wrong about is titled by file, truth and prediction, or by its loss", {
  worst <- data.frame(.file = "a/1.png", truth = "bag", .pred_class = "coat", prob = 0.01, .pred_prob = 0.9, loss = 4.6)
  expect_identical(loss_titles(worst), "1.png\ntruth: bag (0.01)\npredicted: coat (0.90)")
  expect_identical(loss_titles(data.frame(.file = "1.png", loss = 1.234)), "1.png\nloss 1.23")
})

test_that("the epoch with the lowest validation loss is ringed, where there is one", {
  history <- data.frame(stage = "all", train_loss = 3:1, valid_loss = c(2, 1, 3))
  ringed <- withr::with_pdf(NULL, plot_history(list(history = history)))
  expect_identical(ggplot2::layer_data(ringed, 3)$x, 2)
  bare <- withr::with_pdf(NULL, plot_history(list(history = history[1:2])))
  expect_null(bare$labels$caption)
})
