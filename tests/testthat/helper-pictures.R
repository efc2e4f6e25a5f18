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

# One small model for all tests that need one.
trained <- new.env()
small_model <- function() {
  if (is.null(trained$model)) {
    trained$folder <- some_fashion(env = testthat::teardown_env())
    trained$model <- suppressWarnings( # that LeNet has no weights
      mxtrain(trained$folder, net = "lenet", tune = "all", epochs = 2, seed = 1),
      classes = "mxtune_training_warning"
    )
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
