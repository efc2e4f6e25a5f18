test_that("a folder of class folders is counted by class", {
  images <- mximages(some_fashion(4, 2))
  expect_length(images, 8)
  expect_identical(images$levels, c("ankle_boot", "bag"))
  expect_identical(summary(images)$counts$n, c(4L, 4L))
  frame <- as.data.frame(images)
  expect_identical(nrow(frame), 8L)
  expect_identical(levels(frame$label), c("ankle_boot", "bag"))
})

test_that("a data frame tells paths and labels by formula, by column name, or by itself", {
  folder <- some_fashion(3, 2)
  frame <- data.frame(file = list.files(folder, recursive = TRUE, full.names = TRUE))
  frame$species <- basename(dirname(frame$file))
  labels <- function(images) as.character(as.data.frame(images)$label)
  expect_identical(labels(mximages(species ~ file, data = frame)), frame$species)
  expect_identical(labels(mximages(frame, species ~ file)), frame$species)
  expect_identical(labels(mximages(frame, "species")), frame$species)
  expect_identical(labels(mximages(frame$file, frame$species)), frame$species)
})

test_that("a formula may compute on its columns", {
  folder <- some_fashion(3, 2)
  frame <- data.frame(name = list.files(folder, recursive = TRUE), weight = 1:6 / 2)
  images <- mximages(log(weight) ~ file.path(folder, name), data = frame)
  expect_identical(images$task, "regression")
})

test_that("what a formula lacks is said", {
  frame <- data.frame(file = "a.png", label = "a")
  expect_snapshot(mximages(kind ~ file, data = frame), error = TRUE)
  expect_snapshot(mximages(label ~ file), error = TRUE)
  expect_snapshot(mximages(~file, data = frame), error = TRUE)
  expect_snapshot(mximages(frame, "kind"), error = TRUE)
})

test_that("unreadable images are named in an error of a class of its own", {
  folder <- some_fashion(3, 2)
  writeLines("no image at all", file.path(folder, "bag", "notes {1}.png"))
  file.create(file.path(folder, "bag", "\u0131\u015f\u0131k.png"))
  error <- expect_error(mximages(folder), class = "mxtune_picture_error")
  expect_match(conditionMessage(error), "notes {1}.png", fixed = TRUE)
  expect_match(conditionMessage(error), "on_bad = \"skip\"", fixed = TRUE)
  expect_setequal(basename(error$files), c("notes {1}.png", "\u0131\u015f\u0131k.png"))
  warning <- expect_warning(images <- mximages(folder, on_bad = "skip"), class = "mxtune_picture_warning")
  expect_length(images, 6)
})

# Images 4 high and 6 wide, white in the top right corner: the way they came must not change their looks.
corner <- function(n = 5) {
  x <- array(0, c(n, 4, 6, 3))
  x[, 1, 6, ] <- 255
  x
}

lit <- function(images) {
  pixels <- engine_call("open", images, list(index = 0))
  which(pixels[, , 1] == 1, arr.ind = TRUE)
}

# The five are alike, of which a warning rightly tells.
marked <- function(...) suppressWarnings(mximages(...), classes = "mxtune_warning")

test_that("a marked corner stays where it is in every layout and type", {
  x <- corner()
  top_right <- matrix(c(1L, 6L), 1, dimnames = list(NULL, c("row", "col")))
  y <- letters[c(1, 2, 1, 2, 1)]
  ways <- list(
    marked(x, y),
    marked(x / 255, y),
    marked(array(as.integer(x), dim(x)), y),
    marked(array(as.raw(x), dim(x)), y),
    marked(x > 0, y),
    marked(aperm(x, c(2, 3, 4, 1)), y, layout = "HWCN"),
    marked(x[, , , 1], y, layout = "NHWC"),
    marked(matrix(x[, , , 1], 5), y, dim = c(4, 6)),
    marked(t(apply(x[, , , 1], 1, function(p) as.vector(t(p)))), y, dim = c(4, 6), byrow = TRUE),
    marked(lapply(1:5, function(i) x[i, , , ]), y)
  )
  for (images in ways) {
    expect_identical(lit(images), top_right)
    expect_length(images, 5)
  }
})

test_that("images without a name are counted from 1", {
  x <- corner(3)
  expect_identical(suppressWarnings(predict(small_model(), x))$.file, c("[1]", "[2]", "[3]"))
  x[2, 1, 1, 1] <- NaN
  error <- expect_error(mximages(x), class = "mxtune_picture_error")
  expect_identical(error$files, "[2]")
})

