test_that("predictions come in the images' order, classes as a factor with the model's levels", {
  model <- small_model()
  files <- rev(list.files(small_folder(), recursive = TRUE, full.names = TRUE))[c(3, 1, 20)]
  told <- predict(model, files, type = "prob")
  expect_named(told, c(".file", ".pred_class", ".pred_ankle_boot", ".pred_bag", ".pred_coat"))
  expect_identical(basename(told$.file), basename(files))
  expect_identical(levels(told$.pred_class), model$levels)
  probabilities <- as.matrix(as.data.frame(told)[3:5])
  expect_equal(rowSums(probabilities), rep(1, 3), tolerance = 1e-5)
  expect_identical(model$levels[max.col(probabilities)], as.character(told$.pred_class))
  logits <- predict(model, files, type = "logit")
  expect_named(logits, c(".file", ".pred_ankle_boot", ".pred_bag", ".pred_coat"))
  expect_gt(ncol(predict(model, files, type = "features")), 10)
})

test_that("an image that can't be read is a row of NA and a warning that names it", {
  folder <- withr::local_tempdir()
  file.copy(list.files(file.path(small_folder(), "bag"), full.names = TRUE)[1], file.path(folder, "a.png"))
  writeLines("nothing", file.path(folder, "b {x}.png"))
  files <- file.path(folder, c("a.png", "b {x}.png"))
  warning <- expect_warning(
    told <- predict(small_model(), files, type = "prob"),
    class = "mxtune_picture_warning"
  )
  expect_match(conditionMessage(warning), "b {x}.png", fixed = TRUE)
  expect_identical(is.na(told$.pred_class), c(FALSE, TRUE))
  expect_identical(is.na(told$.pred_bag), c(FALSE, TRUE))
  expect_false(is.nan(told$.pred_bag[2]))
  expect_error(predict(small_model(), files, on_bad = "error"), class = "mxtune_picture_error")
})

test_that("a model file brings the same model back", {
  file <- withr::local_tempfile(fileext = ".mxt")
  expect_invisible(mxsave(small_model(), file))
  again <- mxload(file)
  expected <- predict(small_model(), small_folder(), type = "prob")
  expect_identical(predict(again, small_folder(), type = "prob"), expected)
  expect_identical(again$bytes, small_model()$bytes)
  writeBin(readBin(file, "raw", 5000), file)
  expect_error(mxload(file), class = "mxtune_model_file_error")
  lost <- expect_error(mxsave(small_model(), file.path(file, "below a file.mxt")), class = "mxtune_store_error")
  expect_match(lost$headline, "Can't write the model file")
})

test_that("saveRDS() and a saved workspace just work in a new session", {
  model <- small_model()
  folder <- small_folder()
  expected <- predict(model, folder, type = "prob")
  rds <- withr::local_tempfile()
  workspace <- withr::local_tempfile()
  saveRDS(model, rds)
  save(model, file = workspace)
  told <- fresh(function(rds, workspace, folder) {
    library(mxtune)
    load(workspace)
    other <- readRDS(rds)
    copy <- other
    lapply(list(model, other, copy), predict, folder, type = "prob")
  }, list(rds, workspace, folder))
  for (one in told) {
    expect_identical(one, expected)
  }
})

test_that("the precision and the limit of a model stay its own in a new session", {
  file <- withr::local_tempfile(fileext = ".mxt")
  mxsave(small_model(), file)
  rds <- withr::local_tempfile()
  saveRDS(mxload(file, limit = 2, precision = "float32"), rds)
  told <- fresh(function(rds) {
    library(mxtune)
    again <- getFromNamespace("handle_of", "mxtune")(readRDS(rds))
    list(again$network$limit, again$asked_precision)
  }, list(rds))
  expect_identical(told, list(2, "float32"))
})

test_that("R holds no copy of the weights until something looks at them", {
  model <- of_few(mxtrain(small_folder(), net = "lenet", tune = "head", epochs = 1, seed = 1))
  expect_false(.Call(mxtune_is_made, unclass(model)$bytes))
})

test_that("print, summary, tidy, glance and as.data.frame tell of the model", {
  model <- small_model()
  expect_output(print(model), "3 classes")
  expect_output(print(summary(model)), "lenet")
  history <- as.data.frame(model)
  expect_true(all(c("stage", "epoch", "train_loss") %in% names(history)))
  expect_equal(as.data.frame(tidy(model)), history)
  expect_equal(nrow(glance(model)), 1)
  expect_true(all(c("task", "network", "classes", "epochs") %in% names(glance(model))))
})

