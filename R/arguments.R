# Arguments that a verb does not have, and those that it needs.

#' Refuse what a user gave through `...`, with the argument that was probably meant.
#' @param known The arguments of the calling function.
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

#' Refuse a call without the arguments that have no default, before anything looks at them.
#' @param ... Hints by argument, where the usual ones do not fit.
#' @noRd
require_given <- function(..., frame = parent.frame()) {
  needed <- setdiff(names(Filter(rlang::is_missing, formals(sys.function(sys.parent())))), "...")
  given <- vapply(needed, function(name) !eval(call("missing", as.name(name)), frame), NA)
  if (!all(given)) {
    abort_missing(needed[!given][1], ...)
  }
}

abort_missing <- function(name, ...) {
  hints <- c(
    ...,
    x = "Images are a folder, paths, a data frame, an array, or label ~ path with `data`.",
    newdata = "Images are a folder, paths, a data frame or an array.",
    data = "Images are a data frame with a column of paths, a folder, paths or an array.",
    model = "mxtrain() and mxload() make a model.",
    path = "The name of a file, such as \"model.mxt\".",
    net = "mxnetwork() opens a network.",
    layer = "mxlayers() lists the layers.",
    what = "Layers by name, pattern or number: mxlayers() lists them.",
    after = "The layer before the new one: mxlayers() lists them.",
    operator = "For example \"Dropout\".",
    units = "The number of outputs, for example of classes."
  )
  abort_mxtune(paste0("`", name, "` is missing."), hint = if (name %in% names(hints)) hints[[name]])
}

check_one_of <- function(name, value, allowed) {
  if (!rlang::is_string(value) || !value %in% allowed) {
    abort_mxtune(
      paste0("`", name, "` must be one of ", paste(allowed, collapse = ", "), "."),
      bullets = paste("it is", deparse(value)[1])
    )
  }
}