test_that("numbers of any range are seen alike, in a set and in a model", {
  x <- corner(6)
  x[, 2, , ] <- runif(6 * 6 * 3, 0, 255)
  y <- letters[c(1, 2, 1, 2, 1, 2)]
  pixels <- function(images) engine_call("open", images, list(index = 0))
  plain <- pixels(marked(array(as.integer(x), dim(x)), y))
  for (images in list(marked(x / 255, y), marked(x / 255 * 1.01, y), marked(trunc(x) * 257, y))) {
    expect_equal(pixels(images), plain, tolerance = 0.02)
  }
  ct <- trunc(x / 255 * 2000) - 1000
  expect_equal(pixels(marked(ct, y)), plain, tolerance = 0.02)
  expect_equal(pixels(marked(ct, y, range = c(-1000, 3000))), plain / 2, tolerance = 0.02)
  expect_equal(pixels(marked(ct, y, range = "-1000..3000")), plain / 2, tolerance = 0.02)
  expect_error(mximages(ct, y, range = 5), "two numbers", class = "mxtune_argument_error")
  fit <- suppressWarnings(mxtrain(ct, y, net = "lenet", tune = "all", epochs = 1, valid = NULL, seed = 1, verbose = 0))
  together <- suppressWarnings(predict(fit, ct, type = "prob"))
  alone <- predict(fit, ct[3, , , , drop = FALSE], type = "prob")
  expect_equal(unlist(alone[-(1:2)]), unlist(together[3, -(1:2)]), tolerance = 1e-4)
  expect_warning(predict(fit, ct * 9), "different scale", class = "mxtune_picture_warning")
})

test_that("magick images are images", {
  x <- corner()
  frames <- lapply(1:5, function(i) magick::image_read(x[i, , , ] / 255))
  y <- letters[c(1, 2, 1, 2, 1)]
  expect_equal(unname(lit(marked(frames, y))), matrix(c(1, 6), 1))
  expect_equal(unname(lit(marked(do.call(c, frames), y))), matrix(c(1, 6), 1))
})

test_that("R's array may change after the set was made", {
  x <- corner()
  images <- marked(array(as.raw(x), dim(x)), letters[c(1, 2, 1, 2, 1)])
  rm(x)
  for (i in 1:10) raw(1e5)
  gc()
  expect_equal(unname(lit(images)), matrix(c(1, 6), 1))
})

test_that("an array that can't be images is refused in plain words", {
  expect_snapshot(mximages(1:10), error = TRUE)
  expect_snapshot(mximages(matrix(0, 2, 784)), error = TRUE)
  expect_snapshot(mximages(matrix(0, 2, 784), dim = c(28, 27)), error = TRUE)
  expect_snapshot(mximages(corner(), layout = "CHWN"), error = TRUE)
  expect_snapshot(mximages(list(sum)), error = TRUE)
  expect_error(mximages(array(0, c(2, 3, 8, 8))), "before height and width: aperm(x, c(1, 3, 4, 2)).", fixed = TRUE)
  expect_snapshot(mximages(sum), error = TRUE)
})

test_that("missing pixels are missing, whatever their type", {
  for (pixels in list(c(NA, 1:127), c(NA, rep(c(TRUE, FALSE), 63), TRUE), c(NA, (1:127) / 127))) {
    together <- array(pixels[c(1, 65, 2:64, 66:128)], c(2, 8, 8)) # in the first image
    alone <- list(matrix(pixels[1:64], 8), matrix(pixels[65:128], 8))
    for (x in list(array(together, c(2, 8, 8, 1)), alone)) {
      expect_error(mximages(x), "[1]: it contains NaN", fixed = TRUE, class = "mxtune_picture_error")
    }
  }
})

test_that("a set of images prints and plots without leaving traces", {
  images <- mximages(some_fashion(4, 2))
  expect_snapshot(images)
  file <- withr::local_tempfile(fileext = ".png")
  grDevices::png(file)
  before <- graphics::par("mar")
  plot(images, n = 6)
  expect_identical(graphics::par("mar"), before)
  grDevices::dev.off()
  expect_gt(file.size(file), 2000)
})

test_that("a set of images is made again in a new session", {
  folder <- some_fashion(4, 2)
  file <- withr::local_tempfile()
  saveRDS(mximages(folder), file)
  n <- fresh(function(file) {
    library(mxtune)
    nrow(as.data.frame(readRDS(file)))
  }, list(file))
  expect_identical(n, 8L)
})

test_that("a set of magick images, whose own pointers a file can't keep, is made again, too", {
  frames <- lapply(1:5, function(i) magick::image_read(corner()[i, , , ] / 255))
  images <- marked(frames, letters[c(1, 2, 1, 2, 1)])
  file <- withr::local_tempfile()
  saveRDS(images, file)
  there <- fresh(function(file) {
    suppressWarnings(as.data.frame(getExportedValue("mxtune", "mximages")(readRDS(file))))
  }, list(file))
  expect_identical(there, as.data.frame(images))
})

test_that("a set is cut, joined and split as R's vectors are", {
  images <- mximages(some_fashion(4, 2))
  files <- as.data.frame(images)$file
  expect_identical(as.data.frame(images[c(7, 2)])$file, files[c(7, 2)])
  expect_identical(as.data.frame(images[-(1:6)])$file, files[7:8])
  expect_identical(as.data.frame(images[files == files[3]])$file, files[3])
  expect_identical(as.data.frame(images[files[5]])$file, files[5])
  expect_identical(as.data.frame(c(images[1:2], images[5]))$file, files[c(1, 2, 5)])
  parts <- split(images, 0.5, seed = 1)
  expect_named(parts, c("training", "validation"))
  expect_setequal(unlist(lapply(parts, function(part) as.data.frame(part)$file)), files)
  expect_named(split(images, rep(c("u", "v"), 4)), c("u", "v"))
  expect_length(split(images, rep(c("u", "v"), 4))$v, 4)
  for (wrong in list(9, c(TRUE, FALSE), NA, "nowhere.png", list(1), 1.5)) {
    expect_error(images[wrong], class = "mxtune_error")
  }
  expect_error(c(images, 1), class = "mxtune_error")
  expect_error(split(images, 2), class = "mxtune_argument_error")
})

