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
  expect_s3_class(withr::with_pdf(NULL, plot(model)), "ggplot")
})

test_that("base graphics draw the same where ggplot2 is missing", {
  model <- small_model()
  curves <- long_history(model$history)
  expect_gt(drawn(base_history(curves, model)), 2000)
  expect_gt(drawn(base_confusion(mxconfusion(model, small_folder()))), 2000)
})
