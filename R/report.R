#' Plot a model
#'
#' `plot()` draws the training history, the confusion matrix, or the images with the highest loss: with ggplot2 where
#' it is installed, with base graphics otherwise. Returns the plot (ggplot2) or the
#' model, invisibly.
#' @param x A model.
#' @param kind `"confusion"`, `"history"` or `"top_losses"`. `NULL` chooses: the confusion matrix of the validation, or
#'   the history where there is none.
#' @param data Images with labels, which should have been held out of training. `NULL` means those kept for
#'   validation.
#' @param n For `"top_losses"`: how many images.
#' @param ... Must be empty.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 2, seed = 1)
#' plot(fit)
#' plot(fit, "history")
plot.mxmodel <- function(x, kind = NULL, data = NULL, n = 9, ...) {
  refuse_unknown(...)
  kind <- kind %||% if (is.null(data)) x$default_plot %||% "history" else "confusion"
  kind <- rlang::arg_match0(kind, c("confusion", "history", "top_losses"))
  switch(kind,
    history = plot_history(x),
    confusion = plot_confusion(mxconfusion(x, data), x),
    top_losses = plot_top_losses(x, data, n)
  )
}

set_colours <- c(training = "#0072B2", validation = "#D55E00") # Okabe and Ito (2008), as in Python

