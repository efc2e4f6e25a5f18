#' Would more images help?
#'
#' `mxlearning_curve()` trains heads on ever larger parts of the images and tests them on others, in seconds: how good
#' models of fewer images are, what to expect of twice as many, and which classes are short of images. The error follows
#' a power law with an asymptote (Hestness et al., 2017), `a + b * images^-c`. Intervals are at 95 %: of a bootstrap
#' over images or groups, of what the points leave open, and of how models on other images differ.
#'
#' Heads learn on the features of the network as it is. Where its layers were trained on the same images, the curve is
#' too optimistic, and a warning says so.
#'
#' @param model A model.
#' @param x,y Images and labels, as in [mxevaluate()]. `NULL` means those that the model was trained on.
#' @param path,label,root,split For a table, as in [mxevaluate()].
#' @param ... Must be empty.
#' @return An object with
#' - `table`: for each number of `images` (and how many these are `per_class`) the primary metric by its name, its
#'   interval `lower` and `upper`, and the `fitted` curve; `as.data.frame()` gives it, too;
#' - `classes`: for each `level` how many images it has, its `recall`, its `gain` with twice as many images, with an
#'   interval, and whether it is `short` of images: the lower end is at least 0.02, or it has fewer than half as many
#'   images as is usual and a lower recall;
#' - `gain` and `gain_interval`: how much the metric is to change with twice as many images;
#' - `metric`, its name; `n`, how many images there are; `line`, the curve as `plot()` draws it.
#' @references Hestness, J. et al. (2017). Deep learning scaling is predictable, empirically. arXiv:1712.00409.
#' @export
#' @examplesIf mxtune:::has_engine()
#' fit <- mxtrain(mxexample("fashion"), tune = "head", image_size = 64, seed = 1)
#' curve <- mxlearning_curve(fit)
#' curve
#' plot(curve)
mxlearning_curve <- function(model, x = NULL, y = NULL, path = NULL, label = NULL, root = NULL, split = NULL, ...) {
  refuse_unknown(...)
  require_given()
  found <- judged("learning_curve", model, x, y, path = path, label = label, root = root, split = split)
  new_answer(engine_call("curve", arguments = list(object = found)), "mxlearning_curve")
}

#' @export
print.mxlearning_curve <- function(x, ...) {
  cat(x$text, sep = "\n")
  invisible(x)
}

#' @rdname mxlearning_curve
#' @param row.names,optional For the generic.
#' @export
as.data.frame.mxlearning_curve <- function(x, row.names = NULL, optional = FALSE, ...) { # nolint: object_name_linter
  as.data.frame(x$table)
}

#' @rdname mxlearning_curve
#' @export
plot.mxlearning_curve <- function(x, ...) {
  refuse_unknown(...)
  points <- as.data.frame(x$table)
  line <- as.data.frame(x$line)
  names(points)[names(points) == x$metric] <- names(line)[names(line) == x$metric] <- "value"
  now <- which.min(abs(line$images - x$n))
  marks <- line[c(now, nrow(line)), ]
  marks$text <- sprintf("%s: %.3g", format(round(c(x$n, 2 * x$n)), big.mark = ",", trim = TRUE), marks$value)
  label <- gsub("_", " ", x$metric)
  if (!rlang::is_installed("ggplot2")) {
    base_learning_curve(points, line, marks, now, label)
    return(invisible(x))
  }
  plot <- ggplot2::ggplot(line, ggplot2::aes(.data$images, .data$value)) +
    ggplot2::geom_ribbon(ggplot2::aes(ymin = .data$lower, ymax = .data$upper), fill = set_colours[[1]], alpha = 0.15) +
    ggplot2::geom_vline(xintercept = x$n, colour = "grey40", linetype = "dotted") +
    ggplot2::geom_line(data = line[seq_len(now), ], colour = set_colours[[1]]) +
    ggplot2::geom_line(data = line[now:nrow(line), ], colour = set_colours[[1]], linetype = "dashed") +
    ggplot2::geom_pointrange(ggplot2::aes(ymin = .data$lower, ymax = .data$upper), points, colour = set_colours[[2]]) +
    ggplot2::geom_point(data = marks, shape = 1, size = 4) +
    ggplot2::geom_text(ggplot2::aes(label = .data$text), marks, hjust = c(-0.15, 0.5), vjust = 2, size = 3.3) +
    ggplot2::scale_x_log10(expand = ggplot2::expansion(mult = 0.1)) +
    ggplot2::labs(x = "images", y = label, caption = "points: measured on images not seen; dashed: to expect") +
    ggplot2::theme_minimal() +
    ggplot2::theme(panel.grid.minor = ggplot2::element_blank())
  print(plot)
  invisible(plot)
}

base_learning_curve <- function(points, line, marks, now, label) {
  limits <- range(line$lower, line$upper, points$lower, points$upper)
  graphics::plot(
    line$images, line$value,
    type = "n", log = "x", xlab = "images", ylab = label, ylim = limits, bty = "l",
    xlim = range(line$images) * c(0.95, 1.1)
  )
  shade <- grDevices::adjustcolor(set_colours[[1]], 0.15)
  graphics::polygon(c(line$images, rev(line$images)), c(line$lower, rev(line$upper)), col = shade, border = NA)
  graphics::lines(line$images[seq_len(now)], line$value[seq_len(now)], col = set_colours[[1]], lwd = 2)
  beyond <- now:nrow(line)
  graphics::lines(line$images[beyond], line$value[beyond], col = set_colours[[1]], lwd = 2, lty = 2)
  graphics::segments(points$images, points$lower, points$images, points$upper, col = set_colours[[2]])
  graphics::points(points$images, points$value, pch = 19, col = set_colours[[2]])
  graphics::points(marks$images, marks$value, cex = 2)
  graphics::text(marks$images, marks$value, marks$text, pos = 1, cex = 0.9)
}
