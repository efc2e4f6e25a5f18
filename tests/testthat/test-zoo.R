test_that("networks are listed with what one wants to know, those with weights first", {
  zoo <- mxzoo()
  wanted <- c(
    "name", "available", "top1", "parameters", "macs", "input_size", "seconds", "licence", "source", "top1_source"
  )
  expect_named(zoo, wanted)
  expect_true(all(c("efficientnet_lite0", "lenet", "resnet18_v1") %in% zoo$name))
  expect_identical(zoo$name[1:3], paste0("efficientnet_lite", 0:2))
  expect_identical(zoo$top1[1:3], c(75.1, 76.7, 77.6))
  expect_true(all(zoo$available[-(1:3)] %in% c("cached", "hub", "file of weights")))
  expect_identical(zoo$source[zoo$name == "resnet18d"], "hf:timm/resnet18d.ra2_in1k")
})

test_that("the table of networks prints within 80 columns, a part of it too", {
  zoo <- mxzoo()
  lines <- capture.output(print(zoo))
  expect_lte(max(nchar(lines)), 80)
  expect_match(lines[3], "^efficientnet_lite0 +75.1 +4.65M +385M +224 .*Apache-2.0$")
  expect_match(capture.output(print(zoo[zoo$name == "lenet", ])), "^lenet +431k +2.29M +28", all = FALSE)
  expect_match(capture.output(print(zoo[1:2, c("name", "top1")])), "efficientnet_lite1", all = FALSE)
})

test_that("speed is measured when asked for, and kept", {
  expect_error(mxzoo(measure = "lenett"), "There is no network lenett", class = "mxtune_network_error")
  expect_error(mxzoo(mesure = TRUE), "mesure")
  local_cache()
  expect_true(all(is.na(mxzoo()$seconds)))
  zoo <- mxzoo(measure = "lenet")
  expect_gt(zoo$seconds[zoo$name == "lenet"], 0)
  expect_identical(mxzoo()$seconds, zoo$seconds)
})
