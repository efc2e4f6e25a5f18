# Conditions: one class for each thing a caller could handle, the words in one form in both languages.

#' Errors and warnings
#'
#' Every error of this package has the class `mxtune_error`, every warning `mxtune_warning`, and a more specific class
#' before it, the same as in Python: `PictureError` is `mxtune_picture_error`.
#'
#' | class | what happened |
#' | --- | --- |
#' | `mxtune_argument_error` | an argument has a value that can't be used |
#' | `mxtune_picture_error` | images can't be read; `$files` names them |
#' | `mxtune_label_error` | labels are missing, unknown, or don't fit the images or the model |
#' | `mxtune_network_error` | a network is unknown, or an edit of it is impossible |
#' | `mxtune_weights_error` | weights are missing, damaged, or don't fit the network |
#' | `mxtune_missing_file_error` | there is no such file with a network or weights |
#' | `mxtune_format_error` | a file is of no known format |
#' | `mxtune_unsupported_format_error` | a file is of a format that is not read, on purpose |
#' | `mxtune_model_file_error` | a model file is damaged, too new, or not a model file |
#' | `mxtune_checkpoint_error` | a checkpoint can't be resumed |
#' | `mxtune_store_error` | a model, a plot or a checkpoint can't be written: a full disk, no permission |
#' | `mxtune_training_error` | training can't start or continue |
#' | `mxtune_engine_error` | Python, MXNet or PyTorch is missing or can't be loaded |
#' | `mxtune_device_error` | the device asked for can't be used |
#' | `mxtune_callback_error` | a function given as a callback failed; `$parent` is its condition |
#'
#' The condition's fields: `$headline` (the first line), `$bullets`, `$hint`, `$files` (names of images,
#' where it is about images), `$model` (of `mxtune_training_error`: the best model so far, not evaluated, or
#' `NULL`; of a warning or an interrupt of [mxtrain()] that comes when the training has ended: the model),
#' `$trace_python` (for bug reports).
#' @name mxtune-conditions
#' @examplesIf mxtune:::has_engine()
#' tryCatch(
#'   mximages("no such folder"),
#'   mxtune_picture_error = function(e) e$headline
#' )
NULL

abort_mxtune <- function(message, bullets = NULL, hint = NULL, class = "mxtune_argument_error", ...,
                         call = users_call()) {
  rlang::abort(
    condition_lines(message, bullets, hint),
    class = unique(c(class, "mxtune_error")), headline = message, bullets = bullets, hint = hint, ...,
    call = call, use_cli_format = FALSE
  )
}

#' The call that an error names: the user's, of the first function of this package that is at work.
#' @noRd
users_call <- function() {
  namespace <- topenv()
  functions <- lapply(seq_len(sys.nframe()), sys.function)
  ours <- vapply(functions, function(f) identical(environment(f), namespace), NA)
  hosts <- which(vapply(functions, identical, NA, hosted)) # where Python calls, the user's call is behind it
  sys.frame(which(ours & seq_along(ours) > max(0, hosts))[1])
}

#' @param model A model that must not be lost.
#' @noRd
warn_mxtune <- function(message, bullets = NULL, hint = NULL, class = NULL, ..., model = NULL) {
  told <- condition_lines(message, bullets, hint)
  fields <- list(headline = message, bullets = bullets, hint = hint, ..., model = model)
  warn <- function() rlang::inject(rlang::warn(told, class = unique(c(class, "mxtune_warning")), !!!fields))
  if (is.null(model) || getOption("warn") < 2) {
    warn()
  } else {
    withRestarts(raise_warning(rlang::catch_cnd(warn(), "warning"), told, fields), muffleWarning = function() NULL)
  }
}

#' A warning as R takes it under `options(warn = 2)`, in an error that keeps the warning's fields.
#' @noRd
raise_warning <- function(warning, told, fields) {
  signalCondition(warning)
  told <- c(paste("(converted from warning)", told[1]), told[-1], i = "rlang::last_error()$model is the model.")
  class <- grep("^mxtune_", class(warning), value = TRUE)
  rlang::inject(rlang::abort(told, class = class, !!!fields, call = users_call(), use_cli_format = FALSE))
}

