# Progress: a bar in a console or RStudio, a line per epoch elsewhere, nothing in tests.

#' Who listens to progress: `NULL`, functions of `info` by the kind of event, or the reporter of the Python that hosts
#' R. Events without a function do not cross from Python.
#'
#' @param verbose What the user gave: 0 is silent, 1 a line per epoch, 2 a bar; NULL chooses by where it runs.
#' @noRd
listener <- function(verbose = NULL) {
  verbose <- if (isTRUE(verbose %in% 0:2)) as.integer(verbose) # Python refuses anything else
  style <- progress_style(verbose)
  host <- if (style != "silent") host_reporter(verbose)
  if (!is.null(host)) {
    return(host)
  }
  switch(style,
    silent = NULL,
    lines = listen_by_lines(),
    bar = listen_by_bar()
  )
}

progress_style <- function(verbose = NULL) {
  if (!is.null(verbose)) {
    return(c("silent", "lines", "bar")[verbose + 1L])
  }
  if (identical(Sys.getenv("TESTTHAT"), "true")) {
    "silent"
  } else if (interactive() && !isTRUE(getOption("knitr.in.progress")) && cli::is_dynamic_tty()) {
    "bar"
  } else {
    "lines"
  }
}

listen_by_lines <- function() {
  list(
    message = function(info) tell(wrapped(info$text)),
    epoch = function(info) tell(epoch_line(info))
  )
}

#' A message that ends its own line, as base R's do: whoever signals it again (future, knitr) adds none.
#' @noRd
tell <- function(text) {
  message(structure(
    list(message = paste0(text, "\n"), call = NULL),
    class = c("mxtune_message", "message", "condition")
  ))
}

#' A sentence in lines as wide as the page: of a vignette, for one.
#' @noRd
wrapped <- function(text) {
  paste(strwrap(text, exdent = 2), collapse = "\n")
}

#' One epoch as a line of text, as Python writes it.
#' @noRd
epoch_line <- function(info) {
  metrics <- paste(names(info$metrics), vapply(info$metrics, format, "", digits = 4), collapse = "  ")
  sprintf("%s %d/%d  %s", info$stage, as.integer(info$epoch), as.integer(info$epochs), metrics)
}

listen_by_bar <- function() {
  frame <- new.env() # a bar lives in a frame; this one lives as long as the listener
  id <- NULL
  close <- function() {
    if (!is.null(id)) {
      cli::cli_progress_done(id = id, .envir = frame)
      id <<- NULL
    }
  }
  list(
    start = function(info) {
      close()
      id <<- cli::cli_progress_bar(
        name = info$title, total = info$total, extra = list(unit = info$unit %||% ""),
        format = "{cli::pb_name} {cli::pb_bar} {cli::pb_percent} {cli::pb_rate} ETA {cli::pb_eta}",
        clear = TRUE, .auto_close = FALSE, .envir = frame
      )
      invisible()
    },
    advance = function(info) if (!is.null(id)) cli::cli_progress_update(inc = info$n, id = id, .envir = frame),
    end = function(info) close(),
    message = function(info) cli::cli_verbatim(info$text),
    epoch = function(info) cli::cli_verbatim(epoch_line(info))
  )
}
