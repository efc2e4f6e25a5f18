"""The service itself: its addresses, who may ask, and what each answer is."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Optional

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from .._version import __version__
from ..errors import ArgumentError
from ..machine import usable_cpus
from ..model.load import mxload
from ..model.model import Model
from ..words import listing, near
from .answering import Answer, Answering, Question
from .batching import Batching, FullError
from .incoming import Upload, uploads
from .metrics import TYPE, Metrics
from .page import page
from .ready import BadImageError, Ready, made_ready
from .refused import Refused
from .schema import BODY, FAILED, RESPONSES, with_keys
from .settings import Settings
from .tables import in_csv, in_json

_MOST_NAMED = 8  # of what is wrong in an address: a hostile one has thousands


def app(settings: Settings, ready: Callable[[], object]) -> FastAPI:
    """The service of one process; the model is loaded here, so that a wrong file ends the start."""
    model = mxload(settings.model, settings.limit, settings.device, settings.engine, settings.precision)
    return Service(settings, Answering(model), ready).app


class Service:
    """One model, its queue and its figures, behind a FastAPI application."""

    def __init__(self, settings: Settings, answering: Answering, ready: Callable[[], object]) -> None:
        self._settings, self._answering, self._ready = settings, answering, ready
        self._metrics = Metrics()
        _, *self._parameters = inspect.signature(self.predict).parameters
        self._decoding = ThreadPoolExecutor(usable_cpus(), "mxtune-decode")
        self._batching: Optional[Batching] = None
        self._runs: Optional[asyncio.Task[None]] = None
        # the usual pages of its documentation load scripts from elsewhere: there is /openapi.json
        self.app = FastAPI(title="mxtune", version=__version__, docs_url=None, redoc_url=None, lifespan=self._lifespan)
        add = self.app.add_api_route
        add("/predict", self.predict, methods=["POST"], responses=RESPONSES, openapi_extra=BODY)
        add("/health", self.health, methods=["GET"], response_class=JSONResponse, responses=FAILED)
        add("/metrics", self.metrics, methods=["GET"], response_class=Response, responses={401: RESPONSES[401]})
        add("/", page, methods=["GET"], include_in_schema=False)
        for path, asked in (("/health", self.health), ("/", page)):  # of which load balancers want no body
            add(path, asked, methods=["HEAD"], include_in_schema=False)
        if settings.keys:
            self.app.openapi_schema = with_keys(self.app.openapi())
        self.app.add_exception_handler(Refused, _told)
        self.app.add_exception_handler(RequestValidationError, _not_understood)
        self.app.add_exception_handler(HTTPException, _not_here)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        limits = self._settings
        self._batching = Batching(limits.batch, limits.queue, self._metrics.batch.observe, self._metrics.queue.set)
        started = asyncio.Event()
        loop = asyncio.get_running_loop()

        def start() -> None:
            self._answering.warm_up(limits.batch)
            loop.call_soon_threadsafe(started.set)

        self._runs = asyncio.create_task(self._batching.run(start))
        await asyncio.wait([self._runs, waits := asyncio.create_task(started.wait())], return_when="FIRST_COMPLETED")
        waits.cancel()
        if self._runs.done():
            self._runs.result()  # raises why the model does not run
        self._ready()
        yield
        self._runs.cancel()
        self._batching.close()
        self._decoding.shutdown()

    # ---- addresses

    async def health(self) -> Response:
        """Whether it answers: 200, or 503 where the model's thread has ended."""
        runs = self._runs is not None and not self._runs.done()
        model = self._answering.model
        facts = {"status": "ok" if runs else "failed", "task": model.task, "levels": list(model.levels)}
        return JSONResponse({**facts, "version": __version__}, 200 if runs else 503)

    async def metrics(self, request: Request) -> Response:
        """Figures for Prometheus."""
        self._check_key(request)
        return Response(self._metrics.text(), media_type=TYPE)

    async def predict(
        self,
        request: Request,
        type: Literal["class", "prob", "logit", "set"] = "class",  # noqa: A002 - the word of predict()
        level: Optional[float] = Query(None, gt=0, lt=1),
        abstain: Optional[float] = Query(None, gt=0, lt=1),
        top: Optional[int] = Query(None, ge=1, le=1000),
        novelty: bool = False,
        nearest: bool = False,
        explain: bool = False,
        on_bad: Literal["error", "na"] = "error",
        format: Literal["json", "csv"] = "json",  # noqa: A002
    ) -> Response:
        """Predictions of one or many images: a row each, or ``top`` rows, in their order."""
        began = time.perf_counter()
        status = 500
        try:
            self._check_key(request)
            self._check_parameters(request)
            question = Question(type, level, abstain, top, novelty, nearest)
            if format == "csv" and (nearest or explain):
                raise Refused(422, "CSV has predictions alone: leave out nearest and explain, or ask for JSON.")
            found = await uploads(request, self._settings)
            answer = await self._predicted(found, question, explain, on_bad, format)
            status = answer.status_code
        except Refused as refused:
            status = refused.status
            raise
        finally:
            self._metrics.requests.labels(str(status)).inc()
            self._metrics.seconds.observe(time.perf_counter() - began)
        return answer

    # ---- how

    @property
    def _queue(self) -> Batching:
        assert self._batching is not None  # noqa: S101 - there is no request before it starts
        return self._batching

    def _check_key(self, request: Request) -> None:
        if not self._settings.keys:
            return
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        if not self._settings.lets_in(key):
            text = "A key is needed: the header Authorization: Bearer KEY."
            raise Refused(401, text, headers={"WWW-Authenticate": "Bearer"})

    def _check_parameters(self, request: Request) -> None:
        """Refuse what would be passed over: a mistyped name, and all but the last of several values."""
        given, known = [name for name, _ in request.query_params.multi_items()], self._parameters
        if unknown := sorted({*given} - {*known})[:_MOST_NAMED]:
            hints = [near(name, known, most=1) or f"There are {listing(known)}." for name in unknown]
            details = [f"{name[:100]}: {hint}" for name, hint in zip(unknown, hints)]
            raise Refused(422, "The address has parameters that do not exist.", details)
        if len({*given}) < len(given):
            repeated = [name for name in known if given.count(name) > 1]
            raise Refused(422, "A parameter has one value.", [f"{name}: it has several" for name in repeated])

    async def _predicted(
        self, found: list[Upload], question: Question, explain: bool, on_bad: str, form: str
    ) -> Response:
        try:
            self._queue.hold(len(found))
        except FullError as full:
            headers = {"Retry-After": str(max(1, round(full.seconds)))}
            raise Refused(503, "Too many images wait; try again.", headers=headers) from full
        try:
            return await asyncio.wait_for(
                self._answered(found, question, explain, on_bad, form), self._settings.timeout
            )
        except ArgumentError as error:
            raise Refused(422, error.message, error.bullets) from error
        except asyncio.TimeoutError:
            raise Refused(504, f"There was no answer within {self._settings.timeout:g} seconds.") from None
        finally:
            self._queue.let_go(len(found))

    async def _answered(
        self, found: list[Upload], question: Question, explain: bool, on_bad: str, form: str
    ) -> Response:
        images, bad = await self._made_ready(found)
        self._metrics.bad.inc(len(bad))
        if bad and (on_bad == "error" or len(bad) == len(found)):
            reasons = [f"{found[place].name}: {reason}" for place, reason in bad.items()]
            raise Refused(422, f"Can't read {len(bad)} of {len(found)} images.", reasons)
        good = [place for place in range(len(found)) if place not in bad]
        answers = await self._queue.ask([images[place] for place in good], question, self._answering.answers)
        self._metrics.images.inc(len(good))
        by_place: dict[int, Answer] = dict(zip(good, answers))
        named = [(one.name, by_place.get(place)) for place, one in enumerate(found)]
        predictions = [(name, answer and answer.predictions) for name, answer in named]
        if form == "csv":
            return Response(in_csv(predictions), media_type="text/csv; charset=utf-8")
        parts = {"predictions": in_json(predictions)}
        if question.nearest:
            parts["nearest"] = in_json([(name, answer.nearest) for name, answer in named if answer])
            trained = [{"file": name} for name, answer in named if answer and answer.trained_on]
            parts["trained_on"] = json.dumps(trained, ensure_ascii=False)
        if explain:
            contents = [found[place].content for place in good]
            drawn = await self._queue.ask(contents, "explanation", self._explanations)
            named_ones = [{"file": found[place].name, **one} for place, one in zip(good, drawn)]
            parts["explanations"] = json.dumps(named_ones, ensure_ascii=False)
        parts["bad"] = json.dumps([{"file": found[place].name, "reason": reason} for place, reason in bad.items()])
        body = ", ".join(f'"{name}": {text}' for name, text in parts.items())
        return Response(f"{{{body}}}\n", media_type="application/json")

    async def _made_ready(self, found: list[Upload]) -> tuple[list[Any], dict[int, str]]:
        """Each image, made ready, or why it can't be read; and these reasons by place."""
        loop = asyncio.get_running_loop()
        model, most = self._answering.model, self._settings.max_pixels
        made = await asyncio.gather(
            *(loop.run_in_executor(self._decoding, _made_ready, model, one, most) for one in found),
            return_exceptions=True,
        )
        bad = {}
        for place, one in enumerate(made):
            if isinstance(one, BadImageError):
                bad[place] = str(one)
            elif isinstance(one, BaseException):
                raise one
        return list(made), bad

    def _explanations(self, contents: Any, _: Any) -> list[dict[str, Any]]:
        return [self._answering.explanation(content) for content in contents]


def _made_ready(model: Model, upload: Upload, max_pixels: int) -> Ready:
    if upload.lacks:
        raise BadImageError(upload.lacks)
    return made_ready(model, upload.content, max_pixels)


async def _told(_: Request, refused: Any) -> Response:
    return JSONResponse(refused.body(), refused.status, refused.headers)


async def _not_understood(request: Request, error: Any) -> Response:
    """FastAPI's own form would give back what was sent."""
    details = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
    return await _told(request, Refused(422, "The request can't be understood.", details))


async def _not_here(request: Request, error: Any) -> Response:
    """Another address, or another method."""
    details = ["There are POST /predict, GET /health, GET /metrics, GET /openapi.json, and the page at /."]
    return await _told(request, Refused(error.status_code, f"{error.detail}.", details, error.headers))
