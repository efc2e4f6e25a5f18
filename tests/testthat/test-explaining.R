headed <- local({
  model <- NULL
  function() {
    if (is.null(model)) {
      small_folder()
      model <<- mxtrain(small_folder(), tune = "head", image_size = 64, seed = 1, verbose = 0)
    }
    model
  }
})

test_that("places, and the rest, add up to the logit", {
  files <- list.files(small_folder(), full.names = TRUE, recursive = TRUE)[c(1, 20, 30)]
  why <- mxexplain(headed(), files)
  expect_true(why$exact)
  expect_length(why$layers, 5)
  expect_named(why$table, c(".file", "label", "logit", "prob", "rest", paste0("stage_", 1:5)))
  maps <- as.array(why)
  expect_identical(dim(maps), c(3L, 28L, 28L))
  expect_equal(apply(maps, 1, sum) + why$table$rest, why$table$logit, tolerance = 1e-4)
  expect_equal(why$table$logit, apply(predict(headed(), files, type = "logit")[-1], 1, max), tolerance = 1e-4)
  expect_identical(as.array(why, rows = 2)[1, , ], maps[2, , ])
  expect_identical(as.data.frame(why), as.data.frame(why$table))
  expect_output(print(why), "Explanation of 3 images\n  exact: class activation at", fixed = TRUE)
  withr::local_pdf(NULL)
  expect_identical(plot(why, rows = -1), why)
})

test_that("Grad-CAM says that it is an estimate", {
  why <- mxexplain(small_model(), small_folder())
  expect_false(why$exact)
  expect_output(print(why), "Grad-CAM at tanh2: an estimate", fixed = TRUE)
  exactly <- function() mxexplain(small_model(), small_folder(), method = "cam")
  expect_error(exactly(), "can't be told exactly", class = "mxtune_network_error")
})

test_that("several labels, another class and a folder are told apart", {
  folder <- withr::local_tempdir()
  file <- list.files(small_folder(), full.names = TRUE, recursive = TRUE)[1]
  why <- mxexplain(headed(), file, label = c("bag", "coat"), folder = folder)
  expect_identical(why$table$label, c("bag", "coat"))
  stem <- tools::file_path_sans_ext(basename(file))
  expect_setequal(list.files(folder), c(paste0(stem, c("-bag.png", "-coat.png")), "explanation.csv"))
  against <- mxexplain(headed(), file, label = "bag", against = "coat")
  expect_equal(against$table$logit, -diff(why$table$logit), tolerance = 1e-4)
  expect_error(mxexplain(headed(), file, label = "baag"), "Did you mean bag", class = "mxtune_argument_error")
})

test_that("images that can't be read are NA, also in the array", {
  files <- c(list.files(small_folder(), full.names = TRUE, recursive = TRUE)[1], "gone.png")
  expect_warning(why <- mxexplain(headed(), files), "Can't read 1 of 2 images: its explanation is NA")
  expect_identical(is.na(why$table$logit), c(FALSE, TRUE))
  expect_identical(apply(as.array(why), 1, anyNA), c(FALSE, TRUE))
  withr::local_pdf(NULL)
  expect_identical(plot(why), why)
  expect_error(as.array(why, rows = 3), "The explanation has 2 rows", class = "mxtune_error")
})

test_that("another session has the table, and says how to have the maps", {
  file <- list.files(small_folder(), full.names = TRUE, recursive = TRUE)[1]
  why <- mxexplain(headed(), file)
  saved <- withr::local_tempfile(fileext = ".rds")
  saveRDS(why, saved)
  again <- readRDS(saved)
  again$live$key <- NULL # as in a session that has not made it
  expect_equal(again$table, why$table)
  expect_error(as.array(again), "from another session", class = "mxtune_error")
})
