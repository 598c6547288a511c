"""Everything of the courier ends when it is told to, even where nats-py swallows what told it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from nats.aio.client import Client

from renkei_chassis.courier import Connection
from tests.chassis.courier.fakes import GapFollower, MemorySource
from tests.chassis.courier.relays import relaying
from tests.chassis.courier.servers import BreakableServer, until
from tests.chassis.courier.test_receiver import receiving

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Swallowing:
    """Wraps a method of the client so that one call, when armed, takes a cancellation for its answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        self.entered = asyncio.Event()
        self.armed = False
        real: Callable[..., object] = getattr(Client, method)

        async def swallow(client: Client, *arguments: object, **named: object) -> object:
            answer = await real(client, *arguments, **named)  # type: ignore[misc]
            if self.armed:
                self.armed = False
                self.entered.set()
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            return answer

        monkeypatch.setattr(Client, method, swallow)


async def end(task: asyncio.Task[NoReturn]) -> None:
    task.cancel()
    _, still_running = await asyncio.wait({task}, timeout=5)
    assert not still_running


async def test_a_connection_ends(server: BreakableServer, monkeypatch: pytest.MonkeyPatch) -> None:
    swallowing = Swallowing(monkeypatch, "connect")
    swallowing.armed = True
    task = asyncio.create_task(Connection(server.endpoint()).run())
    await swallowing.entered.wait()

    await end(task)


async def test_a_relay_ends(server: BreakableServer, monkeypatch: pytest.MonkeyPatch) -> None:
    swallowing = Swallowing(monkeypatch, "request")
    async with asyncio.timeout(20), relaying(server, MemorySource(5)) as at_work:
        await at_work.caught_up()
        swallowing.armed = True
        await swallowing.entered.wait()


async def test_a_receiver_ends(server: BreakableServer, monkeypatch: pytest.MonkeyPatch) -> None:
    swallowing = Swallowing(monkeypatch, "publish")
    follower = GapFollower()
    async with relaying(server, MemorySource(5)), asyncio.timeout(20), receiving(server, follower.on_messages):
        await until(lambda: follower.cursor == 5)
        swallowing.armed = True
        await swallowing.entered.wait()
