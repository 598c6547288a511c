"""A floor: the tips service with every number and span taken out of it, which no setting of the product does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from renkei_chassis.alone import main
from renkei_chassis.telemetry.metrics import Instrument, Metrics
from renkei_tips.__main__ import make

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _Nothing(Instrument):
    """Takes a number and keeps nothing."""

    def __init__(self) -> None:
        super().__init__(lambda _labels: _ignore, ())

    def bind(self, **labels: str) -> Callable[[float], None]:
        return _ignore

    def __call__(self, value: float = 1, /, **labels: str) -> None:
        """Keep nothing."""


def _ignore(_value: float, /) -> None:
    """Keep nothing."""


def _instrument(
    _metrics: Metrics, _name: str, _description: str, _labels: Sequence[str] = (), **_more: object
) -> Instrument:
    return _Nothing()


def _observed(_metrics: Metrics, _name: str, _description: str, _read: Callable[[], float]) -> None:
    """Never ask."""


def silence() -> None:
    """Take the numbers out of this process."""
    for kind in ("counter", "gauge", "histogram"):
        setattr(Metrics, kind, _instrument)
    setattr(Metrics, "observed", _observed)  # noqa: B010 (mypy lets nobody assign a method)


if __name__ == "__main__":
    silence()
    sys.exit(main("tips", make))
