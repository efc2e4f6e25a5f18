# A model in other R processes, in none of which library(mxtune) has run.

bags <- function() list.files(file.path(small_folder(), "bag"), full.names = TRUE)[1:2]
classes <- function(predictions) as.character(predictions$.pred_class)
expected <- function() classes(predict(small_model(), bags()))

# Also given to workers, where it finds its methods: it must not be a function of the environment of these tests.
look <- function(model, images, network, files) {
  list(
    class = as.character(predict(model, files)$.pred_class),
    shown = length(utils::capture.output(print(model), print(images), print(network), print(summary(model)))),
    figures = names(generics::glance(model)), images = length(images), rows = nrow(as.data.frame(images[1:2])),
    layers = nrow(summary(network)), attached = "package:mxtune" %in% search()
  )
}
environment(look) <- globalenv()

expect_looked <- function(told) {
  expect_identical(told$class, expected())
  expect_gt(told$shown, 20)
  expect_true("accuracy" %in% told$figures)
  expect_identical(told[c("images", "rows", "attached")], list(images = 36L, rows = 2L, attached = FALSE))
  expect_gt(told$layers, 5)
}

test_that("PSOCK workers, and foreach on them, use models, images and networks", {
  given <- list(small_model(), mximages(small_folder()), mxnetwork("lenet"), bags())
  workers <- parallel::makePSOCKcluster(1)
  on.exit(parallel::stopCluster(workers))
  expect_looked(do.call(parallel::clusterCall, c(list(workers, look), given))[[1]])
  doParallel::registerDoParallel(workers)
  `%dopar%` <- foreach::`%dopar%`
  model <- small_model()
  told <- foreach::foreach(file = bags()) %dopar% predict(model, file)
  expect_identical(unlist(lapply(told, classes)), expected())
})

test_that("future and furrr use models, also where references are refused, and no random number is drawn", {
  withr::defer(future::plan("sequential"))
  future::plan("multisession", workers = 2)
  withr::local_options(future.globals.onReference = "error")
  model <- small_model()
  files <- bags()
  told <- future::value(future::future(predict(model, files)))
  expect_identical(classes(told), expected())
  expect_no_warning(told <- furrr::future_map(files, function(file) predict(model, file)))
  expect_identical(unlist(lapply(told, classes)), expected())
})

test_that("callr, and a script that only reads an .rds file, use models", {
  given <- list(small_model(), mximages(small_folder()), mxnetwork("lenet"), bags())
  expect_looked(callr::r(look, given, libpath = .libPaths()))
  rds <- withr::local_tempfile(fileext = ".rds")
  saveRDS(list(model = small_model(), said = summary(small_model()), info = mxinfo()), rds)
  told <- callr::r(function(rds, files) {
    kept <- readRDS(rds)
    said <- utils::capture.output(print(kept$said), print(kept$info))
    list(said = said, class = as.character(predict(kept$model, files)$.pred_class))
  }, list(rds, bags()), libpath = .libPaths())
  expect_match(told$said[1], "mxmodel lenet")
  expect_true(any(grepl("^Python: ", told$said)))
  expect_identical(told$class, expected())
})

test_that("a summary alone prints where nothing has loaded the package", {
  rds <- withr::local_tempfile(fileext = ".rds")
  for (answer in list(summary(small_model()), summary(mximages(small_folder())), mxinfo())) {
    saveRDS(answer, rds)
    said <- callr::r(function(rds) utils::capture.output(print(readRDS(rds))), list(rds), libpath = .libPaths())
    expect_identical(said, utils::capture.output(print(answer)))
  }
})

