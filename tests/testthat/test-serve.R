# The status and the body that a service answers, asked by the means of base R.
ask <- function(service, path, body = raw(), method = "POST") {
  where <- strsplit(sub("^http://", "", service$url), ":")[[1]]
  connection <- socketConnection(where[1], as.integer(where[2]), open = "r+b", blocking = TRUE, timeout = 60)
  on.exit(close(connection))
  head <- c(
    paste(method, path, "HTTP/1.1"), "Host: localhost", "Connection: close", "Content-Type: image/png",
    paste("Content-Length:", length(body)), "", ""
  )
  writeBin(c(charToRaw(paste(head, collapse = "\r\n")), body), connection)
  said <- strsplit(rawToChar(readBin(connection, "raw", 1e6)), "\r\n\r\n")[[1]]
  list(status = as.integer(strsplit(said[1], " ")[[1]][2]), body = said[2])
}

test_that("a model is served in the background, and answers what predict() does", {
  model <- mxtrain(some_fashion(), tune = "head", image_size = 32, verbose = 0)
  photo <- list.files(mxexample("fashion"), "[.]png$", recursive = TRUE, full.names = TRUE)[1]
  service <- mxserve(model)
  withr::defer(service$stop())
  answer <- ask(service, "/predict?format=csv", readBin(photo, "raw", 1e6))
  expect_equal(answer$status, 200)
  expect_equal(
    utils::read.csv(text = answer$body)$pred_class,
    as.character(predict(model, photo)$.pred_class)
  )
  expect_equal(ask(service, "/predict", raw(10))$status, 422)
  expect_output(print(service), paste0("<A service at ", service$url, ">"), fixed = TRUE)
  service$stop()
  expect_output(print(service), "<A service that was at", fixed = TRUE)
  expect_error(mxserve(tempfile(fileext = ".mxt")), class = "mxtune_model_file_error")
  expect_error(mxserve(model, workers = 0), "workers", class = "mxtune_argument_error")
})

test_that("the lines of the article for plumber answer a form", {
  sources <- c(test_path("..", "..", "vignettes", "service.Rmd"), system.file("doc", "service.Rmd", package = "mxtune"))
  article <- readLines(sources[file.exists(sources)][1], encoding = "UTF-8")
  from <- grep("^```\\{r plumber", article)
  lines <- article[(from + 1):(grep("^```$", article)[grep("^```$", article) > from][1] - 1)]
  folder <- withr::local_tempdir()
  model <- mxtrain(some_fashion(), tune = "head", image_size = 32, verbose = 0)
  mxsave(model, file.path(folder, "clothes.mxt"))
  writeLines(lines, file.path(folder, "plumber.R"))
  photo <- list.files(mxexample("fashion"), "[.]png$", recursive = TRUE, full.names = TRUE)[1]
  answer <- callr::r(function(folder, photo) {
    setwd(folder)
    api <- plumber::pr("plumber.R")
    part <- 'Content-Disposition: form-data; name="images"; filename="a.png"\r\nContent-Type: application/octet-stream'
    content <- readBin(photo, "raw", 1e6)
    body <- c(charToRaw(paste0("--xx\r\n", part, "\r\n\r\n")), content, charToRaw("\r\n--xx--\r\n"))
    request <- new.env()
    request$REQUEST_METHOD <- "POST"
    request$PATH_INFO <- "/predict"
    request$HTTP_CONTENT_TYPE <- "multipart/form-data; boundary=xx"
    request$rook.input <- list(read_lines = function() "", read = function(...) body, rewind = function() 0)
    api$call(request)
  }, list(folder, photo), libpath = .libPaths())
  expect_identical(answer$status, 200L)
  expect_match(as.character(answer$body), as.character(predict(model, photo)$.pred_class), fixed = TRUE)
})
