test_that("a model knows what int8 costs it, and predicts in it where that is asked for", {
  photos <- list.files(mxexample("fashion"), recursive = TRUE, full.names = TRUE)
  some <- seq_along(photos) %% 2 == 0
  labels <- basename(dirname(photos))
  model <- mxtrain(photos[some], labels[some], tune = "head", image_size = 32, seed = 1, engine = "mxnet", verbose = 0)
  if (!mxtune:::has_engine("int8")) {
    expect_error(mxquantize(model, photos[!some], labels[!some]), "VNNI", class = "mxtune_argument_error")
    return()
  }
  quick <- mxquantize(model, photos[!some], labels[!some])
  expect_s3_class(quick, "mxmodel")
  expect_output(print(summary(quick)), "int8 .*times as fast; accuracy .* on 200 images")
  file <- withr::local_tempfile(fileext = ".mxt")
  mxsave(quick, file)
  low <- mxload(file, device = "cpu", engine = "mxnet", precision = "int8")
  before <- predict(model, photos[!some], type = "prob")$.pred_bag
  after <- predict(low, photos[!some], type = "prob")$.pred_bag
  expect_false(identical(after, before))
  expect_gt(cor(after, before), 0.99)
  mxsave(model, file)
  expect_error(mxload(file, precision = "int8"), "does not know the ranges", class = "mxtune_argument_error")
  expect_error(mxquantize(model, y = labels), "no images", class = "mxtune_argument_error")
})
