# Arguments that a verb does not have.

#' Refuse what a user gave through `...`, with the argument that was probably meant.
#' @param known The arguments there are: those of the function that asks.
#' @noRd
refuse_unknown <- function(..., known = names(formals(sys.function(sys.parent())))) {
  if (!...length()) {
    return(invisible())
  }
  known <- setdiff(known, "...")
  given <- rlang::names2(rlang::enquos(...))
  unknown <- setdiff(given[nzchar(given)], known)
  if (length(unknown)) {
    abort_mxtune(
      paste0("There is no argument ", paste0("`", unknown, "`", collapse = ", "), "."),
      hint = did_you_mean(unknown, known) %||% paste0("Arguments: ", paste(known, collapse = ", "), ".")
    )
  }
  if (!all(nzchar(given))) {
    values <- vapply(rlang::enquos(...)[!nzchar(given)], function(value) rlang::as_label(value), "")
    abort_mxtune(
      "There are more values than arguments.",
      bullets = paste0("no argument takes ", values),
      hint = "Name the arguments after the first ones."
    )
  }
  invisible()
}

#' A hint from mistyped names to what was probably meant, or `NULL`.
#' @noRd
did_you_mean <- function(names, known) {
  close <- unique(unlist(lapply(names, near, known)))
  if (length(close)) paste0("Did you mean ", paste0("`", close, "`", collapse = ", "), "?")
}

#' The names that a mistyped one may have meant, at most two: few letters differ, one holds the other (`network` and
#' `net`), or it is the initials (`learning_rate` and `lr`).
#' @noRd
near <- function(name, known) {
  plain <- function(x) gsub("[._]", "", tolower(x))
  holds <- function(a, b) nchar(b) > 2 & mapply(grepl, plain(b), plain(a), fixed = TRUE)
  initials <- paste(substr(strsplit(tolower(name), "[._]")[[1]], 1, 1), collapse = "")
  distance <- utils::adist(plain(name), plain(known))[1, ]
  few <- distance <= max(1, nchar(plain(name)) %/% 2) & distance == min(distance) & distance < nchar(known)
  related <- known == initials & nchar(initials) > 1 | holds(name, known) | holds(known, name)
  utils::head(known[order(!related, distance)][seq_len(sum(few | related))], 2)
}
