test_that("a network is read as a table of layers", {
  net <- mxnetwork("lenet")
  layers <- mxlayers(net)
  expect_named(layers, c("layer", "operator", "output_shape", "parameters", "trainable"))
  expect_equal(sum(layers$parameters), net$parameters)
  expect_identical(as.data.frame(net), as.data.frame(layers))
  expect_snapshot(net)
})

test_that("each edit returns a new network and leaves the old one alone", {
  net <- mxnetwork("lenet")
  before <- as.data.frame(net)
  last <- function(net) tail(mxlayers(net), 1)
  expect_identical(last(mxcut(net, "fc1"))$layer, "fc1")
  expect_match(last(mxreplace_head(net, units = 3))$output_shape, "3")
  expect_identical(last(mxreplace_head(net, 3, name = "mine"))$layer, "mine")
  expect_true("d" %in% mxlayers(mxinsert(net, "fc1", "Dropout", name = "d", p = 0.5))$layer)
  expect_false("tanh1" %in% mxlayers(mxremove(net, "tanh1"))$layer)
  expect_true("hidden" %in% mxlayers(mxrename(net, "fc1", "hidden"))$layer)
  expect_identical(as.data.frame(net), before)
})

test_that("layers are put before, after and in the place of others, by kind and by stage", {
  net <- mxnetwork("lenet")
  operators <- function(net) mxlayers(net)$operator
  silent <- mxinsert_before(net, net$classifier, "Dropout", p = 0.3)
  expect_identical(tail(mxlayers(silent)$layer, 2), c("classifier_dropout", "classifier"))
  expect_identical(sum(operators(mxinsert_after(net, "conv", "batch_norm")) == "BatchNorm"), 2L)
  expect_identical(mxlayers(mxreplace(net, "tanh", "silu"))$operator[2:3], c("Activation", "elemwise_mul"))
  expect_identical(operators(mxremove(mxreplace(net, "tanh", "silu"), "silu")), operators(mxremove(net, "tanh")))
  pooled <- mxlayers(mxreplace(net, "pool1", "Pooling", kernel = c(4, 4), pad = c(1, 1)))
  expect_match(pooled$output_shape[pooled$layer == "pool1"], "20 x 12 x 12")
  expect_identical(net$stages, c("tanh1", "tanh2"))
  frozen <- mxlayers(mxfreeze(net, stages = c(1, -1)))
  expect_identical(frozen$layer[frozen$trainable], c("fc1", "classifier"))
  expect_error(mxfreeze(net, stages = 3), "There is no stage 3", class = "mxtune_network_error")
  expect_error(mxfreeze(net), class = "mxtune_network_error")
})

test_that("networks take other images with their weights, and tell what changed", {
  net <- mxnetwork("resnet18_v1", image_size = 64)
  grey <- mxwith_image_size(mxwith_channels(net, 1), c(64, 96))
  expect_match(grey$text[1], "images of 64 x 96")
  told <- mxdiff(net, grey)
  expect_named(told, c("layer", "change", "before", "after"))
  expect_identical(told$after[told$change == "parameter conv0_weight"], "64 x 1 x 7 x 7")
  expect_identical(nrow(mxdiff(net, net)), 0L)
  expect_error(mxwith_channels(net, 5), class = "mxtune_argument_error")
  expect_error(mxwith_image_size(mxnetwork("lenet"), 40), "fc1_weight", class = "mxtune_weights_error")
})

test_that("weights are taken from lists of arrays, in order or by name", {
  draw <- function(...) array(stats::rnorm(prod(...)) / 10, c(...))
  arrays <- withr::with_seed(1, list(
    draw(20, 1, 5, 5), draw(20), draw(50, 20, 5, 5), draw(50), draw(800, 500), draw(500), draw(500, 10), draw(10)
  ))
  turned <- lapply(arrays, function(array) {
    switch(length(dim(array)), array, t(array), NULL, array[, , 5:1, 5:1, drop = FALSE])
  })
  layers <- rep(c("conv1", "conv2", "fc1", "classifier"), each = 2)
  by_name <- stats::setNames(turned, paste0(layers, c("_weight", "_bias")))
  net <- mxnetwork("lenet", weights = arrays)
  expect_identical(nrow(mxdiff(net, mxnetwork("lenet", weights = by_name))), 0L)
  expect_gt(nrow(mxdiff(net, mxnetwork("lenet"))), 0)
  expect_error(mxnetwork("lenet", weights = arrays[-1]), "there are 7 arrays", class = "mxtune_weights_error")
  expect_error(mxnetwork("lenet", weights = list("a", 1)), "arr_0 is text", class = "mxtune_argument_error")
})

