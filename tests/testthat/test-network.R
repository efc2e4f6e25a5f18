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
