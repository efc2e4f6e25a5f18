test_that("a model is measured on its own validation pictures and on others", {
  model <- small_model()
  own <- mxevaluate(model)
  expect_named(own, c(".metric", ".estimate"))
  expect_true(all(c("accuracy", "log_loss") %in% own$.metric))
  all <- mxevaluate(model, small_folder())
  expect_equal(all$.estimate[all$.metric == "n"], 36)
})

test_that("the confusion has the truth in rows, in the model's order", {
  counts <- mxconfusion(small_model(), small_folder())
  expect_identical(dimnames(counts), list(truth = small_model()$levels, prediction = small_model()$levels))
  expect_equal(unname(rowSums(counts)), rep(12, 3))
  told <- predict(small_model(), small_folder())
  expect_equal(unname(colSums(counts)), unname(as.vector(table(told$.pred_class))))
})

test_that("the worst pictures come first", {
  worst <- mxtop_losses(small_model(), small_folder(), n = 4)
  expect_equal(nrow(worst), 4)
  expect_true(all(c(".file", "truth", ".pred_class", "prob", "loss") %in% names(worst)))
  expect_false(is.unsorted(rev(worst$loss)))
})
