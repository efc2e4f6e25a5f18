map_colours <- c( # Okabe and Ito (2008), then Tableau's; as in Python
  "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C564B", "#9467BD", "#BCBD22",
  "#17BECF", "#7F7F7F"
)

#' All training images in two dimensions, and new ones among them.
#' @noRd
plot_map <- function(model, data) {
  images <- if (is.null(data)) list() else list(x = picture_source(data, "NHWC", labelled = FALSE))
  table <- as.data.frame(engine_call("map", as_model(model), images, listener()))
  new <- as.logical(table$is_new)
  known <- table[!new, ]
  known$label <- if (is.numeric(known$label)) known$label else common_labels(short_names(as.character(known$label)))
  if (!rlang::is_installed("ggplot2")) {
    base_map(known, table[new, ])
    return(invisible(model))
  }
  colours <- if (is.numeric(known$label)) {
    ggplot2::scale_colour_viridis_c()
  } else {
    ggplot2::scale_colour_manual(values = map_colours)
  }
  plot <- ggplot2::ggplot(known, ggplot2::aes(.data$x, .data$y)) +
    ggplot2::geom_point(ggplot2::aes(colour = .data$label), size = 1.2, alpha = 0.8) +
    ggplot2::geom_point(data = table[new, ], shape = 21, fill = "white", size = 2.6, stroke = 1) +
    colours +
    ggplot2::labs(x = NULL, y = NULL, colour = NULL, caption = if (any(new)) "ringed: new images") +
    ggplot2::theme_minimal() +
    ggplot2::theme(axis.text = ggplot2::element_blank(), panel.grid = ggplot2::element_blank())
  print(plot)
  invisible(plot)
}

#' Labels as a factor of as many levels as there are colours: the rarer ones are others.
#' @noRd
common_labels <- function(labels) {
  counts <- sort(table(labels), decreasing = TRUE)
  if (length(counts) > length(map_colours)) {
    labels[!labels %in% names(counts)[seq_len(length(map_colours) - 1)]] <- "others"
  }
  factor(labels)
}

base_map <- function(known, new) {
  labels <- known$label
  colours <- if (is.numeric(labels)) {
    grDevices::hcl.colors(100)[pmax(1, ceiling(100 * rank(labels) / length(labels)))]
  } else {
    map_colours[as.integer(labels)]
  }
  graphics::plot(
    c(known$x, new$x), c(known$y, new$y),
    type = "n", xlab = "", ylab = "", xaxt = "n", yaxt = "n", bty = "n"
  )
  graphics::points(known$x, known$y, col = colours, pch = 19, cex = 0.6)
  graphics::points(new$x, new$y, pch = 21, bg = "white", cex = 1.3, lwd = 2)
  if (is.factor(labels)) {
    graphics::legend("topright", levels(labels), col = map_colours, pch = 19, cex = 0.7, bty = "n")
  }
}
