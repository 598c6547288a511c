"""The refusals that a client meets only at a node that is stopped, set up or damaged in some way; in this order."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

from renkei_chassis.identity import generate, public_text
from tests.system import refused_records  # noqa: F401 (what a node refuses that is well comes first)
from tests.system.grpc_js import Refused
from tests.system.refusals import EXCHANGE, HERE, STRANGER, THERE, TIPS, Ground, a_tip, meets, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


STRANGERS_KEY: Final = generate()
# A little more than a service lets wait: in messages of a thousand rows.
_LOADS: Final = 22
_ROWS: Final = 1000
_DAY_US: Final = 86_400_000_000


def trust_a_stranger(path: Path) -> None:
    """Let a node's trust file vouch for an agency that its federation does not have: what a slip of a hand could do."""
    trust = json.loads(path.read_text())
    stranger = f"agencies/{STRANGER}/services/exchange"
    trust["issuers"].append({"issuer": stranger, "kind": "PEER", "public_key": public_text(STRANGERS_KEY)})
    path.write_text(json.dumps(trust))


@contextmanager
def database(ground: Ground, service: str) -> Iterator[sqlite3.Connection]:
    """Open a node's database from the outside."""
    path = ground.member.directory.data / f"{service}.db"
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


async def _load(ground: Ground) -> None:
    path = f"{TIPS}/LoadTips"
    rows = [{"row": row, "tip": a_tip()} for row in range(1, _ROWS + 1)]
    request = {"load_id": new_id(), "parent": ground.member.name, "rows": rows, "size": _ROWS}
    loading = ground.js.load(ground.address(path), path, request, token=await ground.token(), tries=1)
    async with aclosing(loading) as results:
        async for _ in results:
            pass


async def _first_refused(calls: list[asyncio.Task[None]], reason: str) -> None:
    """Raise what is refused for this reason; on a slow machine the database gives up before the queue is full."""
    for call in asyncio.as_completed(calls):
        try:
            await call
        except Refused as refused:
            if refused.reason == reason:
                raise


@meets("NOT_A_MEMBER")
async def _(ground: Ground) -> None:
    name = f"agencies/{STRANGER}/services/exchange"
    token = await ground.token(key=STRANGERS_KEY, issuer=name, subject=name, roles=("PEER",), life_seconds=60)
    await ground.call(f"{EXCHANGE}/ReadLane", {"lane": "LANE_DATA"}, token=token)


@meets("STORAGE_UNAVAILABLE")
async def _(ground: Ground) -> None:
    with database(ground, "tips") as connection:
        await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")  # as a disk that hangs: nobody else can write
        try:
            await ground.create(tries=1)
        finally:
            await asyncio.to_thread(connection.execute, "ROLLBACK")


@meets("OVERLOADED")
async def _(ground: Ground) -> None:
    with database(ground, "tips") as connection:
        await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
        loads = [asyncio.create_task(_load(ground)) for _ in range(_LOADS)]
        try:
            await _first_refused(loads, "OVERLOADED")
        finally:
            for load in loads:
                load.cancel()
            await asyncio.to_thread(connection.execute, "ROLLBACK")
            await asyncio.gather(*loads, return_exceptions=True)


@meets("INTERNAL")
async def _(ground: Ground) -> None:
    with database(ground, "arrests") as connection:
        await asyncio.to_thread(connection.execute, "ALTER TABLE arrest RENAME TO taken_away")
        try:
            await ground.call("renkei.arrests.v1.ArrestsService/ListArrests", {"parent": ground.member.name})
        finally:
            await asyncio.to_thread(connection.execute, "ALTER TABLE taken_away RENAME TO arrest")


@meets("SHUTTING_DOWN")
async def _(ground: Ground) -> None:
    path = f"{TIPS}/WatchTips"
    there = Ground(federation=ground.federation, js=ground.js, at=THERE)
    process = there.member.process
    assert process is not None
    watching = ground.js.watch(there.address(path), path, {}, token=await there.token(), tries=1)
    async with aclosing(watching) as answers:
        await anext(answers)
        process.send_signal(signal.SIGTERM)  # once: a second one ends it at once
        async for _answer in answers:
            pass


@meets("RELEASE_WITHOUT_INSTRUMENT")
async def _(ground: Ground) -> None:
    there = Ground(federation=ground.federation, js=ground.js, at=THERE)
    await there.member.stop()
    settings = there.member.directory.settings
    text = await asyncio.to_thread(settings.read_text)
    changed = text.replace("release_without_instrument = true", "release_without_instrument = false")
    assert changed != text
    await asyncio.to_thread(settings.write_text, changed)
    await asyncio.to_thread(there.member.start)
    await there.member.ready()
    await there.create(handling={"purpose_code": "organised-robbery", "releasable_to": [f"agencies/{HERE}"]}, tries=1)


@meets("CLOCK_JUMPED")
async def _(ground: Ground) -> None:
    there = Ground(federation=ground.federation, js=ground.js, at=THERE)
    await there.create()
    await there.member.stop()
    tomorrow = time.time_ns() // 1000 + _DAY_US

    def as_if_recorded_tomorrow() -> None:
        with database(there, "tips") as connection:
            connection.execute(
                "UPDATE renkei_event SET time_us = ? WHERE sequence = (SELECT max(sequence) FROM renkei_event)",
                [tomorrow],
            )

    await asyncio.to_thread(as_if_recorded_tomorrow)
    await asyncio.to_thread(there.member.start)
    await there.member.ready()
    await there.create(tries=1)