test_that("a part of a set is made again in a new session", {
  file <- withr::local_tempfile()
  images <- mximages(some_fashion(4, 2))
  saveRDS(c(images[3:1], images[8]), file)
  names <- fresh(function(file) {
    library(mxtune)
    as.data.frame(readRDS(file))$file
  }, list(file))
  expect_identical(names, as.data.frame(images)$file[c(3:1, 8)])
})

test_that("groups come by column, by value, by name and by the names of files", {
  files <- list.files(some_fashion(4, 2), recursive = TRUE, full.names = TRUE)
  frame <- data.frame(file = files, kind = basename(dirname(files)), who = rep(c("a", "b", "a", "b"), 2))
  sides <- function(images) lapply(split(images, 0.5, seed = 1), function(part) as.data.frame(part)$file)
  by_column <- sides(mximages(kind ~ file, data = frame, groups = "who"))
  expect_identical(by_column, sides(mximages(frame, groups = "who")))
  expect_identical(by_column, sides(mximages(files, frame$kind, groups = factor(frame$who))))
  expect_identical(by_column, sides(mximages(files, frame$kind, groups = rev(setNames(frame$who, files)))))
  who <- setNames(frame$who, files)
  expect_length(intersect(who[by_column$training], who[by_column$validation]), 0)
  expect_error(mximages(kind ~ file, data = frame, groups = "whom"), "no column whom", class = "mxtune_error")
  expect_error(mximages(files, frame$kind, groups = 1:3), "Got 3 groups", class = "mxtune_argument_error")
})

test_that("what each image is for comes by column, by value and by name", {
  files <- list.files(some_fashion(5, 2), recursive = TRUE, full.names = TRUE)
  frame <- data.frame(file = files, kind = basename(dirname(files)))
  frame$use <- rep(c("train", "val", "test", "train", "train"), 2)
  sizes <- function(images) lengths(lapply(split(images), function(part) as.data.frame(part)$file))
  expected <- c(training = 6L, validation = 2L, test = 2L)
  expect_identical(sizes(mximages(kind ~ file, data = frame, split = "use")), expected)
  expect_identical(sizes(mximages(frame, label = "kind", split = "use")), expected)
  expect_identical(sizes(mximages(files, frame$kind, split = factor(frame$use))), expected)
  images <- mximages(files, frame$kind, split = rev(setNames(frame$use, files)))
  expect_identical(as.data.frame(split(images)$test)$file, files[frame$use == "test"])
  expect_error(split(images, 0.5), "has 2 images for validation", class = "mxtune_argument_error")
  is_test <- frame$use == "test"
  expect_error(mximages(files, frame$kind, split = is_test), "FALSE, TRUE.*ifelse", class = "mxtune_argument_error")
  others <- setNames(frame$use, seq_along(files))
  expect_error(mximages(files, frame$kind, split = others), "unname", class = "mxtune_error")
  expect_error(mximages(kind ~ file, data = frame, split = "part"), "no column part", class = "mxtune_error")
})

test_that("a table in a file is found by path, label and root, in every verb", {
  folder <- mxexample("fashion")
  files <- list.files(folder, pattern = "png$", recursive = TRUE)[seq(1, 400, 8)]
  table <- data.frame(id = sub(".png", "", files, fixed = TRUE), kind = dirname(files), fold = 1)
  path <- tempfile(fileext = ".csv")
  utils::write.csv2(table, path, row.names = FALSE)
  expect_error(
    mximages(path, label = "kind", path = "id"), "None of the 50 files was found",
    class = "mxtune_picture_error"
  )
  fit <- mxtrain(path, path = "id", label = "kind", root = folder, tune = "head", seed = 1)
  expect_length(fit$levels, 10)
  measured <- of_trained(mxevaluate(fit, path, path = "id", label = "kind", root = folder))
  expect_identical(measured, of_trained(mxevaluate(fit, table, path = "id", label = "kind", root = folder)))
  expect_identical(predict(fit, path, path = "id", root = folder)$.file, table$id)
  expect_identical(predict(fit, table, path = "id", root = folder)$.file, table$id)
})

test_that("parts of a data set are refused with R's calls", {
  root <- tempfile()
  for (part in c("train/cat", "train/dog", "test/cat", "test/dog")) {
    dir.create(file.path(root, part), recursive = TRUE)
    file.copy(list.files(file.path(mxexample("fashion"), "bag"), full.names = TRUE)[1:2], file.path(root, part))
  }
  error <- expect_error(mximages(root), class = "mxtune_label_error")
  expect_match(conditionMessage(error), paste0("mxevaluate(model, \"", root, "/test\")"), fixed = TRUE)
})
