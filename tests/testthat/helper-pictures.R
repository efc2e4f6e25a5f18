# Some of the example images: `n` of each of the first `classes` classes, as a folder of class folders.
some_fashion <- function(n = 12, classes = 3, env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  for (class in list.files(mxexample("fashion"))[seq_len(classes)]) {
    dir.create(file.path(folder, class))
    files <- list.files(file.path(mxexample("fashion"), class), full.names = TRUE)
    file.copy(files[seq_len(n)], file.path(folder, class))
  }
  folder
}

# Without one warning, which a test of its own expects: that LeNet has no weights and these are few images
# (test-training.R), and that what is judged was trained on (test-metrics.R).
of_few <- function(code) without_warning(code, "no pretrained weights")
of_trained <- function(code) without_warning(code, "used to train this model")
without_warning <- function(code, text) {
  withCallingHandlers(code, mxtune_warning = function(warning) {
    if (grepl(text, conditionMessage(warning), fixed = TRUE)) {
      rlang::cnd_muffle(warning)
    }
  })
}

# One small model for all tests that need one.
trained <- new.env()
small_model <- function() {
  if (is.null(trained$model)) {
    trained$folder <- some_fashion(env = testthat::teardown_env())
    trained$model <- of_few(mxtrain(trained$folder, net = "lenet", tune = "all", epochs = 2, seed = 1))
  }
  trained$model
}
small_folder <- function() {
  small_model()
  trained$folder
}

# Of a model's weights alone: the rest of its file tells the names of its images, which a folder and a table write
# in their own ways.
weights_digest <- function(model) {
  folder <- withr::local_tempdir()
  mxsave(model, file.path(folder, "model.mxt"))
  unname(tools::md5sum(utils::unzip(file.path(folder, "model.mxt"), "weights.safetensors", exdir = folder)))
}
