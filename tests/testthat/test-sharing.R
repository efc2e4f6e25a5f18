# What the hub answers, Python's tests ask: tests/python/hub/test_push.py. `make ecosystem` pushes from R.

test_that("a repository has an owner and a name, and a card fields that are known", {
  expect_error(mxpush(small_model(), "clothes"), "has an owner and a name", class = "mxtune_hub_error")
  expect_error(mxload("hf:clothes"), "has an owner and a name", class = "mxtune_hub_error")
  expect_error(mxpush(small_model(), "hf:me/clothes", card = list(license = "x")), "not known")
  expect_error(mxpush(mxnetwork("lenet"), "hf:me/clothes"), "must be an mxmodel")
  expect_error(mxpush(small_model()), "repository")
})
