plot_per_class <- function(table, model) {
  worst <- worst_classes(as.data.frame(table))
  title <- if (nrow(table) > nrow(worst)) {
    sprintf("%d of %d classes, the lowest recall first", nrow(worst), nrow(table))
  }
  if (!rlang::is_installed("ggplot2")) {
    base_per_class(worst, title)
    return(invisible(model))
  }
  figures <- rbind(
    data.frame(name = worst$name, figure = "precision", value = worst$precision),
    data.frame(name = worst$name, figure = "recall", value = worst$recall)
  )
  plot <- ggplot2::ggplot(figures, ggplot2::aes(.data$value, .data$name, colour = .data$figure)) +
    ggplot2::geom_point(ggplot2::aes(shape = .data$figure, size = .data$figure), na.rm = TRUE) +
    ggplot2::scale_colour_manual(values = c(precision = set_colours[[2]], recall = set_colours[[1]])) +
    ggplot2::scale_shape_manual(values = c(precision = 1, recall = 19)) +
    ggplot2::scale_size_manual(values = c(precision = 3.2, recall = 2)) +
    ggplot2::scale_x_continuous(limits = c(0, 1), breaks = seq(0, 1, 0.2)) +
    ggplot2::scale_y_discrete(limits = rev(worst$name)) +
    ggplot2::labs(x = "share of images", y = NULL, colour = NULL, shape = NULL, size = NULL, title = title) +
    ggplot2::theme_minimal() +
    ggplot2::theme(legend.position = "bottom", panel.grid.minor = ggplot2::element_blank())
  print(plot)
  invisible(plot)
}

#' Up to 40 classes, the lowest recall first, as Python draws them.
#' @noRd
worst_classes <- function(table) {
  worst <- utils::head(table[order(table$recall), ], 40)
  worst$name <- paste0(short_names(worst$level), " (", worst$n, ")")
  worst
}

base_per_class <- function(worst, title) {
  worst <- worst[rev(seq_len(nrow(worst))), ]
  lines <- seq_len(nrow(worst))
  before <- graphics::par(mar = c(4, 1 + 0.45 * max(nchar(worst$name)), if (is.null(title)) 3 else 4.5, 1))
  on.exit(graphics::par(before))
  graphics::plot(
    worst$precision, lines,
    xlim = c(0, 1), xlab = "share of images", ylab = "", yaxt = "n", main = title, cex.main = 1, font.main = 1,
    bty = "n", col = set_colours[[2]], cex = 1.4
  )
  graphics::points(worst$recall, lines, pch = 19, cex = 0.9, col = set_colours[[1]])
  graphics::axis(2, lines, worst$name, las = 1, tick = FALSE, cex.axis = 0.8)
  legend_above(c("precision", "recall"), pch = c(1, 19), col = set_colours[2:1])
}