test_that("a network of four channels is trained on arrays of four, and predicts for them", {
  pixels <- withr::with_seed(1, array(sample(0:255, 20 * 32 * 32 * 4, TRUE), c(20, 32, 32, 4)))
  pixels[, , , 4] <- 0
  pixels[1:10, , 1:16, 4] <- 255
  pixels[11:20, , 17:32, 4] <- 255
  labels <- rep(c("left", "right"), each = 10)
  net <- mxwith_channels(mxnetwork("efficientnet_lite0"), 4)
  fit <- mxtrain(pixels, labels, net = net, tune = "head", image_size = 32, valid = 0, seed = 1, verbose = 0)
  expect_identical(as.character(predict(fit, pixels)$.pred_class), labels)
  expect_warning(predict(fit, pixels[, , , 1:3]), "it has 3 channels, and the network takes 4")
  expect_error(mxnetwork("efficientnet_lite0", channels = 4), "mxwith_channels(net, 4)", fixed = TRUE)
})

test_that("a model predicts another output", {
  net <- mxattach(mxnetwork("lenet", seed = 1), "tanh2")
  expect_identical(net$outputs, c("classifier", "tanh2"))
  fit <- suppressWarnings(mxtrain(mxexample("fashion"), net = net, tune = "all", epochs = 1, seed = 1, verbose = 0))
  told <- predict(fit, file.path(mxexample("fashion"), "bag"), type = "tanh2")
  expect_identical(dim(told), c(40L, 51L))
  expect_identical(names(told)[2], "tanh2_1")
})

test_that("a network is drawn, in a file and in a document", {
  net <- mxnetwork("lenet")
  path <- withr::local_tempfile(fileext = ".svg")
  expect_invisible(plot(net, path))
  drawing <- plot(net)
  expect_identical(paste(readLines(path, encoding = "UTF-8"), collapse = "\n"), drawing$svg)
  expect_match(drawing$svg, "^<svg .*dense, 500.*</svg>$")
  expect_output(print(drawing), "A drawing of <Network lenet")
  expect_error(plot(net, "net.png"), class = "mxtune_argument_error")
  source <- withr::local_tempfile(fileext = ".Rmd")
  chunk <- c("```{r, echo = FALSE}", "plot(mxtune::mxnetwork(\"lenet\"))", "```")
  writeLines(c("---", "title: drawn", "---", chunk), source)
  page <- rmarkdown::render(source, "html_fragment", quiet = TRUE)
  expect_match(paste(readLines(page, encoding = "UTF-8"), collapse = "\n"), "<svg .*dense, 500.*</svg>")
})

test_that("layers are frozen by name, pattern and number", {
  net <- mxnetwork("lenet")
  free <- function(net) {
    layers <- mxlayers(net)
    layers$layer[layers$trainable]
  }
  expect_identical(free(mxfreeze(net, "conv*")), c("fc1", "classifier"))
  expect_identical(free(mxfreeze(net, c("conv1", "fc1"))), c("conv2", "classifier"))
  expect_identical(free(mxfreeze(net, -1)), "classifier")
  expect_identical(free(mxfreeze(net, 1)), c("conv2", "fc1", "classifier"))
  expect_identical(free(mxunfreeze(mxfreeze(net, "*"))), free(net))
})

test_that("preprocessing is a list of settings", {
  wish <- list(size = c(32, 48), channels = 1, mean = 0, std = 255, fit = "stretch")
  expect_match(mxnetwork("lenet", preprocess = wish)$text[1], "images of 32 x 48")
})

test_that("an unknown layer or network is an error that names what is near", {
  expect_error(mxcut(mxnetwork("lenet"), "fc"), class = "mxtune_network_error")
  expect_error(mxnetwork("lennet"), class = "mxtune_network_error")
  expect_snapshot(mxlayers("lenet"), error = TRUE)
})

