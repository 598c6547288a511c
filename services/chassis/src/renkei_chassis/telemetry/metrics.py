"""Numbers of one service: counters, gauges, histograms in seconds, kept by Prometheus' client.

Every service instance has a `Metrics` of its own, because a node runs several in one process. A label takes few values
that the code knows; the 1,001st set of labels is counted as `other`, so that no caller can fill the memory with names.
Bind the labels of a hot path once (`counter.bind(method="…")`) and count on what comes back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import prometheus_client
from prometheus_client.registry import CollectorRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Buckets from half a millisecond (a read on the loop) to the longest unary deadline."""
COUNTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Buckets for sizes of batches."""

_MAX_SERIES: Final = 1000
_OTHER: Final = "other"
_NAME: Final = re.compile(r"renkei_[a-z0-9_]+")


class Number(Protocol):
    """What is counted on: a counter takes `add`, a gauge `set`, a histogram `record`."""

    def __call__(self, value: float, /) -> None:
        """Take one value."""
        ...


class Instrument:
    """One family of numbers with the same name and the same label names."""

    def __init__(self, child: Callable[[Sequence[str]], Number], labels: Sequence[str]) -> None:
        """Take the way to Prometheus' number for label values."""
        self._child = child
        self._labels = tuple(labels)
        self._bound: dict[tuple[str, ...], Number] = {}

    def bind(self, **labels: str) -> Number:
        """Give the number for these label values; all label names must be there."""
        try:
            key = tuple([labels[name] for name in self._labels])
        except KeyError as error:
            raise TypeError(f"the label {error} is missing") from None
        if len(labels) != len(key):
            raise TypeError(f"the labels are {', '.join(self._labels) or 'none'}")
        bound = self._bound.get(key)
        if bound is None:
            if len(self._bound) >= _MAX_SERIES:
                key = (_OTHER,) * len(key)
            bound = self._bound.setdefault(key, self._child(key))
        return bound

    def __call__(self, value: float = 1, /, **labels: str) -> None:
        """Add, set or record one value under these labels."""
        self.bind(**labels)(value)


class Metrics:
    """All numbers of one service instance, in a registry of its own."""

    def __init__(self, service: str) -> None:
        """Take the service's short name (`tips`), which becomes a label when registries are served together."""
        self.service = service
        self.registry = CollectorRegistry(auto_describe=False)
        self._made: dict[str, Instrument] = {}

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Instrument:
        """Make what only grows, or give it where it is there. Prometheus shows it as `<name>_total`."""
        if name in self._made:
            return self._made[name]
        counter = prometheus_client.Counter(_checked(name), description, labels, registry=self.registry)
        return self._keep(name, Instrument(lambda key: (counter.labels(*key) if key else counter).inc, labels))

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Instrument:
        """Make what goes up and down, or give it where it is there; a call sets it."""
        if name in self._made:
            return self._made[name]
        gauge = prometheus_client.Gauge(_checked(name), description, labels, registry=self.registry)
        return self._keep(name, Instrument(lambda key: (gauge.labels(*key) if key else gauge).set, labels))

    def observed(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Make a gauge that is read when somebody asks: `read` is called at each scrape and must not block."""
        gauge = prometheus_client.Gauge(_checked(name), description, registry=self.registry)
        gauge.set_function(read)

    def histogram(
        self, name: str, description: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = SECONDS
    ) -> Instrument:
        """Make a distribution. Time is in seconds, and the name ends in `_seconds`."""
        histogram = prometheus_client.Histogram(
            _checked(name), description, labels, buckets=tuple(buckets), registry=self.registry
        )
        return Instrument(lambda key: (histogram.labels(*key) if key else histogram).observe, labels)

    def _keep(self, name: str, instrument: Instrument) -> Instrument:
        self._made[name] = instrument
        return instrument


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"a metric's name begins with renkei_ and is lower-case: {name!r}")
    return name