test_that("augment() puts predictions beside the data", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)[c(1, 20)]
  frame <- data.frame(id = 1:2, file = files, note = c("x", "y"), row.names = c("first", "second"))
  told <- augment(small_model(), frame)
  expect_named(told, c("id", "file", "note", ".pred_class"))
  expect_identical(attributes(told)[c("class", "row.names")], attributes(frame)[c("class", "row.names")])
  expect_true(all(c("label", ".pred_bag") %in% names(augment(small_model(), small_folder(), type = "prob"))))
  expect_named(augment(small_model(), files), c("file", ".pred_class"))
})

test_that("augment() takes the column of paths as a symbol, as text or in a variable", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)[c(1, 20)]
  frame <- data.frame(shot = files, file = "none.png")
  told <- augment(small_model(), frame, path = shot)
  column <- "shot"
  expect_identical(augment(small_model(), frame, path = column), told)
  expect_identical(augment(small_model(), frame, path = "shot"), told)
  inner <- function(path) augment(small_model(), frame, path = {{ path }})
  expect_identical(inner(shot), told)
  expect_error(augment(small_model(), frame, path = shto), "no column shto", class = "mxtune_argument_error")
})

test_that("grouped and rowwise tibbles and data.tables come back as such", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)
  frame <- tibble::tibble(file = files, kind = basename(dirname(files)))
  expected <- augment(small_model(), frame)
  grouped <- augment(small_model(), dplyr::group_by(frame, kind))
  expect_identical(dplyr::group_vars(grouped), "kind")
  expect_identical(dplyr::ungroup(grouped), expected)
  expect_identical(dplyr::summarise(grouped, n = dplyr::n())$n, c(12L, 12L, 12L))
  by_row <- dplyr::mutate(augment(small_model(), dplyr::rowwise(frame)), right = kind == .pred_class)
  expect_identical(dplyr::ungroup(by_row)$right, expected$kind == expected$.pred_class)
  table <- data.table::as.data.table(frame)
  data.table::setkeyv(table, "kind")
  told <- augment(small_model(), table)
  expect_identical(data.table::key(told), "kind")
  expect_no_warning(data.table::set(told, j = "right", value = TRUE)) # no copy: R's memory is data.table's own
  expect_gt(data.table::truelength(told), length(told))
  expect_named(table, c("file", "kind"))
})

test_that("a column that augment() would hide is refused before the work", {
  files <- list.files(small_folder(), recursive = TRUE, full.names = TRUE)[c(1, 20)]
  told <- augment(small_model(), data.frame(file = files))
  error <- expect_error(augment(small_model(), told), class = "mxtune_argument_error")
  expect_identical(error$headline, "The data frame already has a column \".pred_class\".")
  expect_s3_class(augment(small_model(), told, type = "logit"), "data.frame")
})

test_that("no images give no rows, of the columns that others have", {
  frame <- data.frame(file = list.files(small_folder(), recursive = TRUE, full.names = TRUE)[1:2])
  for (type in c("class", "prob", "logit", "features")) {
    expected <- predict(small_model(), frame, type = type)[0, ]
    expect_identical(predict(small_model(), frame[0, , drop = FALSE], type = type), expected)
    expect_identical(predict(small_model(), character(), type = type, on_bad = "error"), expected)
    expect_identical(predict(small_model(), array(0, c(0, 28, 28, 1)), type = type), expected)
  }
  expect_identical(augment(small_model(), frame[0, , drop = FALSE]), augment(small_model(), frame)[0, ])
  images <- mximages(small_folder())
  expect_identical(augment(small_model(), images[integer()]), augment(small_model(), images)[0, ])
  expect_error(mximages(character()), "There are no images", class = "mxtune_picture_error")
})

test_that("models and networks are written for other programs", {
  folder <- withr::local_tempdir()
  fit <- small_model()
  mxsave(fit, file.path(folder, "fit.onnx"))
  mxsave(mxnetwork("lenet"), file.path(folder, "net.onnx"))
  expect_output(print(mxnetwork(file.path(folder, "net.onnx"))), "431,080 parameters")
  expect_output(print(mxnetwork(file.path(folder, "fit.onnx"))), "images of")
  mxsave(fit, file.path(folder, "fit-symbol.json"))
  expect_setequal(list.files(folder, "^fit-"), c("fit-symbol.json", "fit-0000.params"))
  expect_output(print(mxnetwork(file.path(folder, "fit"))), "parameters")
  mxsave(mxnetwork("lenet"), file.path(folder, "net.safetensors"))
  expect_output(print(mxnetwork(file.path(folder, "net.safetensors"))), "lenet: 431,080 parameters")
  refused <- function(x, file, words) {
    expect_error(mxsave(x, file.path(folder, file)), words, class = "mxtune_format_error")
  }
  refused(mxnetwork("lenet"), "net.h5", "Written are .*onnx")
  refused(fit, "fit.tflite", "no files of TensorFlow Lite")
})
