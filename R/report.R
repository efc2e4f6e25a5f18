#' Plot a model
#'
#' `plot()` draws what is most informative: the confusion matrix, precision and recall of each class, how well
#' probabilities can be trusted, the training history, or the images with the highest loss. It uses ggplot2 where that
#' is installed, and base graphics otherwise. Returns the plot (ggplot2) or the model, invisibly.
#'
#' `"calibration"` shows how often the model is right at each confidence, in 15 bins, with the number of images over
#' each and the expected calibration error (Guo et al., 2017): [mxcalibration()] has the numbers. For regression it is
#' the observed over the predicted.
#' @param x A model.
#' @param kind `"confusion"`, `"per_class"`, `"calibration"`, `"history"`, `"top_losses"`, `"learning_curve"` (see
#'   [mxlearning_curve()]) or `"map"`, all training images in two dimensions, those alike near one another, with those
#'   of `data` among them (UMAP where Python's umap-learn is installed, or else principal axes). `NULL` chooses: the
#'   confusion matrix of up to 40 classes, precision and recall of more or of several labels, and the calibration of
#'   numbers; without validation the history.
#' @param data Images with labels, which should have been held out of training. `NULL` means those kept for
#'   validation.
#' @param n For `"top_losses"`: how many images.
#' @param ... Must be empty.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), net = "lenet", tune = "all", epochs = 2, seed = 1)
#' plot(fit)
#' plot(fit, "calibration")
#' plot(fit, "history")
plot.mxmodel <- function(x, kind = NULL, data = NULL, n = 9, ...) {
  refuse_unknown(...)
  kind <- kind %||% if (is.null(data)) x$default_plot %||% "history" else engine_call("judged_plot", x)
  kinds <- c("confusion", "per_class", "calibration", "history", "top_losses", "learning_curve", "map")
  check_one_of("kind", kind, kinds)
  switch(kind,
    confusion = plot_confusion(mxconfusion(x, data), x),
    per_class = plot_per_class(mxper_class(x, data), x),
    calibration = plot_calibration(mxcalibration(x, data), x),
    history = plot_history(x),
    top_losses = plot_top_losses(x, data, n),
    learning_curve = plot(mxlearning_curve(x, data)),
    map = plot_map(x, data)
  )
}

set_colours <- c(training = "#0072B2", validation = "#D55E00") # Okabe and Ito (2008), as in Python

shares <- c("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "roc_auc", "average_precision") # at most 1

#' Names of classes, in a line and cut where they are long, as Python does.
#' @noRd
short_names <- function(names) {
  names <- gsub("\\s+", " ", trimws(names))
  ifelse(nchar(names) > 28, paste0(substr(names, 1, 27), "\u2026"), names)
}

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

#' One row per point: epochs counted through all stages, each metric of training and validation.
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
  best <- best_step(model$history)
  before <- graphics::par(mfrow = c(1, length(metrics)), mar = c(4, 4, 3, 1))
  on.exit(graphics::par(before))
  for (metric in metrics) {
    wide <- curves[curves$metric == metric, ]
    sets <- unique(wide$set)
    values <- do.call(cbind, lapply(sets, function(set) wide$value[wide$set == set])) # also of a single epoch
    colours <- set_colours[sets]
    graphics::matplot(
      values,
      type = "b", pch = 19, lty = 1, col = colours, xlab = "epoch", ylab = metric, ylim = metric_limits(metric, values),
      yaxs = "i", xaxt = "n", bty = "l", xpd = NA
    )
    graphics::points(best, values[best, sets == "validation"], cex = 2.5)
    graphics::axis(1, unique(round(pretty(c(1, nrow(values))))))
    legend_above(sets, pch = 19, col = colours)
  }
  invisible(model)
}

#' A loss starts at 0; a share ends at 1.
#' @noRd
metric_limits <- function(metric, values) {
  if (metric %in% shares) c(min(0.95 * values, 0.9, na.rm = TRUE), 1) else range(0, 1.05 * values, finite = TRUE)
}

#' A legend where it hides nothing.
#' @noRd
legend_above <- function(...) {
  graphics::legend("bottom", ..., horiz = TRUE, inset = c(0, 1.01), xpd = NA, bty = "n", cex = 0.9)
}

