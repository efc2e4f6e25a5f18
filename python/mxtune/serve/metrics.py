"""What Prometheus is told. With several worker processes their figures are added up."""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from .settings import FIGURES

TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The figures of one service."""

    def __init__(self) -> None:
        own = self._own = CollectorRegistry()
        self.requests = Counter("mxtune_requests", "Requests for predictions.", ["status"], registry=own)
        self.images = Counter("mxtune_images", "Images that were predicted.", registry=own)
        self.bad = Counter("mxtune_bad_images", "Images that can't be read.", registry=own)
        self.seconds = Histogram("mxtune_request_seconds", "Time to answer.", buckets=_SECONDS, registry=own)
        self.batch = Histogram("mxtune_batch_images", "Images in a batch.", buckets=_IMAGES, registry=own)
        self.queue = Gauge("mxtune_queue_images", "Images that wait.", registry=own, multiprocess_mode="livesum")

    def text(self) -> bytes:
        registry = self._own
        if os.environ.get(FIGURES):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        written: bytes = generate_latest(registry)
        return written
