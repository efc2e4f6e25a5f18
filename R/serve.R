#' A model behind HTTP
#'
#' Starts a service in the background: a process of its own, which answers `POST /predict` with predictions of the
#' images it gets, as JSON or CSV. It is what the command `mxtune serve` starts; there a service goes on without R.
#' Requests that come together are computed together, and only so many may wait. The article "From a model to a service
#' in five minutes" shows requests.
#'
#' Needs Python's packages `fastapi`, `uvicorn`, `python-multipart` and `prometheus-client`; the error without them says
#' how to install them.
#'
#' @param model A model, the file of one, `"hf:owner/name"`, or a network as it is.
#' @param host Where to listen: `"0.0.0.0"` is all of this machine.
#' @param port 0 is any free one.
#' @param workers Processes, each with its own model and its share of the CPUs.
#' @param key_file A file with the keys that are let in, one a line; everybody is without.
#' @param allow_url Hosts that images may be fetched from.
#' @param max_mb,max_megapixels Megabytes of a request; megapixels of an image.
#' @param queue Images that may wait; with more the answer is 503.
#' @param timeout Seconds for a request to arrive, and for its answer.
#' @param device,engine Where it computes; see [mxload()].
#' @param ... Must be empty.
#' @return The service, a list with `url`, `pid` and the function `stop()`, after which it has answered what was under
#'   way and ended. It ends with R at the latest.
#' @export
#' @examplesIf mxtune:::has_engine() && interactive()
#' model <- mxtrain(mxexample("fashion"), tune = "head", image_size = 32)
#' service <- mxserve(model)
#' service
#' readLines(paste0(service$url, "/health"), warn = FALSE)
#' service$stop()
mxserve <- function(model, host = "127.0.0.1", port = 0, workers = 1, key_file = NULL, allow_url = NULL, max_mb = 32,
                    max_megapixels = 50, queue = 256, timeout = 30, device = "auto", engine = "auto", ...) {
  refuse_unknown(...)
  require_given(model = "A model, or the file of one.")
  arguments <- list(
    model = model, host = host, port = port, workers = workers, key_file = key_file, allow_url = allow_url,
    max_mb = max_mb, max_megapixels = max_megapixels, queue = queue, timeout = timeout, device = device, engine = engine
  )
  service <- engine_call("start_service", arguments = arguments)
  service$stop <- function() invisible(engine_call("stop_service", arguments = list(pid = service$pid)))
  structure(service, class = "mxservice")
}

#' @rdname mxserve
#' @param x A service.
#' @export
print.mxservice <- function(x, ...) {
  runs <- engine_call("service_runs", arguments = list(pid = x$pid))
  cat("<", if (runs) "A service at " else "A service that was at ", x$url, ">\n", sep = "")
  invisible(x)
}