plot_confusion <- function(counts, model) {
  if (!rlang::is_installed("ggplot2")) {
    base_confusion(counts)
    return(invisible(model))
  }
  dimnames(counts) <- lapply(dimnames(counts), function(names) make.unique(short_names(names)))
  cells <- as.data.frame(counts, stringsAsFactors = TRUE)
  cells$share <- as.vector(row_shares(counts))
  cells$label <- paste0(cells$Freq, if (nrow(counts) <= 12) sprintf("\n%.0f%%", 100 * cells$share))
  numbers <- if (nrow(counts) <= 40) cells[cells$Freq > 0, ] else cells[0, ] # of more classes there are shades alone
  letters <- max(1.6, min(3.9, 40 / nrow(counts)))
  plot <- ggplot2::ggplot(cells, ggplot2::aes(.data$prediction, .data$truth, fill = .data$share)) +
    ggplot2::geom_tile() +
    ggplot2::geom_text(ggplot2::aes(label = .data$label, colour = .data$share > 0.55), numbers, size = letters) +
    ggplot2::scale_colour_manual(values = c("FALSE" = "black", "TRUE" = "white"), guide = "none") +
    ggplot2::scale_fill_gradient(low = "#F7FBFF", high = "#08306B", limits = c(0, 1)) +
    ggplot2::scale_x_discrete(guide = ggplot2::guide_axis(check.overlap = nrow(counts) > 40)) +
    ggplot2::scale_y_discrete(limits = rev, guide = ggplot2::guide_axis(check.overlap = nrow(counts) > 40)) +
    ggplot2::labs(x = "predicted") +
    ggplot2::coord_equal() +
    ggplot2::theme_minimal() +
    ggplot2::theme(
      panel.grid = ggplot2::element_blank(), legend.position = "none",
      axis.text = ggplot2::element_text(size = max(4, min(9, 150 / nrow(counts)))),
      axis.text.x = ggplot2::element_text(angle = if (max(nchar(colnames(counts))) * nrow(counts) > 50) 90 else 0,
        hjust = if (max(nchar(colnames(counts))) * nrow(counts) > 50) 1 else 0.5, vjust = 0.5
      )
    )
  print(plot)
  invisible(plot)
}

#' Counts as shares of the true class, as in Python.
#' @noRd
row_shares <- function(counts) unclass(counts) / pmax(rowSums(counts), 1)

base_confusion <- function(counts) {
  size <- nrow(counts)
  from_below <- function(matrix) t(unclass(matrix)[rev(seq_len(size)), , drop = FALSE])
  numbers <- from_below(counts)
  shade <- from_below(row_shares(counts))
  names <- short_names(rownames(counts))
  letters <- max(0.4, min(0.9, 12 / size))
  before <- graphics::par(mar = rep(c(4 + 0.45 * letters * max(nchar(names)), 1), each = 2))
  on.exit(graphics::par(before))
  at <- seq_len(size)
  graphics::image(
    at, at, shade,
    axes = FALSE, zlim = c(0, 1), col = grDevices::hcl.colors(20, "Blues", rev = TRUE), xlab = "", ylab = ""
  )
  seen <- numbers > 0 & size <= 40
  if (any(seen)) {
    colours <- ifelse(shade[seen] > 0.55, "white", "black")
    graphics::text(row(numbers)[seen], col(numbers)[seen], numbers[seen], cex = letters, col = colours)
  }
  graphics::axis(1, at, names, las = 2, cex.axis = letters, tick = FALSE)
  graphics::axis(2, at, rev(names), las = 1, cex.axis = letters, tick = FALSE)
  graphics::title(xlab = "predicted", ylab = "truth", line = graphics::par("mar")[1] - 1.5)
}

plot_top_losses <- function(model, data, n) {
  images <- if (is.null(data)) {
    engine_call("validation_images", model)
  } else {
    engine_call("labelled_images", model, prepare_source(data))
  }
  worst <- mxtop_losses(model, if (!is.null(data)) images, n = n)
  titles <- loss_titles(worst)
  side <- ceiling(sqrt(nrow(worst)))
  before <- graphics::par(mfrow = c(ceiling(nrow(worst) / side), side), mar = c(0, 0.5, 3.6, 0.5))
  on.exit(graphics::par(before))
  for (i in seq_len(nrow(worst))) {
    draw_picture(engine_call("thumbnail", arguments = list(object = images, name = worst$.file[i])))
    graphics::title(titles[i], cex.main = 1, font.main = 1, line = 0.4)
  }
  invisible(model)
}

#' Lines over each image: its file; the truth and the guess with their probabilities, or the loss. Long ones lose
#' their middle, as in Python.
#' @noRd
loss_titles <- function(worst) {
  lines <- if (is.null(worst$truth)) {
    list(sprintf("loss %.2f", worst$loss))
  } else {
    list(
      sprintf("truth: %s (%.2f)", worst$truth, worst$prob),
      sprintf("predicted: %s (%.2f)", worst$.pred_class, worst$.pred_prob)
    )
  }
  cut <- function(line) {
    end <- nchar(line)
    ifelse(end <= 33, line, paste0(substr(line, 1, 24), "\u2026", substr(line, end - 7, end)))
  }
  do.call(paste, c(lapply(c(list(basename(worst$.file)), lines), cut), sep = "\n"))
}