#' What is wrong, each thing by name, what to do. rlang puts the signs; braces stay braces.
#' @noRd
condition_lines <- function(message, bullets = NULL, hint = NULL) {
  bullets <- as.character(unlist(bullets))
  c(message, rlang::set_names(bullets, rep("x", length(bullets))), if (!is.null(hint)) c(i = hint))
}

warn_from_python <- function(sent, model = NULL) {
  warn_mxtune(
    sent$message, with_own_pip(sent$bullets), with_own_pip(sent$hint),
    class = unlist(sent$classes), files = as.character(unlist(sent$files)), model = model
  )
}

abort_from_python <- function(sent, parent, spelled = NULL) {
  classes <- as.character(unlist(sent$classes))
  if (identical(classes, "interrupt")) {
    model <- from_python(sent$model)
    signalCondition(structure(class = c("interrupt", "condition"), list(message = "interrupted", model = model)))
    rlang::interrupt()
  }
  for (name in names(spelled)) {
    sent$message <- gsub(paste0("`", name, "`"), paste0("`", spelled[[name]], "`"), sent$message, fixed = TRUE)
  }
  abort_mxtune(
    sent$message, if (is.null(parent)) with_own_pip(as.character(unlist(sent$bullets))), in_r_words(sent$hint, classes),
    class = if (length(classes)) classes else "mxtune_python_error",
    files = as.character(unlist(sent$files)), model = from_python(sent$model), trace_python = sent$trace,
    parent = parent
  )
}

#' Python's remedy for a missing or broken engine is a pip command; R's is a function. Python's error has an attribute;
#' R's a field.
#' @noRd
in_r_words <- function(hint, classes) {
  if (is.null(hint)) {
    return(NULL)
  }
  hint <- with_own_pip(sub("This error's `model`", "rlang::last_error()$model", hint, fixed = TRUE))
  if ("mxtune_engine_error" %in% classes && !("mxtune_device_error" %in% classes)) {
    both <- if (grepl("install torch$", hint)) "engine = c(\"mxnet\", \"torch\")"
    hint <- paste0("install_mxtune(", both, ") creates a Python environment that works. Or repair this one. ", hint)
  }
  hint
}

#' Commands with the pip of the Python in use: the one of the search path may be another's.
#' @noRd
with_own_pip <- function(text) {
  own <- paste(shQuote(reticulate_python()), "-m pip ")
  if (!is.null(text)) gsub("\\bpip (?=install|uninstall)", own, text, perl = TRUE)
}

# ---- Python or the engine is missing ----

abort_forked <- function(message, call = users_call()) {
  hint <- "Start workers as new R sessions, for example with parallel::makePSOCKcluster()."
  abort_mxtune(message, hint = hint, class = "mxtune_engine_error", call = call)
}

environment_hint <- "install_mxtune() creates a Python environment with everything needed. Restart R afterwards."

abort_no_python <- function(reason) {
  abort_mxtune(
    "No Python was found, and mxtune's engine needs one.",
    bullets = reason,
    hint = environment_hint,
    class = "mxtune_engine_error"
  )
}

abort_old_python <- function(config) {
  abort_mxtune(
    paste0("Python ", config$version, " is too old: mxtune's engine needs 3.9 or later."),
    bullets = config$python,
    hint = environment_hint,
    class = "mxtune_engine_error"
  )
}

abort_no_engine <- function(reason) {
  missing <- regmatches(reason, regexec("No module named '([^'.]+)", reason))[[1]][2]
  if (is.na(missing)) {
    message <- "This Python can't load mxtune's engine."
    reason <- strsplit(reason, "\n")[[1]][1]
  } else {
    message <- "mxtune's Python engine isn't installed yet."
    reason <- paste("it has no package", missing)
  }
  abort_mxtune(
    message,
    bullets = paste0(reticulate_python(), ": ", reason),
    hint = "Run install_mxtune() once, then restart R.",
    class = "mxtune_engine_error"
  )
}
