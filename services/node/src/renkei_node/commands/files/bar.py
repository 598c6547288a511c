"""A progress bar with the rate, and the time that is left."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import Any, Final

import click

_SEEN_EVERY: Final = 0.2


class Bar:
    """A progress bar on a terminal's standard error, with the rate and the time that is left; elsewhere nothing."""

    def __init__(self) -> None:
        """Draw nothing before `begin`."""
        self.is_shown = sys.stderr.isatty()
        self._bar: Any = None
        self._to_do = 0
        self._count = 0
        self._pending = 0
        self._began = self._shown = time.monotonic()

    def begin(self, rows: int, done: int) -> None:
        """Show it; `rows` is about how many there are, 0 where nobody knows. What was done before has no rate."""
        self._began = self._shown = time.monotonic()  # what was read to know the file by is no row
        self._pending = done
        self._to_do = max(rows - done, 0)
        # The library's own guess would take what an earlier try did for the work of this one.
        self._bar = click.progressbar(
            (_ for _ in ()),  # a bar without a length wants something to go through
            length=rows or None,
            file=sys.stderr,
            show_eta=False,
            show_pos=True,
            item_show_func=lambda _: self.told(),
        )
        self._bar.__enter__()

    def tell(self, rows: int) -> None:
        """Count further rows; it is drawn a few times a second."""
        self._count += rows
        self._pending += rows
        if self._bar is not None and time.monotonic() - self._shown > _SEEN_EVERY:
            self._draw()

    def told(self) -> str:
        """Say how long it takes still at the rate of this try, where that can be known, and the rate."""
        rate = self._count / max(time.monotonic() - self._began, 1e-9)
        left = f"{timedelta(seconds=round(max(self._to_do - self._count, 0) / rate))}  " if self._to_do and rate else ""
        return f"{left}{rate:,.0f} rows/s"

    def _draw(self) -> None:
        self._bar.update(self._pending, "")
        self._pending, self._shown = 0, time.monotonic()

    def __enter__(self) -> None:
        """Nothing is shown before `begin`."""

    def __exit__(self, *_: object) -> None:
        """End the line."""
        if self._bar is not None:
            self._draw()
            self._bar.__exit__(None, None, None)
