# R's half of `make demo`: opens the model that Python has just trained, in the same engine.
library(mxtune)

folder <- commandArgs(trailingOnly = TRUE)[1]
fit <- mxload(file.path(folder, "model.mxt"))
cat("\nThe same file in R:\n")
print(fit)
print(predict(fit, file.path(mxexample("fashion"), "ankle_boot"), type = "prob")[1:3, 1:4])
file <- file.path(normalizePath(folder), "history-r.png")
grDevices::png(file, width = 840, height = 380)
plot(fit)
invisible(grDevices::dev.off())
cat("Plot:  ", file, "\n", sep = "")
