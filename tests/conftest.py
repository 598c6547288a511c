"""What holds for every test: nothing blocks the event loop, and hypothesis keeps its findings out of the way."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import configuration, settings

from tests import databases, proven
from tests.databases import kind

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["kind"]

# Where our code may block the loop, because the wait is bounded: (end of the file name, function).
# A point read by key costs 5 µs in SQLite; the hop to a thread costs ten times that.
MAY_BLOCK = (
    ("renkei_chassis/database/engine.py", "_look"),
    # Nobody is served yet, or any more.
    ("renkei_chassis/database/engine.py", "open"),
    ("renkei_chassis/database/engine.py", "recall"),
    ("renkei_chassis/database/engine.py", "close"),
    # The event loop of one connection, which serves nobody else.
    ("renkei_chassis/database/postgresql/driver.py", "connect"),
    ("renkei_chassis/database/postgresql/driver.py", "run"),
    ("renkei_chassis/database/postgresql/driver.py", "close"),
    # A database for a test, made before anything runs that could be held up.
    ("tests/databases.py", "_database"),
    # Not ours: a browser's driver, which looks for itself before a test begins and nobody is held up.
    ("playwright/_impl/transport.py", "connect"),
    # Not ours: coverage guards its own data, for a moment, wherever a new file is first seen.
    ("coverage/collector.py", "lock_data"),
)

configuration.set_hypothesis_home_dir(Path(__file__).parent.parent / ".cache" / "hypothesis")
# A slow machine is no failure: only `make bench` knows limits on time.
settings.register_profile("renkei", deadline=None)
settings.load_profile("renkei")


@pytest.fixture(autouse=True, scope="session")
def _grpc_keeps_its_poller() -> Iterator[None]:
    """Hold grpc.aio open: it joins its thread, on the loop, whenever the garbage collector takes the last channel."""
    if importlib.util.find_spec("grpc") is None:
        yield
        return
    from grpc import aio  # noqa: PLC0415 (a pure library is tested without grpc)

    aio.init_grpc_aio()
    yield
    aio.shutdown_grpc_aio()


@pytest.fixture(autouse=True, scope="session")
def _nothing_blocks_the_event_loop() -> Iterator[None]:
    """Let a blocking call fail the test that makes it, in whatever library it happens."""
    with blockbuster_ctx() as guard:
        for function in guard.functions.values():
            for file, name in MAY_BLOCK:
                function.can_block_in(file, name)
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    databases.add_options(parser)
    proven.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    proven.configure(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    databases.leave_out(config, items)
    proven.leave_out(config, items)
