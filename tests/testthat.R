library(testthat)
library(mxtune)

test_check("mxtune")
