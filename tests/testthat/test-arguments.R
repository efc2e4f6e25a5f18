mistyped <- function(code, hint) {
  told <- expect_error(code, class = "mxtune_argument_error")
  expect_match(told$headline, "There is no argument", fixed = TRUE)
  expect_match(told$hint, hint, fixed = TRUE)
}

test_that("a mistyped argument is answered by the one that was probably meant", {
  model <- small_model()
  mistyped(predict(model, new_data = small_folder()), "Did you mean `newdata`?")
  mistyped(predict(model, small_folder(), tpye = "prob"), "Did you mean `type`?")
  mistyped(augment(model, new_data = small_folder()), "Did you mean `data`?")
  mistyped(augment(model, small_folder(), typ = "prob"), "Did you mean `type`?")
  mistyped(mxtrain(small_folder(), learning_rate = 1), "Did you mean `lr`?")
  mistyped(mxtrain(small_folder(), num_epochs = 1), "Did you mean `epochs`?")
  mistyped(mxtrain(small_folder(), network = "lenet"), "Did you mean `net`?")
  mistyped(mximages(small_folder(), lables = "a"), "Did you mean `label`?")
  mistyped(mxnetwork("lenet", foo = 1), "Arguments: x, weights")
  mistyped(mxload("a.mxt", limits = 2), "Did you mean `limit`?")
  mistyped(mxevaluate(model, model, labels = 1), "Did you mean `label`?")
  mistyped(plot(model, type = "history"), "Arguments: x, kind")
  mistyped(mxcut(mxnetwork("lenet"), "conv1", layers = "conv2"), "Did you mean `layer`?")
})

test_that("a value that no argument takes is named", {
  told <- expect_error(mxload("a.mxt", 1, "more"), class = "mxtune_argument_error")
  expect_identical(told$bullets, "no argument takes \"more\"")
})

test_that("a formula of several columns, or of all, is refused in words", {
  frame <- data.frame(file = list.files(small_folder(), recursive = TRUE, full.names = TRUE), n = 1)
  frame$kind <- basename(dirname(frame$file))
  for (formula in list(
    kind ~ ., . ~ file, kind ~ file + n, kind + n ~ file, kind ~ file | n, kind ~ (file:n), kind ~ file - 1
  )) {
    told <- expect_error(mximages(formula, frame), class = "mxtune_argument_error")
    expect_identical(told$headline, "A formula takes one column of labels and one of paths.")
  }
  expect_identical(mximages(kind ~ file.path(dirname(file), basename(file)), frame)$task, "classification")
  expect_identical(mximages(n * 2 + 1 ~ file, frame, task = "regression")$n, nrow(frame))
  expect_error(mximages(kind ~ flie, frame), "Did you mean `file`?", fixed = TRUE)
})

test_that("citation() names the package, and what it computes with", {
  expect_match(paste(format(citation("mxtune")), collapse = " "), "mxtune: Fine-Tune Pretrained .*MXNet")
})