test_that("plumber and shiny serve a model from a session that never loaded the package", {
  rds <- withr::local_tempfile(fileext = ".rds")
  saveRDS(small_model(), rds)
  told <- callr::r(function(rds, file) {
    model <- readRDS(rds)
    api <- plumber::pr_post(plumber::pr(), "/predict", function(file) predict(model, file))
    request <- new.env()
    request$REQUEST_METHOD <- "POST"
    request$PATH_INFO <- "/predict"
    request$HTTP_CONTENT_TYPE <- "application/json"
    body <- charToRaw(sprintf('{"file": "%s"}', file))
    lines <- function() rawToChar(body)
    request$rook.input <- list(read_lines = lines, read = function(...) body, rewind = function() 0)
    answer <- api$call(request)
    server <- function(input, output, session) {
      output$class <- shiny::renderText(as.character(predict(model, input$file)$.pred_class))
    }
    shiny::testServer(server, {
      session$setInputs(file = file)
      shown <<- output$class
    })
    list(status = answer$status, plumber = as.character(answer$body), shiny = shown)
  }, list(rds, bags()[1]), libpath = .libPaths())
  expect_identical(told$status, 200L)
  expect_match(told$plumber, sprintf('".pred_class":"%s"', expected()[1]), fixed = TRUE)
  expect_identical(told$shiny, expected()[1])
})

# ---- forks

# A session of its own, whose children are forked; `code` gets a model that has not been saved yet.
forking <- function(code) {
  fresh(function(folder, code) {
    model <- suppressWarnings(mxtune::mxtrain(folder, net = "lenet", tune = "all", epochs = 1, seed = 1, verbose = 0))
    code(model, folder)
  }, list(small_folder(), code))
}

test_that("a forked child raises its own error when it predicts, trains, saves or returns a model", {
  told <- forking(function(model, folder) {
    file <- tempfile()
    work <- list(
      predict = function() predict(model, folder),
      train = function() mxtune::mxtrain(folder, net = "lenet", epochs = 1),
      saveRDS = function() saveRDS(model, file),
      mxsave = function() mxtune::mxsave(model, file),
      returned = function() list(1, model)
    )
    child <- function(task) suppressWarnings(parallel::mclapply(1:2, function(i) task(), mc.cores = 2)[[1]])
    collected <- parallel::mccollect(parallel::mcparallel(model))[[1]]
    printed <- parallel::mclapply(1:2, function(i) utils::capture.output(print(model)), mc.cores = 2)[[1]]
    list(children = lapply(c(work, list(collected = function() stop(collected))), child), printed = printed)
  })
  for (name in names(told$children)) {
    error <- attr(told$children[[name]], "condition")
    expect_match(conditionMessage(error), "forked process.*parallel::makePSOCKcluster", info = name)
    if (name != "collected") expect_s3_class(error, "mxtune_engine_error")
  }
  expect_match(told$printed[1], "^mxmodel lenet")
})

test_that("a worker of a forked cluster gives a model back whole, and says that it can't predict", {
  told <- forking(function(model, folder) {
    workers <- parallel::makeForkCluster(2)
    on.exit(parallel::stopCluster(workers))
    returned <- parallel::clusterApply(workers, 1:2, function(i) model)[[2]]
    file <- tempfile()
    saveRDS(returned, file)
    use <- function(i) predict(model, folder)
    refused <- tryCatch(parallel::clusterApply(workers, 1:2, use), error = conditionMessage)
    list(
      refused = refused, after = unlist(parallel::clusterApply(workers, 1:2, function(i) i)),
      same = identical(predict(returned, folder), predict(model, folder)),
      saved = identical(predict(readRDS(file), folder), predict(model, folder))
    )
  })
  expect_match(told$refused, "forked process.*parallel::makePSOCKcluster")
  expect_identical(told$after, 1:2)
  expect_true(told$same && told$saved)
})

test_that("a forked child of a session that has started no engine starts its own", {
  rds <- withr::local_tempfile(fileext = ".rds")
  saveRDS(small_model(), rds)
  told <- callr::r(function(rds, files) {
    model <- readRDS(rds)
    parallel::mclapply(files, function(file) as.character(predict(model, file)$.pred_class), mc.cores = 2)
  }, list(rds, bags()), libpath = .libPaths())
  expect_identical(unlist(told), expected())
})
