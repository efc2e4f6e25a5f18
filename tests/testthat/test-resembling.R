test_that("training images that are most alike have rank, label and similarity", {
  model <- small_model()
  table <- mxnearest(model, small_folder(), n = 2)
  expect_named(table, c(".file", "rank", "neighbour", "label", "similarity"))
  expect_setequal(table$rank, 1:2)
  expect_true(all(table$.file != table$neighbour))
  expect_true(all(table$similarity <= 1))
})

test_that("what a layer gives is an array", {
  model <- small_model()
  images <- list.files(small_folder(), full.names = TRUE, recursive = TRUE)[1:2]
  features <- mxfeatures(model, images)
  expect_identical(dim(features)[1], 2L)
  expect_error(mxfeatures(model, images, layer = "nothing"), "no layer nothing", class = "mxtune_network_error")
})

test_that("the map is drawn by ggplot2 and without it", {
  model <- small_model()
  shown <- withr::with_pdf(NULL, plot(model, "map", data = small_folder()))
  expect_s3_class(shown, "ggplot")
  places <- data.frame(x = 1:3, y = 3:1, label = factor(c("a", "b", "a")))
  file <- withr::local_tempfile(fileext = ".png")
  grDevices::png(file)
  base_map(places, places[1, ])
  base_map(transform(places, label = c(0.5, 2, 3)), places[0, ])
  grDevices::dev.off()
  expect_gt(file.size(file), 1000)
  expect_identical(nlevels(common_labels(as.character(1:40))), 12L)
})
