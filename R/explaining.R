#' Explain a model's answers
#'
#' `mxexplain()` tells where in each image the evidence for an answer lies: for the predicted class, for a class that
#' you name, or for one class rather than another.
#'
#' Models with a head on averages and maxima of maps, which [mxtrain()] makes of most networks, say how much each place
#' adds to a logit: the maps of all stages are added up, and all places and the rest (the bias) are the logit. That is
#' class activation mapping (Zhou et al., 2016) at each stage, and exact. A model that remembers the features of its
#' training images tells what each place adds to the answer for the average of these, which the rest is then. Where
#' dense layers lie between maps and logits (LeNet, VGG), it is Grad-CAM (Selvaraju et al., 2017), an estimate that does
#' not add up; printing tells which it is. Evidence is what the model goes by, right or wrong: a map on the background
#' shows that it looks there, not that there is a reason to. Places of a network's last stage are often 32 pixels wide.
#'
#' @inheritParams predict.mxmodel
#' @param model A model.
#' @param x Images: anything that [mximages()] takes.
#' @param label What is explained: a class, a label, the name of a number, or several. `NULL`: the predicted class; of
#'   several labels each predicted one, or the likeliest; all numbers.
#' @param method `"auto"`; `"cam"`, an error where it is not exact; `"gradcam"`.
#' @param layer For Grad-CAM: a layer with maps. `NULL`: the last.
#' @param against A class: the evidence is for `label` rather than for it.
#' @param on_bad What happens to images that can't be read: `"na"`, a row without a map and a warning that names them;
#'   `"error"`.
#' @param batch_size Images at a time.
#' @param folder A folder that the overlays, as PNG files, and the table are written to; `NULL` for none.
#' @param ... Must be empty.
#' @return An object whose `table` has a row for each image and label: `.file`, `label`; `logit` (of numbers their
#'   prediction), and for classes `prob`; `rest`, what no place adds; `stage_1` and so on, what the places of each stage
#'   add, the finest first. All but the probability add up to the logit. `exact` tells whether each place's share is,
#'   `layers` the names of the stages.
#'
#'   `as.array()` gives the maps, N x H x W in units of the logit, in the pixels of the upright image; 0 where the
#'   network does not look, and `NA` for images that can't be read. `plot()` draws them over the images in grey: orange
#'   speaks for the answer, blue against it, each image by its own strongest evidence, and what the network does not see
#'   is pale. Both need the session that made the object.
#' @references Zhou, B., Khosla, A., Lapedriza, A., Oliva, A. and Torralba, A. (2016). Learning deep features for
#'   discriminative localization. CVPR.
#'
#'   Selvaraju, R. R., Cogswell, M., Das, A., Vedantam, R., Parikh, D. and Batra, D. (2017). Grad-CAM: visual
#'   explanations from deep networks via gradient-based localization. ICCV.
#' @export
#' @examplesIf mxtune:::has_engine()
#' photos <- mxexample("fashion")
#' fit <- mxtrain(photos, tune = "head", image_size = 64, seed = 1)
#' why <- mxexplain(fit, file.path(photos, "coat"))
#' why
#' plot(why, rows = 1:6)
#' plot(mxexplain(fit, file.path(photos, "coat"), label = "coat", against = "shirt"), rows = 1:6)
#' dim(as.array(why))
mxexplain <- function(model, x, label = NULL, method = "auto", layer = NULL, against = NULL, on_bad = "na",
                      batch_size = 8, path = NULL, root = NULL, folder = NULL, ...) {
  refuse_unknown(...)
  require_given()
  arguments <- list(
    x = picture_source(x, labelled = FALSE), label = label, method = method, layer = layer, against = against,
    on_bad = on_bad, batch_size = batch_size, path = path, root = root
  )
  found <- engine_call("explain", as_model(model), arguments, listener())
  if (!is.null(folder)) {
    engine_call("save", found, list(folder = folder))
  }
  told <- engine_call("explained", arguments = list(object = found))
  told$table <- dotted(told$table)
  told$live <- hold(new.env(parent = topenv()), found)
  new_answer(told, "mxexplanation")
}

#' @export
print.mxexplanation <- function(x, ...) {
  cat(sub("^<(.*)>$", "\\1", x$text), sep = "\n")
  print(utils::head(x$table, 10))
  invisible(x)
}

#' @rdname mxexplain
#' @param row.names,optional For the generic.
#' @export
as.data.frame.mxexplanation <- function(x, row.names = NULL, optional = FALSE, ...) { # nolint: object_name_linter
  as.data.frame(x$table)
}

#' @rdname mxexplain
#' @param rows For `as.array()` and `plot()`: rows of the table. `NULL`: all, for `plot()` the first 12. `as.array()`
#'   takes images of one size.
#' @export
as.array.mxexplanation <- function(x, rows = NULL, ...) {
  refuse_unknown(...)
  engine_call("array", explanation_of(x), list(rows = rows_from_zero(rows %||% seq_len(nrow(x$table)), x)))
}

#' @rdname mxexplain
#' @export
plot.mxexplanation <- function(x, rows = NULL, ...) {
  refuse_unknown(...)
  found <- explanation_of(x)
  lines <- rows_from_zero(rows %||% seq_len(min(12, nrow(x$table))), x)
  lines <- lines[!is.na(x$table$logit[lines + 1])]
  side <- ceiling(sqrt(length(lines)))
  before <- graphics::par(mfrow = c(max(1, ceiling(length(lines) / side)), max(1, side)), mar = c(0, 0.5, 2.6, 0.5))
  on.exit(graphics::par(before))
  for (line in lines) {
    draw_picture(engine_call("overlay", found, list(line = line)))
    graphics::title(engine_call("title", found, list(line = line)), cex.main = 1, font.main = 1, line = 0.4)
  }
  invisible(x)
}

#' Python's object behind an explanation.
#' @noRd
explanation_of <- function(x) {
  held_by(x$live) %||%
    abort_mxtune("This explanation came from another session.", hint = "Make it again with mxexplain().")
}

#' Rows of the table as Python counts them.
#' @noRd
rows_from_zero <- function(rows, x) {
  places <- seq_len(nrow(x$table))[rows]
  if (anyNA(places)) {
    abort_mxtune(paste0("The explanation has ", nrow(x$table), " rows."), bullets = "`rows` names others")
  }
  places - 1L
}
