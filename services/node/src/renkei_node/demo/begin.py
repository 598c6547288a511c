"""Begin the demo: a place to work in and seven processes at once, and only then the demo's own code."""

from __future__ import annotations

import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from renkei_node.demo.agencies import CODES
from renkei_node.demo.launching import launched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from renkei_node.demo.federation import Federation
    from renkei_node.demo.journal import Journal

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)  # these end the demo; Ctrl-C does the same by itself
_INTERRUPTED: Final = 128 + signal.SIGINT


def begin(
    *,
    once: bool,
    watch: bool = False,
    directory: Path | None,
    records: int,
    tamper: Callable[[Federation, Journal], None] | None = None,
    bars: bool = True,
    on_outcome: Callable[[Mapping[str, Any]], None] | None = None,
) -> int:
    """Run the demo and return its exit status: 0 only if every claim held and every bar was met.

    `on_outcome` is given what the last lines say, for a program. `tamper` and `bars` are for the demo's own
    tests: the one is called just before the checks, to plant a loss or a leak, and without the other a machine
    busy with other tests is no fault.
    """
    for number in SIGNALS:  # until the demo's own code takes over
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    try:
        with _work(directory) as path, launched(path, CODES) as processes:
            from renkei_node.demo.run import Wishes, run_demo

            wishes = Wishes(once=once, watch=watch, records=records, tamper=tamper, bars=bars, on_outcome=on_outcome)
            return run_demo(path, processes, wishes)
    except KeyboardInterrupt:
        click.echo("stopped")
        return _INTERRUPTED


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


@contextmanager
def _work(directory: Path | None) -> Iterator[Path]:
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="renkei-demo-") as name:
            yield Path(name)
        return
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise click.ClickException(f"{directory} is not empty: name a new directory")
    yield directory.absolute()
