# Defaults are written once, in Python. R has the same names in the same order, its help the same defaults.

same_names <- function(name, f, drop = character(), own = character()) {
  expect_identical(setdiff(names(formals(f)), c("...", own)), setdiff(names(signature_of(name)), drop))
}

test_that("arguments have the same names in the same order in both languages", {
  same_names("mxtrain", mxtrain.default)
  same_names("mximages", mximages.default, drop = c("path", "label"))
  same_names("Model.predict", predict.mxmodel, drop = "x", own = c("object", "newdata", "layout"))
  same_names("Model.evaluate", mxevaluate, own = "model")
  same_names("mxnetwork", mxnetwork, drop = "name_or_path", own = "x")
  same_names("mxexample", mxexample)
  same_names("mxload", mxload)
  same_names("Model.save", mxsave, own = "model")
  same_names("Network.cut", mxcut, own = "net")
  same_names("Network.replace_head", mxreplace_head, own = "net")
  same_names("Network.freeze", mxfreeze, own = "net")
  same_names("Network.unfreeze", mxunfreeze, own = "net")
  same_names("Network.insert", mxinsert, drop = "attrs", own = "net")
  same_names("Network.remove", mxremove, own = "net")
  same_names("Network.rename", mxrename, own = "net")
})

test_that("R repeats no default", {
  for (f in list(mxtrain.default, mximages.default, predict.mxmodel, mxnetwork, mxreplace_head, mxinsert)) {
    empty <- vapply(formals(f), rlang::is_missing, logical(1))
    expect_true(all(empty))
  }
})

test_that("the help pages tell the defaults that Python has", {
  pages <- tools::Rd_db("mxtune")
  check <- function(page, name, arguments) {
    text <- gsub("\\s+", " ", paste(as.character(pages[[page]]), collapse = ""))
    for (argument in arguments) {
      default <- paste0("Default: \\code{", signature_of(name)[[argument]], "}")
      expect_match(text, default, fixed = TRUE, label = argument)
    }
  }
  check("mxtrain.Rd", "mxtrain", c("net", "tune", "valid", "schedule", "augment", "restore_best", "device"))
  check("mxtrain.Rd", "mxtrain", c("precision", "resume"))
  check("mximages.Rd", "mximages", c("on_bad", "layout", "recursive"))
  check("predict.mxmodel.Rd", "Model.predict", c("type", "on_bad"))
})
