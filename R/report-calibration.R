panels_at_most <- 12 # labels, as in Python

plot_calibration <- function(table, model) {
  panels <- calibration_panels(table)
  words <- calibration_words(table)
  if (!rlang::is_installed("ggplot2")) {
    base_calibration(panels, words)
    return(invisible(model))
  }
  cells <- do.call(rbind, Map(function(rows, title) cbind(rows, panel = title), panels, names(panels)))
  cells$panel <- factor(cells$panel, names(panels))
  in_bins <- "lower" %in% names(table)
  plot <- if (in_bins) plot_reliability(cells, words) else plot_agreement(cells, words)
  plot <- plot +
    ggplot2::geom_abline(colour = "#666666", linetype = "dashed", linewidth = 0.4) +
    ggplot2::facet_wrap(ggplot2::vars(.data$panel), scales = if (in_bins) "fixed" else "free") +
    ggplot2::theme_minimal() +
    ggplot2::theme(legend.position = "bottom", panel.grid.minor = ggplot2::element_blank(), aspect.ratio = 1)
  if (length(panels) == 1) { # a title may be wider than its panel
    plot <- plot + ggplot2::labs(title = names(panels)) + ggplot2::theme(
      strip.text = ggplot2::element_blank(), plot.title.position = "plot",
      plot.title = ggplot2::element_text(hjust = 0.5, size = 10)
    )
  }
  print(plot)
  invisible(plot)
}

base_calibration <- function(panels, words) {
  before <- graphics::par(
    mfrow = rev(grDevices::n2mfrow(length(panels))), mar = c(3.2, 3.2, 3.4, 1), mgp = c(1.9, 0.6, 0), pty = "s"
  )
  on.exit(graphics::par(before))
  draw <- if ("lower" %in% names(panels[[1]])) base_reliability else base_agreement
  Map(draw, panels, names(panels), MoreArgs = list(words = words))
}

#' A table for each label by its title, as Python shows them: those with the largest errors.
#' @noRd
calibration_panels <- function(table) {
  table <- as.data.frame(table) # a tibble warns of columns that are not there
  levels <- unique(table$level)
  tables <- if (is.null(levels)) list(table) else lapply(levels, function(level) table[table$level == level, ])
  if ("error" %in% names(table)) {
    tables <- tables[order(-vapply(tables, function(rows) sum(rows$error), 0))]
  }
  tables <- utils::head(tables, panels_at_most)
  rlang::set_names(tables, vapply(tables, calibration_title, ""))
}

calibration_title <- function(rows) {
  said <- if ("error" %in% names(rows)) {
    sprintf("error %.3g", sum(rows$error))
  } else {
    sprintf("RMSE %.3g, %d images", sqrt(mean((rows$predicted - rows$observed)^2, na.rm = TRUE)), nrow(rows))
  }
  if (!is.null(rows$level)) {
    return(paste(short_names(rows$level[1]), said, sep = "\n"))
  }
  if ("error" %in% names(rows)) sprintf("expected calibration %s, %d images", said, sum(rows$n)) else said
}

calibration_words <- function(table) {
  if (!"lower" %in% names(table)) {
    return(c("predicted", "observed"))
  }
  if ("level" %in% names(table)) c("probability", "share that has it") else c("confidence", "accuracy")
}

plot_reliability <- function(cells, words) {
  filled <- cells[cells$n > 0, ]
  filled$middle <- (filled$lower + filled$upper) / 2
  mean_word <- paste("mean", words[1])
  narrow <- nlevels(cells$panel) > 1 || max(nchar(filled$n)) > 4
  ggplot2::ggplot(filled, ggplot2::aes(.data$middle, .data$observed)) +
    ggplot2::geom_col(ggplot2::aes(fill = words[2]), width = 0.06, alpha = 0.6) +
    ggplot2::geom_segment(
      ggplot2::aes(
        x = .data$middle - 0.03, xend = .data$middle + 0.03, y = .data$predicted, yend = .data$predicted,
        colour = mean_word
      ),
      linewidth = 1
    ) +
    ggplot2::geom_text(
      ggplot2::aes(y = 1.02, label = .data$n),
      size = if (nlevels(cells$panel) > 4) 1.7 else 2.4, colour = "grey30", angle = if (narrow) 90 else 0,
      hjust = if (narrow) 0 else 0.5, vjust = if (narrow) 0.5 else 0
    ) +
    ggplot2::scale_fill_manual(values = unname(set_colours[1])) +
    ggplot2::scale_colour_manual(values = unname(set_colours[2])) +
    ggplot2::scale_x_continuous(limits = c(0, 1), breaks = seq(0, 1, if (nlevels(cells$panel) > 1) 0.5 else 0.2)) +
    ggplot2::scale_y_continuous(limits = c(0, if (narrow) 1.2 else 1.06), breaks = seq(0, 1, 0.2)) +
    ggplot2::labs(x = words[1], y = words[2], fill = NULL, colour = NULL)
}

plot_agreement <- function(cells, words) {
  many <- nrow(cells) > 500
  ggplot2::ggplot(cells, ggplot2::aes(.data$predicted, .data$observed)) +
    ggplot2::geom_point(
      colour = set_colours[[1]], alpha = if (many) 0.25 else 0.6, size = if (many) 0.6 else 1.5, na.rm = TRUE
    ) +
    ggplot2::geom_blank(ggplot2::aes(.data$observed, .data$predicted)) + # both axes span the same
    ggplot2::labs(x = words[1], y = words[2])
}

base_reliability <- function(rows, title, words) {
  rows <- rows[rows$n > 0, ]
  graphics::plot(
    c(0, 1), c(0, 1),
    type = "l", lty = 2, col = "#666666", xlim = c(0, 1), ylim = c(0, 1), xlab = words[1], ylab = words[2],
    main = title, cex.main = 1, font.main = 1, bty = "l"
  )
  graphics::rect(
    rows$lower + 0.003, 0, rows$upper - 0.003, rows$observed,
    col = grDevices::adjustcolor(set_colours[[1]], 0.6), border = NA
  )
  graphics::segments(rows$lower, rows$predicted, rows$upper, rows$predicted, col = set_colours[[2]], lwd = 2)
  graphics::mtext(rows$n, at = (rows$lower + rows$upper) / 2, cex = 0.6 * graphics::par("cex"))
  key <- c(words[2], paste("mean", words[1]))
  graphics::legend(
    "topleft", key,
    fill = c(grDevices::adjustcolor(set_colours[[1]], 0.6), set_colours[[2]]), border = NA, cex = 0.8, box.col = NA,
    bg = grDevices::adjustcolor("white", 0.7)
  )
}

base_agreement <- function(rows, title, words) {
  ends <- range(rows$predicted, rows$observed, na.rm = TRUE)
  graphics::plot(
    rows$predicted, rows$observed,
    xlim = ends, ylim = ends, xlab = words[1], ylab = words[2], main = title, cex.main = 1, font.main = 1, pch = 19,
    bty = "l",
    col = grDevices::adjustcolor(set_colours[[1]], if (nrow(rows) > 500) 0.25 else 0.6)
  )
  graphics::abline(0, 1, lty = 2, col = "#666666")
}
