# Chunks of R and Python in one document exchange models, images and networks.

# What the chunks of a document say, knitted in a new session.
knitted <- function(...) {
  document <- c(...)
  told <- fresh(function(document) {
    folder <- tempfile()
    dir.create(folder)
    writeLines(document, file.path(folder, "in.Rmd"))
    setwd(folder)
    knitr::knit("in.Rmd", "out.md", quiet = TRUE)
    readLines("out.md", encoding = "UTF-8")
  }, list(document))
  sub("^## ", "", grep("^## ", told, value = TRUE))
}

chunk <- function(engine, ...) c(paste0("```{", engine, "}"), ..., "```", "")

set_up <- function() {
  folder <- gsub("\\", "/", small_folder(), fixed = TRUE)
  file <- withr::local_tempfile(fileext = ".mxt", .local_envir = parent.frame())
  mxsave(small_model(), file)
  list(folder = paste0("\"", folder, "\""), file = paste0("\"", gsub("\\", "/", file, fixed = TRUE), "\""))
}

test_that("R's verbs take the model, images and network of a Python chunk", {
  at <- set_up()
  expected <- predict(small_model(), small_folder(), type = "prob")
  told <- knitted(
    chunk("r", "library(mxtune)", "library(reticulate)"),
    chunk(
      "python", "import mxtune, pathlib, numpy", paste0("model = mxtune.mxload(", at$file, ")"),
      paste0("images = mxtune.mximages(", at$folder, ")"), "net = mxtune.mxnetwork('lenet')",
      "picture, pixels = images[0], numpy.stack([numpy.asarray(images[place]) for place in range(2)])",
      "saved = pathlib.Path('saved.mxt')", "train, test = images.split(0.25, 1)"
    ),
    chunk(
      "r", "files <- py$images$files", "say <- function(...) cat(..., '\\n')",
      paste0("p <- predict(py$model, ", at$folder, ", type = 'prob')"),
      "say('sum', format(sum(p$.pred_bag), digits = 12))",
      "say('rows', nrow(predict(py$model, py$images)), nrow(predict(py$model, py$picture)),",
      "    nrow(predict(py$model, list(py$picture, NULL))), nrow(predict(object = py$model, newdata = py$pixels)))",
      "say('verb', class(mxsave(py$model, py$saved))[1], class(mxload('saved.mxt')), mxload('saved.mxt')$task)",
      "say('figures', tail(mxevaluate(py$model, py$images)$.estimate, 1), sum(mxconfusion(py$model, py$images)),",
      "    nrow(mxtop_losses(py$model, py$images, n = 2)), nrow(mxper_class(py$model, py$images)))",
      "say('generics', nrow(glance(py$model)), nrow(tidy(py$model)) == nrow(as.data.frame(py$model)),",
      "    ncol(augment(py$model, data.frame(shot = unlist(files)), path = shot)), class(summary(py$model)))",
      "say('images', nrow(as.data.frame(py$images)), length(c(mximages(py$images), py$test)), nrow(mxlayers(py$net)))",
      "say('cut', class(mxcut(py$net, 'conv2')), class(mxnetwork(py$model)))",
      "fit <- mxtrain(py$train, net = py$net, tune = 'all', epochs = 1, valid = py$test, seed = 1, verbose = 0)",
      "say('trained', class(fit), fit$metrics$n)",
      "plot(py$model, 'history')"
    )
  )
  expect_true(paste("sum", format(sum(expected$.pred_bag), digits = 12)) %in% told)
  expect_true("rows 36 1 2 2" %in% told)
  expect_true("verb mxtune.Model mxmodel classification" %in% told)
  expect_true("figures 36 36 2 3" %in% told)
  expect_true("generics 1 TRUE 2 summary.mxmodel" %in% told)
  expect_true("images 36 45 10" %in% told)
  expect_true("cut mxnetwork mxnetwork" %in% told)
  expect_true("trained mxmodel 9" %in% told)
})

test_that("Python chunks take the model, images and network of an R chunk", {
  at <- set_up()
  expected <- predict(small_model(), small_folder(), type = "prob")
  told <- knitted(
    chunk(
      "r", "library(mxtune)", paste0("fit <- mxload(", at$file, ")"), paste0("images <- mximages(", at$folder, ")"),
      "net <- mxnetwork('lenet')", "frame <- data.frame(file = list.files('.')[0])"
    ),
    chunk(
      "python", "import mxtune", "print('types', type(r.fit) is mxtune.Model, type(r.images) is mxtune.ImageSet)",
      paste0("print('sum', format(r.fit.predict(", at$folder, ", type='prob').pred_bag.astype(float).sum(), '.6f'))"),
      "print('figures', int(r.fit.evaluate(r.images)['n']), len(r.images), len(r.net.layers))",
      "print('rows', len(r.fit.predict(r.frame)))",
      "r.fit.save('again.mxt')",
      "again = mxtune.mxtrain(r.images, net=r.fit, tune='head', seed=2, verbose=0)"
    ),
    chunk("r", "library(reticulate)", "py$back <- fit", "cat('back', nrow(predict(py$back, images)), '\\n')")
  )
  expect_true("types True True" %in% told)
  expect_true(sprintf("sum %.6f", sum(expected$.pred_bag)) %in% told)
  expect_true("figures 36 36 10" %in% told)
  expect_true("rows 0" %in% told)
  expect_true("back 36" %in% told)
})

test_that("any other object of Python is refused as a model", {
  object <- reticulate::r_to_py(list(a = 1))
  expect_error(mxsave(object, "x.mxt"), "`model` must be an mxmodel", class = "mxtune_argument_error")
  expect_error(mxlayers(object), "`net` must be an mxnetwork", class = "mxtune_argument_error")
})