shares <- c("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "roc_auc", "average_precision") # at most 1

plot_history <- function(model) {
  curves <- long_history(model$history)
  if (!rlang::is_installed("ggplot2")) {
    return(base_history(curves, model))
  }
  runs <- interaction(curves$set, curves$stage, curves$metric)
  lines <- curves[runs %in% names(which(table(runs) > 1)), ] # an epoch alone is a point
  shapes <- if (nlevels(curves$stage) > 1) "legend" else "none"
  whole <- function(range) unique(round(pretty(range)))
  best <- curves[curves$set == "validation" & curves$step == best_step(model$history), ]
  caption <- if (nrow(best)) "ringed: the lowest validation loss"
  plot <- ggplot2::ggplot(curves, ggplot2::aes(.data$step, .data$value, colour = .data$set)) +
    ggplot2::geom_line(ggplot2::aes(group = interaction(.data$set, .data$stage)), lines, na.rm = TRUE) +
    ggplot2::geom_point(ggplot2::aes(shape = .data$stage), size = 2.5, na.rm = TRUE) +
    ggplot2::geom_point(data = best, shape = 1, size = 6, colour = "black", na.rm = TRUE) +
    ggplot2::geom_blank(ggplot2::aes(y = 0), curves[curves$metric == "loss", ]) +
    ggplot2::geom_blank(ggplot2::aes(y = 1), curves[curves$metric %in% shares, ]) +
    ggplot2::facet_wrap(ggplot2::vars(.data$metric), scales = "free_y") +
    ggplot2::scale_x_continuous(breaks = whole) +
    ggplot2::scale_colour_manual(values = set_colours) +
    ggplot2::guides(shape = shapes) +
    ggplot2::labs(x = "epoch", y = NULL, colour = NULL, shape = NULL, caption = caption) +
    ggplot2::theme_minimal() +
    ggplot2::theme(legend.position = "bottom", panel.grid.minor = ggplot2::element_blank())
  print(plot)
  invisible(plot)
}

#' The epoch whose weights training keeps, counted through all stages; none without validation.
#' @noRd
best_step <- function(history) {
  which.min(as.numeric(history$valid_loss))
}

#' One row a point: epochs counted through all stages, each metric of training and validation.
#' @noRd
long_history <- function(history) {
  columns <- grep("^(train|valid)_", names(history), value = TRUE)
  curves <- lapply(columns, function(column) {
    data.frame(
      step = seq_len(nrow(history)), stage = factor(history$stage, unique(history$stage)),
      metric = sub("^[a-z]+_", "", column), set = if (startsWith(column, "train_")) "training" else "validation",
      value = as.numeric(history[[column]])
    )
  })
  curves <- do.call(rbind, curves)
  curves$metric <- factor(curves$metric, unique(curves$metric)) # the loss comes first
  curves
}

base_history <- function(curves, model) {
  metrics <- levels(curves$metric)
  before <- graphics::par(mfrow = c(1, length(metrics)))
  on.exit(graphics::par(before))
  for (metric in metrics) {
    wide <- curves[curves$metric == metric, ]
    sets <- unique(wide$set)
    values <- vapply(sets, function(set) wide$value[wide$set == set], numeric(sum(wide$set == sets[1])))
    colours <- set_colours[sets]
    graphics::matplot(values, type = "b", pch = 19, lty = 1, col = colours, xlab = "epoch", ylab = metric)
    graphics::legend("topright", sets, col = colours, lty = 1, bty = "n")
  }
  invisible(model)
}

plot_confusion <- function(counts, model) {
  if (!rlang::is_installed("ggplot2")) {
    base_confusion(counts)
    return(invisible(model))
  }
  cells <- as.data.frame(counts, stringsAsFactors = TRUE)
  cells$share <- cells$Freq / pmax(rowSums(counts), 1)[cells$truth] # as in Python: shades are shares of the truth
  cells$label <- paste0(cells$Freq, if (nrow(counts) <= 12) sprintf("\n%.0f%%", 100 * cells$share))
  plot <- ggplot2::ggplot(cells, ggplot2::aes(.data$prediction, .data$truth, fill = .data$share)) +
    ggplot2::geom_tile() +
    ggplot2::geom_text(ggplot2::aes(label = .data$label, colour = .data$share > 0.55), cells[cells$Freq > 0, ]) +
    ggplot2::scale_colour_manual(values = c("black", "white"), guide = "none") +
    ggplot2::scale_fill_gradient(low = "#F7FBFF", high = "#08306B", limits = c(0, 1)) +
    ggplot2::scale_y_discrete(limits = rev) +
    ggplot2::theme_minimal() +
    ggplot2::theme(
      panel.grid = ggplot2::element_blank(), axis.text.x = ggplot2::element_text(angle = 45, hjust = 1),
      legend.position = "none"
    )
  print(plot)
  invisible(plot)
}

base_confusion <- function(counts) {
  numbers <- t(unclass(counts)[rev(seq_len(nrow(counts))), ])
  at <- seq(0, 1, length.out = nrow(counts))
  before <- graphics::par(mar = c(7, 7, 1, 1))
  on.exit(graphics::par(before))
  graphics::image(numbers, axes = FALSE, col = grDevices::hcl.colors(20, "Blues", rev = TRUE))
  graphics::text(rep(at, nrow(counts)), rep(at, each = nrow(counts)), numbers)
  graphics::axis(1, at, colnames(counts), las = 2)
  graphics::axis(2, at, rev(rownames(counts)), las = 1)
}

plot_top_losses <- function(model, data, n) {
  images <- if (is.null(data)) engine_call("validation_images", model) else labelled_images(data)
  worst <- mxtop_losses(model, if (!is.null(data)) images, n = n)
  titles <- loss_titles(worst)
  side <- ceiling(sqrt(nrow(worst)))
  before <- graphics::par(mfrow = c(ceiling(nrow(worst) / side), side), mar = c(0, 0, 4, 0))
  on.exit(graphics::par(before))
  for (i in seq_len(nrow(worst))) {
    draw_picture(engine_call("thumbnail", arguments = list(object = images, name = worst$.file[i])))
    graphics::title(titles[i], cex.main = 0.9)
  }
  invisible(model)
}

#' Lines over each image: its file; the truth and the guess with their probabilities, or the loss.
#' @noRd
loss_titles <- function(worst) {
  wrong <- if (is.null(worst$truth)) {
    sprintf("loss %.2f", worst$loss)
  } else {
    sprintf(
      "truth: %s (%.2f)\npredicted: %s (%.2f)",
      worst$truth, worst$prob, worst$.pred_class, worst$.pred_prob
    )
  }
  paste(basename(worst$.file), wrong, sep = "\n")
}
