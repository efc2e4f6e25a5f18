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
  told <- expect_error(mxload("a.mxt", 1, "cpu", "auto", "auto", "more"), class = "mxtune_argument_error")
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

test_that("names on what was picked by name are dropped, and factors are texts", {
  grid <- expand.grid(epochs = 1, lr = c(1e-3, 1e-2), net = "lenet")
  set <- unlist(grid[2, 1:2])
  train <- function(...) suppressWarnings(mxtrain(small_folder(), seed = 1, ...), classes = "mxtune_warning")
  expected <- weights_digest(train(net = "lenet", tune = "all", epochs = 1, lr = 1e-2))
  ways <- list(
    list(net = grid$net[2], tune = c(how = "all"), epochs = set["epochs"], lr = set["lr"]),
    list(net = list(name = "lenet"), tune = factor("all"), epochs = grid[2, "epochs", drop = FALSE], lr = grid$lr[2]),
    list(net = "lenet", tune = "all", epochs = list(epochs = 1), lr = tibble::as_tibble(grid)[2, "lr"])
  )
  for (way in ways) {
    expect_identical(weights_digest(do.call(train, way)), expected)
  }
  file <- withr::local_tempfile(fileext = ".mxt")
  mxsave(small_model(), c(model = file))
  expect_s3_class(mxload(c(model = file)), "mxmodel")
  expect_identical(mxnetwork("lenet", image_size = c(height = 32, width = 40))$image_size, c(32L, 40L))
})

test_that("where names have a meaning they keep it", {
  weights <- c(bag = 2)
  train <- function(weights) {
    fit <- function(...) mxtrain(small_folder(), net = "lenet", tune = "all", epochs = 1, seed = 1, ...)
    suppressWarnings(fit(class_weights = weights), classes = "mxtune_warning")
  }
  expect_identical(weights_digest(train(weights)), weights_digest(train(c(1, 2, 1))))
  expect_identical(mxtrain(small_folder(), tune = "head", seed = 1, meta = c(title = "Bags"))$meta$title, "Bags")
  expect_identical(mxnetwork("lenet", preprocess = list(size = 32))$image_size, c(32L, 32L))
})

test_that("a call without what it needs says so, whatever else it has", {
  verbs <- c(
    mxtrain = "x", mximages = "x", mxload = "path", mxsave = "model", mxnetwork = "x", mxlayers = "net",
    mxcut = "net", mxreplace_head = "net", mxfreeze = "net", mxunfreeze = "net", mxinsert = "net", mxremove = "net",
    mxrename = "net", mxevaluate = "model", mxconfusion = "model", mxtop_losses = "model", mxper_class = "model",
    mxcalibration = "model"
  )
  for (verb in names(verbs)) {
    error <- expect_error(get(verb)(), class = "mxtune_argument_error")
    expect_identical(error$headline, paste0("`", verbs[[verb]], "` is missing."))
    expect_true(nzchar(error$hint))
  }
  expect_error(mxtrain(y = letters), "`x` is missing", class = "mxtune_argument_error")
  expect_error(mxtrain(data = data.frame()), "label ~ path with `data`", class = "mxtune_argument_error")
  expect_error(mxcut(mxnetwork("lenet")), "`layer` is missing", class = "mxtune_argument_error")
  expect_error(mxevaluate(small_model(), y = letters), "Give `x`, too", class = "mxtune_argument_error")
  expect_error(predict(small_model(), ""), "`newdata` must be a path", class = "mxtune_argument_error")
})

test_that("values in errors are written as R writes them", {
  folder <- small_folder()
  expect_snapshot(error = TRUE, {
    mxtrain(folder, epochs = list(a = 1, b = "x"))
    mxtrain(folder, tune = NULL)
    mxtrain(folder, lr = list())
    mxtrain(folder, net = data.frame(a = 1:2))
    mxtrain(folder, valid = TRUE)
    mxtrain(folder, augment = list(zoom = 2))
    mxtrain(folder, callbacks = list(f = mean))
    mxtrain(folder, device = list("tpu", 1))
    mxtrain(folder, class_weights = c(bag = -1))
    mxtrain(folder, meta = list(title = NA))
    mximages(folder, validation = folder)
    mxcut(mxnetwork("lenet"), c("a", "b"))
    mxreplace_head(mxnetwork("lenet"), 3, stages = "yes")
    plot(small_model(), kind = c("history", "confusion"))
  })
})
