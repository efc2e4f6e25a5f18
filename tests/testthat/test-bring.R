# The lines for R of the vignette on other systems, each on a file such as its system writes. Those for Python, and
# MXNet's own, are run by tests/python/test_vignettes.py.

page <- function() {
  sources <- c(test_path("..", "..", "vignettes", "bring.Rmd"), system.file("doc", "bring.Rmd", package = "mxtune"))
  readLines(sources[file.exists(sources)][1], encoding = "UTF-8")
}

# The R code under each heading, one text each.
lines_by_system <- function() {
  page <- page()
  sections <- split(page, cumsum(startsWith(page, "## ")))[-1]
  code <- lapply(sections, function(lines) {
    start <- which(lines == "```r")
    end <- vapply(start, function(at) min(which(lines == "```" & seq_along(lines) > at)), 0)
    unlist(Map(function(from, to) lines[(from + 1):(to - 1)], start, end))
  })
  stats::setNames(code, vapply(sections, function(lines) sub("## ", "", lines[1]), ""))
}

# Files under the vignette's names: small ones that these systems wrote, and what this package writes.
files_of_others <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  put <- function(name, ...) expect_true(file.copy(test_path("..", "shared", ...), file.path(folder, name)))
  put("lenet.npz", "formats", "lenet.npz")
  put("saved.onnx", "onnx", "keras.onnx")
  put("frozen.onnx", "onnx", "keras.onnx")
  put("flowers.keras", "keras", "plain.keras3.keras")
  put("flowers.h5", "keras", "plain.keras2.h5")
  put("cntk.onnx", "onnx", "residual_tracing7.onnx")
  put("deploy.prototxt", "formats", "modern.prototxt")
  put("snapshot_iter_4000.caffemodel", "formats", "modern.caffemodel")
  put("own.onnx", "onnx", "mobile_state_dict.onnx")
  written <- function(net, name, as = name) {
    mxsave(net, file.path(folder, name))
    file.rename(file.path(folder, name), file.path(folder, as))
  }
  written(mxnetwork("resnet18", weights = "random"), "resnet18.safetensors", as = "resnet18.pth") # told by its content
  net <- mxnetwork("mobilenetv2_0.25", weights = "random")
  for (prefix in c("gluon", "module")) {
    written(net, paste0(prefix, "-symbol.json"))
  }
  written(net, "gluon.params")
  photos <- some_fashion(n = 8, classes = 2, env = env)
  file.rename(photos, file.path(folder, "photos"))
  folder
}

test_that("the lines for each system bring a network that trains", {
  code <- lines_by_system()
  withr::local_dir(files_of_others())
  systems <- setdiff(names(code), "Then")
  expect_identical(
    systems, c("Theano and Lasagne", "TensorFlow", "Keras", "CNTK", "Caffe", "PyTorch and Torch", "MXNet")
  )
  for (system in systems) {
    here <- new.env()
    suppressMessages(suppressWarnings(eval(parse(text = c(code[[system]], code$Then)), here)))
    expect_s3_class(here$net, "mxnetwork")
    expect_identical(nrow(predict(here$fit, "photos")), 16L)
  }
})
