test_that("networks are listed with what one wants to know", {
  zoo <- mxzoo()
  wanted <- c("name", "parameters", "macs", "input_size", "source", "licence", "available")
  expect_true(all(wanted %in% names(zoo)))
  expect_true(all(c("efficientnet_lite0", "lenet", "resnet18_v1") %in% zoo$name))
})