test_that("a saved network revives in a new session", {
  net <- mxfreeze(mxnetwork("lenet", seed = 3), "conv1")
  file <- withr::local_tempfile()
  saveRDS(net, file)
  there <- fresh(function(file) as.data.frame(mxtune::mxlayers(readRDS(file))), list(file))
  expect_identical(there, as.data.frame(mxlayers(net)))
})

test_that("a network of Keras opens from its file, ready to be trained", {
  net <- mxnetwork(test_path("..", "shared", "formats", "plain.keras3.keras"))
  expect_identical(mxlayers(net)$operator, c("Convolution", "Activation", "Pooling", "Flatten", "FullyConnected"))
  expect_identical(net$classifier, "logits")
  expect_match(net$text[1], "images of 8 x 8") # print() breaks its line
})

test_that("a network with ImageNet's weights predicts as it is", {
  coffee <- normalizePath(testthat::test_path("..", "shared", "coffee.jpg"))
  net <- mxnetwork("efficientnet_lite0")
  expect_identical(net$levels[968], "espresso")
  told <- predict(net, coffee)
  expect_named(told, c(".file", ".pred_class"))
  expect_identical(as.character(told$.pred_class), "espresso")
  expect_identical(levels(told$.pred_class), net$levels)
  likeliest <- predict(net, c(coffee, coffee), top = 3)
  expect_named(likeliest, c(".file", ".pred_class", ".pred_prob"))
  expect_identical(nrow(likeliest), 6L)
  expect_false(is.unsorted(rev(likeliest$.pred_prob[1:3])))
  expect_identical(as.character(likeliest$.pred_class[c(1, 4)]), c("espresso", "espresso"))
})

test_that("a network forgets its classes by an edit after which they mean nothing", {
  other <- mxreplace_head(mxnetwork("efficientnet_lite0"), units = 3)
  expect_null(other$levels)
  folder <- file.path(mxexample("fashion"), "bag")
  expect_error(predict(other, folder), "does not know what its outputs mean", class = "mxtune_network_error")
  expect_identical(ncol(predict(other, folder, type = "logit")), 4L)
})

test_that("a repository of the Hugging Face hub opens from its cache, and one that can't be reached is told at once", {
  home <- withr::local_tempdir()
  snapshot <- file.path(home, "hub", "models--timm--trees", "snapshots", strrep("0a", 20))
  dir.create(snapshot, recursive = TRUE)
  dir.create(file.path(home, "hub", "models--timm--trees", "refs"))
  cat(strrep("0a", 20), file = file.path(home, "hub", "models--timm--trees", "refs", "main"))
  net <- mxnetwork("mobilenetv3_small_100", classes = 3, seed = 1, image_size = 64)
  mxsave(net, file.path(snapshot, "model.safetensors")) # which tells the size of its images, as does config.json
  writeLines(c(
    '{"architecture": "mobilenetv3_small_100", "num_classes": 3, "label_names": ["ash", "birch", "cedar"],',
    '"pretrained_cfg": {"input_size": [3, 64, 64], "license": "mit", "crop_mode": "squash"}}'
  ), file.path(snapshot, "config.json"))
  seen <- fresh_output(function() {
    library(mxtune)
    net <- mxnetwork("hf:timm/trees")
    print(net)
    started <- Sys.time()
    fault <- tryCatch(mxnetwork("hf:timm/nowhere"), mxtune_hub_error = conditionMessage)
    stopifnot(difftime(Sys.time(), started, units = "secs") < 5)
    cat(fault, "", sep = "\n")
    fit <- mxtrain(mxexample("fashion"), net = "hf:timm/trees", tune = "head", verbose = 0)
    print(fit)
  }, env = c(HF_HOME = home, HF_ENDPOINT = "http://127.0.0.1:9"))
  seen <- gsub("\\s+", " ", paste(seen, collapse = " "))
  expect_match(seen, "hf:timm/trees is opened from the cache of the Hugging Face hub: main, commit 0a0a0a0a0a")
  expect_match(seen, "mxnetwork mobilenetv3_small_100: .*images of 64 x 64")
  expect_match(seen, "Can't reach the Hugging Face hub at http://127.0.0.1:9", fixed = TRUE)
  expect_match(seen, 'open mxnetwork("folder/model.safetensors")', fixed = TRUE)
  expect_match(seen, "mxmodel mobilenetv3_small_100: 10 classes")
})
