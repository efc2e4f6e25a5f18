test_that("a model is measured on its own validation images and on others", {
  model <- small_model()
  own <- mxevaluate(model)
  expect_named(own, c(".metric", ".estimate", ".lower", ".upper"))
  expect_true(all(c("accuracy", "log_loss") %in% own$.metric))
  all <- of_trained(mxevaluate(model, small_folder()))
  expect_equal(all$.estimate[all$.metric == "n"], 36)
})

test_that("the confusion has the truth in rows, in the model's order", {
  counts <- of_trained(mxconfusion(small_model(), small_folder()))
  expect_identical(dimnames(counts), list(truth = small_model()$levels, prediction = small_model()$levels))
  expect_equal(unname(rowSums(counts)), rep(12, 3))
  told <- predict(small_model(), small_folder())
  expect_equal(unname(colSums(counts)), unname(as.vector(table(told$.pred_class))))
})

test_that("the worst images come first", {
  worst <- of_trained(mxtop_losses(small_model(), small_folder(), n = 4))
  expect_equal(nrow(worst), 4)
  expect_true(all(c(".file", "truth", ".pred_class", "prob", "loss") %in% names(worst)))
  expect_false(is.unsorted(rev(worst$loss)))
})

test_that("without images all is about the validation that the model remembers, in another session too", {
  file <- withr::local_tempfile(fileext = ".mxt")
  mxsave(small_model(), file)
  for (model in list(small_model(), mxload(file))) {
    own <- mxevaluate(model)
    of <- function(name) own$.estimate[own$.metric == name]
    counts <- mxconfusion(model)
    expect_equal(sum(counts), of("n"))
    expect_equal(sum(diag(counts)) / sum(counts), of("accuracy"))
    classes <- mxper_class(model)
    expect_equal(mean(classes$recall), of("balanced_accuracy"))
    expect_equal(nrow(mxtop_losses(model, n = 3)), 3)
  }
  expect_warning(
    mxevaluate(small_model(), small_folder()), "used to train this model",
    class = "mxtune_picture_warning"
  )
})

test_that("a model is judged on the part of a table that was kept for that, whatever other columns it has", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  frame <- data.frame(image = files, kind = basename(dirname(files)))
  frame$use <- rep_len(c("train", "train", "val", "test"), length(files))
  fit <- of_few(mxtrain(kind ~ image, data = frame, split = "use", net = "lenet", epochs = 1, seed = 1, verbose = 0))
  test <- frame[frame$use == "test", ]
  expect_identical(mxevaluate(fit, frame, label = "kind", split = "use"), mxevaluate(fit, kind ~ image, test))
  expect_identical(mxevaluate(fit, kind ~ image, frame, split = "use"), mxevaluate(fit, kind ~ image, test))
  expect_equal(sum(mxconfusion(fit, frame, label = "kind", split = "use")), nrow(test))
  expect_equal(sum(mxper_class(fit, frame, label = "kind", split = "use")$n), nrow(test))
  expect_setequal(mxtop_losses(fit, frame, label = "kind", split = "use", n = 99)$.file, test$image)
  frame$file <- rev(files)
  expect_identical(predict(fit, frame)$.file, files)
  expect_identical(augment(fit, frame)$.pred_class, predict(fit, files)$.pred_class)
})
