"""Run one node until it is told to stop: `renkei up`."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from renkei_chassis.database.writer import TURN_SECONDS
from renkei_chassis.files import replace
from renkei_chassis.telemetry.logging import configure, log_event
from renkei_chassis.telemetry.rotation import RotatingFile
from renkei_node.composition import Node, read_agency
from renkei_node.initialise import give_desk_a_key
from renkei_node.officer_token import make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_node.layout import NodeDirectory

OPERATOR_TOKEN_SECONDS: Final = 15 * 60
_MUCH: Final = 4096  # bytes; what is written into a tether is of no interest
_RENEW_SECONDS: Final = 5 * 60
_MEGABYTE: Final = 1024 * 1024
_LOG: Final = logging.getLogger("renkei.node")


class NodeRunningError(Exception):
    """Another process runs this node."""


class Say(Protocol):
    """Takes the few lines that a running node has for a terminal, each also as facts for a program."""

    def __call__(self, text: str, /, **facts: str) -> None:
        """Say it."""


def run_node(directory: NodeDirectory, *, say: Say, tether: int | None = None) -> None:
    """Run until a signal says so, then drain and stop. `say` takes the few lines for a terminal.

    `tether` is the reading end of a pipe: where it ends, so does the node, as at a signal.
    """
    agency = read_agency(directory)
    settings = agency.settings
    with (
        _only_one(directory),
        closing(RotatingFile(directory.log, size=settings.log_megabytes * _MEGABYTE, files=settings.log_files)) as log,
    ):
        writer = configure(stream=log, level=logging.getLevelNamesMapping()[settings.log_level])
        sys.setswitchinterval(TURN_SECONDS)
        if agency.ports.desk:
            give_desk_a_key(directory, settings.agency)
        try:
            asyncio.run(_run(Node(agency), say=say, tether=tether))
        finally:
            writer.close()


async def _run(node: Node, *, say: Say, tether: int | None) -> None:
    settings, ports = node.agency.settings, node.agency.ports
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            loop.add_signal_handler(number, stop.set)
    if tether is not None:
        loop.add_reader(tether, _at_its_end, tether, stop)
    log_event(_LOG, "starting", agency=settings.agency, pid=os.getpid())
    renewal = asyncio.create_task(_renew_operator_token(node))
    try:
        await node.start()
        exchange, metrics = ports.address("exchange"), ports.address("metrics")
        serving = f"{settings.agency}: serving; exchange {exchange}, metrics {metrics}"
        say(serving, agency=settings.agency, state="serving", exchange=exchange, metrics=metrics)
        if settings.release_without_instrument:
            warning = "release_without_instrument is on: records leave without a legal instrument"
            say(f"{settings.agency}: {warning}", agency=settings.agency, warning=warning)
        await stop.wait()
        say(f"{settings.agency}: stopping", agency=settings.agency, state="stopping")
    finally:
        renewal.cancel()
        await asyncio.gather(renewal, return_exceptions=True)
        await node.stop()
        log_event(_LOG, "stopped", agency=settings.agency)


def _at_its_end(tether: int, stop: asyncio.Event) -> None:
    if not os.read(tether, _MUCH):
        asyncio.get_running_loop().remove_reader(tether)
        stop.set()


async def _renew_operator_token(node: Node) -> None:
    """Keep a short token for `renkei status` and `renkei retry`: it shows positions and counts, never contents."""
    directory, agency = node.agency.directory, node.agency.settings.agency
    while True:
        token = await asyncio.to_thread(
            make_token, directory, agency, "operator", ("OPERATOR",), seconds=OPERATOR_TOKEN_SECONDS
        )
        await asyncio.to_thread(replace, directory.operator_token, token.encode(), mode=0o600)
        await asyncio.sleep(_RENEW_SECONDS)


@contextmanager
def _only_one(directory: NodeDirectory) -> Iterator[None]:
    """Hold the node's pid file; raises NodeRunningError where another process does."""
    directory.pid.parent.mkdir(parents=True, exist_ok=True)
    with directory.pid.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NodeRunningError(f"{directory.path} runs already: stop that process first") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        directory.ready.unlink(missing_ok=True)
        yield
