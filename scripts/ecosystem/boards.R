# Models with R's pins, vetiver, bundle, butcher and targets themselves: written, read in another session, served.
#   Rscript boards.R LIBRARY BOARDS
# LIBRARY is where these packages are, or are installed from CRAN where they are missing. BOARDS is the folder in which
# boards.py has left Python's.

library <- normalizePath(commandArgs(TRUE)[1], mustWork = FALSE)
boards <- commandArgs(TRUE)[2]
dir.create(library, showWarnings = FALSE, recursive = TRUE)
.libPaths(c(library, .libPaths()))
needed <- c("pins", "vetiver", "bundle", "butcher", "targets", "plumber", "callr")
missing <- setdiff(needed, rownames(utils::installed.packages()))
if (length(missing)) {
  utils::install.packages(missing, library, quiet = TRUE)
}
say <- function(...) cat(..., "\n", sep = "")
elsewhere <- function(code, ...) callr::r(code, list(...), libpath = .libPaths())

base::library(mxtune)
files <- list.files(file.path(mxexample("fashion"), "bag"), full.names = TRUE)[1:3]
fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 1, seed = 3, verbose = 0)
expected <- predict(fit, files, type = "prob")[-1]

# ---- pins: what Python has written, and the other way round (of_r.py reads it)

python <- pins::board_folder(file.path(boards, "pins"))
version <- pins::pin_versions(python, "clothes")
stopifnot(nrow(version) == 2, pins::pin_meta(python, "clothes")$user$mxtune$task == "classification")
theirs <- mxload(pins::pin_download(python, "clothes"))
stopifnot(nrow(predict(theirs, files)) == 3)
ours <- pins::board_folder(file.path(boards, "pins-of-r"))
file <- file.path(tempdir(), "clothes.mxt")
mxsave(fit, file)
pins::pin_upload(ours, file, "clothes", metadata = as.list(glance(fit)))
mxsave(fit, file.path(boards, "of-r.mxt"))
say("pins ", format(utils::packageVersion("pins")), ": a model of Python read, one written for it")

# ---- vetiver, in a session that loads nothing but vetiver

described <- vetiver::vetiver_model(fit, "clothes", metadata = list(shop = "ours"))
print(described)
board <- pins::board_folder(file.path(boards, "vetiver-of-r"))
suppressMessages(vetiver::vetiver_pin_write(board, described))
rows <- data.frame(image = vapply(files, function(file) {
  jsonlite::base64_enc(readBin(file, "raw", file.size(file)))
}, "", USE.NAMES = FALSE))
rows <- rbind(rows, data.frame(image = c("/etc/passwd", files[1], "!", "")))
served <- elsewhere(function(folder, rows, files) {
  model <- vetiver::vetiver_pin_read(pins::board_folder(folder), "clothes")
  api <- vetiver::vetiver_api(plumber::pr(), model, debug = FALSE)
  body <- charToRaw(jsonlite::toJSON(rows))
  request <- new.env()
  request$REQUEST_METHOD <- "POST"
  request$PATH_INFO <- "/predict"
  request$HTTP_CONTENT_TYPE <- request$CONTENT_TYPE <- "application/json"
  request$rook.input <- list(
    read_lines = function() rawToChar(body), read = function(...) body, rewind = function() 0
  )
  answer <- suppressWarnings(api$call(request))
  list(
    status = answer$status, body = jsonlite::fromJSON(answer$body), needs = model$metadata$required_pkgs,
    predicted = as.character(predict(model, files)$.pred_class), user = model$metadata$user
  )
}, file.path(boards, "vetiver-of-r"), rows, files)
stopifnot(
  served$status == 200, nrow(served$body) == 7, all(is.na(served$body$.pred_bag[4:7])),
  all.equal(served$body$.pred_bag[1:3], expected$.pred_bag, tolerance = 1e-3),
  served$needs == "mxtune", served$user$shop == "ours",
  identical(served$predicted, as.character(expected$.pred_class))
)
say("vetiver ", format(utils::packageVersion("vetiver")), ": pinned, read and served in another session")

# ---- bundle and butcher

stopifnot(inherits(bundle::bundle(fit), "bundled_mxmodel"))
rds <- tempfile(fileext = ".rds")
saveRDS(list(bundle::bundle(fit), butcher::butcher(fit)), rds)
told <- elsewhere(function(rds, files) {
  kept <- readRDS(rds)
  lapply(list(bundle::unbundle(kept[[1]]), kept[[2]]), function(fit) predict(fit, files, type = "prob")[-1])
}, rds, files)
stopifnot(identical(told[[1]], expected), identical(told[[2]], expected))
axed <- butcher::butcher(fit)
stopifnot(
  is.null(tryCatch(mxnearest(axed, files), mxtune_argument_error = function(error) NULL)),
  length(butcher::axe_data(fit)$bytes) < length(fit$bytes), length(axed$bytes) < length(butcher::axe_data(fit)$bytes)
)
butcher::butcher(fit, verbose = TRUE)
say("bundle and butcher: the same predictions in another session, and a smaller file")

# ---- targets: a pipeline in a process of its own, and again with nothing left to do

folder <- tempfile()
dir.create(folder)
withr::with_dir(folder, {
  targets::tar_script({
    list(
      targets::tar_target(photos, mxtune::mxexample("fashion")),
      targets::tar_target(images, mxtune::mximages(photos)),
      targets::tar_target(fit, mxtune::mxtrain(images, net = "lenet", epochs = 1, seed = 3, verbose = 0)),
      targets::tar_target(judged, mxtune::mxevaluate(fit, images)),
      targets::tar_target(predicted, predict(fit, file.path(photos, "bag")))
    )
  }, ask = FALSE)
  targets::tar_make(reporter = "silent")
  fitted <- targets::tar_read_raw("fit")
  stopifnot(identical(predict(fitted, file.path(mxexample("fashion"), "bag")), targets::tar_read_raw("predicted")))
  stopifnot(length(targets::tar_outdated(reporter = "silent")) == 0)
})
say("targets ", format(utils::packageVersion("targets")), ": a model and its images, none outdated afterwards")
