folded <- local({
  model <- NULL
  function() {
    if (is.null(model)) {
      model <<- mxtrain(small_folder(), tune = "head", image_size = 48, folds = 3, seed = 1, verbose = 0)
    }
    model
  }
})

test_that("each image is predicted by a model that has not seen it", {
  model <- folded()
  table <- mxout_of_fold(model)
  expect_named(table, c(".file", "truth", ".pred_class", "prob", ".pred_prob", "fold"))
  expect_setequal(table$fold, 1:3)
  accuracy <- mean(as.character(table$truth) == as.character(table$.pred_class))
  measured <- mxevaluate(model)
  expect_named(measured, c(".metric", ".estimate", ".lower", ".upper"))
  expect_equal(measured$.estimate[1], accuracy)
  expect_true(all(measured$.lower <= measured$.estimate & measured$.estimate <= measured$.upper, na.rm = TRUE))
  expect_output(print(model), "images out of fold|images\\s+out of fold")
  row <- glance(model)
  expect_true(row$accuracy_lower <= row$accuracy && row$accuracy <= row$accuracy_upper)
  file <- withr::local_tempfile(fileext = ".mxt")
  mxsave(model, file)
  expect_equal(mxout_of_fold(mxload(file)), table)
})

test_that("sets are lists of classes, and below a probability nothing is predicted", {
  sets <- predict(folded(), small_folder(), type = "set", level = 0.8)
  expect_named(sets, c(".file", ".pred_class", ".pred_set"))
  expect_type(sets$.pred_set, "list")
  expect_identical(vapply(sets$.pred_set, `[`, "", 1), as.character(sets$.pred_class))
  silent <- predict(folded(), small_folder(), abstain = 0.999999)
  expect_identical(is.na(silent$.pred_class), !is.na(silent$.abstained))
  expect_error(predict(folded(), small_folder(), type = "set", level = 1), "above 0", class = "mxtune_argument_error")
})

test_that("what is unlike all training images is novel", {
  known <- predict(folded(), small_folder(), type = "prob", novelty = TRUE)
  expect_identical(utils::tail(names(known), 2), c(".novelty", ".is_novel"))
  expect_type(known$.is_novel, "logical")
  stripes <- array(rep(c(0L, 255L), 28 * 14 * 2), c(2, 28, 28))
  expect_true(all(predict(folded(), stripes, novelty = TRUE)$.is_novel))
  expect_warning(measured <- mxevaluate(folded(), small_folder()), "used to train this model")
  expect_true("novel" %in% measured$.metric)
  net <- mxnetwork("efficientnet_lite0")
  expect_error(predict(net, stripes, novelty = TRUE), "remembers nothing", class = "mxtune_argument_error")
})

test_that("folds that can't be are refused", {
  expect_error(mxtrain(small_folder(), folds = 2), "from 3 to 20", class = "mxtune_argument_error")
  expect_error(mxtrain(small_folder(), folds = 5, valid = 0.2), "Leave `valid` out", class = "mxtune_argument_error")
  expect_error(mxout_of_fold(small_model()), "Train it with folds = 5", class = "mxtune_label_error")
})
