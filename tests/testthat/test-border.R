namespace <- function(text) {
  reticulate::py_eval(paste0("__import__('types').SimpleNamespace(", text, ")"), convert = FALSE)
}

echo <- function(value) {
  engine_call("echo", namespace("echo=lambda value: value"), list(value = value))
}

# What Python sees: its own text of a value.
seen <- function(value, name = "value") {
  owner <- namespace(paste0("seen=lambda ", name, ": repr(", name, ")"))
  engine_call("seen", owner, stats::setNames(list(value), name))
}

test_that("single values stay what they are", {
  engine()
  expect_identical(echo("a"), "a")
  expect_identical(echo(TRUE), TRUE)
  expect_identical(echo(2.5), 2.5)
  expect_null(echo(NULL))
})

test_that("whole numbers need no L", {
  expect_identical(seen(3), "3")
  expect_identical(seen(c(224, 160)), "[224, 160]")
  expect_identical(seen(2^40), "1099511627776")
})

test_that("a large whole number comes back whole", {
  expect_identical(echo(2^40), 2^40)
  expect_identical(echo(-2^31), -2^31)
})

test_that("missing values are missing on the other side", {
  expect_identical(seen(NA), "None")
  expect_identical(seen(NA_integer_), "None")
  expect_identical(seen(NA_character_), "None")
  expect_identical(echo(c("a", NA)), c("a", NA))
  expect_identical(echo(c(1.5, NA)), c(1.5, NA))
  expect_identical(seen(c("a", NA), "x"), "['a', None]")
  expect_match(seen(c(1L, NA), "y"), "[1, <NA>]", fixed = TRUE)
  expect_match(seen(c(TRUE, NA), "y"), "[True, <NA>]", fixed = TRUE)
})

test_that("labels of length one stay a vector", {
  expect_identical(seen("cat", "y"), "['cat']")
  expect_match(seen(1, "y"), "array([1.])", fixed = TRUE)
  expect_match(seen(TRUE, "y"), "array([ True])", fixed = TRUE)
})

test_that("labels that are factors keep their levels in their order; as an option they are texts", {
  f <- factor(c("b", NA, "a"), levels = c("c", "b", "a"))
  expect_match(seen(f, "y"), "['c', 'b', 'a']", fixed = TRUE)
  expect_identical(engine_call("echo", namespace("echo=lambda y: y"), list(y = f)), f)
  expect_identical(seen(f), "['b', nan, 'a']")
})

test_that("names become keys, but for those of single values", {
  expect_identical(seen(c(cat = 1, dog = 2.5)), "[1.0, 2.5]")
  expect_identical(seen(list(flip = TRUE, zoom = c(0.8, 1))), "{'flip': True, 'zoom': [0.8, 1.0]}")
})

test_that("text of any script survives, in a C locale too", {
  words <- c("\u65e5\u672c", "\u0131\u015f\u0131k", "caf\u00e9 {x} \\d")
  expect_identical(echo(words), words)
  same <- fresh(
    function(words) {
      ns <- asNamespace("mxtune")
      ns$engine()
      text <- "__import__('types').SimpleNamespace(echo=lambda value: value)"
      echo <- reticulate::py_eval(text, convert = FALSE)
      identical(ns$engine_call("echo", echo, list(value = words)), words)
    },
    list(words),
    env = c(LC_ALL = "C")
  )
  expect_true(same)
})

test_that("text that can't be decoded crosses as R prints it", {
  bytes <- marked <- "caf\xe9"
  Encoding(bytes) <- "bytes"
  Encoding(marked) <- "latin1"
  expect_identical(echo(c("caf\xe9", "a")), c("caf\\xe9", "a"))
  expect_identical(echo(bytes), "caf\\xe9")
  expect_identical(echo(marked), "caf\u00e9")
})

test_that("a column that Python has no room for is named", {
  frame <- data.frame(a = 1:2)
  frame$k <- structure(c(1L, 9L), levels = "a", class = "factor")
  expect_error(echo(frame), "Can't carry `k` out of R.", class = "mxtune_r_host_error", fixed = TRUE)
})

test_that("a data frame keeps its columns' types", {
  frame <- data.frame(
    text = c("a", NA), number = c(1.5, NA), whole = 1:2, logical = c(TRUE, FALSE), class = factor(c("u", NA)),
    stringsAsFactors = FALSE
  )
  expect_identical(as.data.frame(echo(frame)), frame)
})

test_that("a matrix keeps rows and columns", {
  m <- matrix(c(1, 2, 3, 4, 5, 6), 2)
  expect_identical(echo(m), m)
  expect_match(seen(m, "y"), "[1., 3., 5.]", fixed = TRUE)
  expect_match(seen(m > 2, "y"), "[False,  True,  True]", fixed = TRUE)
})

test_that("a missing argument is named", {
  expect_error(mxcut(mxnetwork("lenet")), "`layer` is missing.", class = "mxtune_argument_error")
})

test_that("R's memory may move on after the call", {
  keep <- reticulate::py_run_string("
class Box:
    def put(self, y):
        self.y = y
box = Box()
", local = TRUE, convert = FALSE)$box
  engine_call("put", keep, list(y = as.double(1:1000) * 1))
  for (i in 1:20) numeric(1000) + i
  gc()
  expect_identical(engine_call("y", keep), as.double(1:1000))
})

test_that("a lazy raw vector is made once, when first looked at", {
  count <- 0
  lazy <- .Call(mxtune_lazy_raw, function() {
    count <<- count + 1
    as.raw(1:3)
  }, function() NULL)
  holder <- list(bytes = lazy)
  expect_false(.Call(mxtune_is_made, holder$bytes))
  file <- withr::local_tempfile()
  saveRDS(holder, file)
  expect_identical(readRDS(file)$bytes, as.raw(1:3))
  expect_identical(holder$bytes[2], as.raw(2))
  expect_identical(count, 1)
})

test_that("a lazy raw vector whose function fails leaves R whole", {
  lazy <- .Call(mxtune_lazy_raw, function() stop("no bytes today"), function() NULL)
  expect_error(length(lazy), "no bytes today")
  expect_error(serialize(lazy, NULL), "no bytes today")
  gc()
  expect_error(lazy[1], "no bytes today")
})
