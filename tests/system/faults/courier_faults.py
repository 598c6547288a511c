"""Faults of couriers: what a nats-server keeps is wiped, rolled back, deleted, truncated, forged or spoiled."""

from __future__ import annotations

import asyncio
import random
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import nats.errors

from renkei_chassis.courier import Connection, Endpoint, load_user_key
from renkei_chassis.courier.jetstream import JetStreamError, call, read_message
from tests.system.faults.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from renkei_chassis.courier import Link
    from tests.system.faults.ground import Ground, Step

_CONNECT_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 0.1


async def wipe(ground: Ground, step: Step) -> None:
    """Take the whole store away."""
    await in_thread(ground.stop_power, step.victim)
    await in_thread(ground.federation.wipe_nats, step.victim)
    await ground.restart(step.victim)


async def roll_back(ground: Ground, step: Step) -> None:
    """Put back a store of some time ago."""
    store = ground[step.victim].directory.nats / "store"
    kept = ground.federation.path / f"{step.victim}.store"
    await in_thread(_copy, store, kept)
    await asyncio.sleep(step.seconds)
    await in_thread(ground.stop_power, step.victim)
    await in_thread(ground.federation.wipe_nats, step.victim)
    await in_thread(kept.rename if not ground.disks else _mover(kept), store)
    await ground.restart(step.victim)


async def delete_stream(ground: Ground, step: Step) -> None:
    """Delete a stream under everybody's feet."""

    async def act(link: Link, stream: dict[str, Any]) -> None:
        await call(link, f"STREAM.DELETE.{stream['config']['name']}")

    await _to_a_stream(ground, step, act)


async def purge_stream(ground: Ground, step: Step) -> None:
    """Empty a stream: whoever had not read it never will."""

    async def act(link: Link, stream: dict[str, Any]) -> None:
        await call(link, f"STREAM.PURGE.{stream['config']['name']}")

    await _to_a_stream(ground, step, act)


async def publish_again(ground: Ground, step: Step) -> None:
    """Publish a message of a stream again, as if it were a new one."""

    async def act(link: Link, stream: dict[str, Any]) -> None:
        data = await read_message(link, stream["config"]["name"], stream["state"]["last_seq"])
        if data is not None:
            await link.client.publish(stream["config"]["subjects"][0], data)
            await link.client.flush()

    await _to_a_stream(ground, step, act)


async def truncate(ground: Ground, step: Step) -> None:
    """Cut a piece off a file of the store."""

    def spoil(path: Path, chance: random.Random) -> None:
        with path.open("r+b") as file:
            file.truncate(chance.randrange(path.stat().st_size))

    await _spoil(ground, step, spoil, files=1)


async def flip_bits(ground: Ground, step: Step) -> None:
    """Turn some bits around in files of the store."""

    def spoil(path: Path, chance: random.Random) -> None:
        content = bytearray(path.read_bytes())
        for _ in range(3):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)

    await _spoil(ground, step, spoil, files=4)


async def _spoil(ground: Ground, step: Step, spoil: Any, *, files: int) -> None:  # noqa: ANN401 (a function above)
    await in_thread(ground.stop_power, step.victim)

    def work() -> None:
        chance = random.Random(step.number)
        store = ground[step.victim].directory.nats / "store"
        found = sorted(path for path in store.rglob("*") if path.is_file() and path.stat().st_size)
        # Mostly where messages are, and sometimes where the server keeps its own knowledge.
        blocks = [path for path in found if path.suffix == ".blk"] or found
        for _ in range(files if found else 0):  # a server that was started just now has written nothing
            spoil(chance.choice(blocks if chance.random() < 0.75 else found), chance)

    await in_thread(work)
    await ground.restart(step.victim)


async def _to_a_stream(ground: Ground, step: Step, act: Callable[[Link, dict[str, Any]], Awaitable[None]]) -> None:
    """Do something, as the agency itself, to one of its streams that holds something; wait for one that does."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + _CONNECT_SECONDS
    while loop.time() < ends:
        try:
            async with connected(ground, step.victim) as link:
                names = sorted((await call(link, "STREAM.NAMES"))["streams"] or ())
                streams = [await call(link, f"STREAM.INFO.{name}") for name in names]
                filled = [stream for stream in streams if stream["state"]["messages"]]
                if filled:
                    await act(link, filled[step.number % len(filled)])
                    return
        except (JetStreamError, nats.errors.Error, TimeoutError):
            await asyncio.sleep(_AGAIN_SECONDS)
    ground.counts[f"{step.kind}: no stream held anything"] += 1


@asynccontextmanager
async def connected(ground: Ground, code: str) -> AsyncIterator[Link]:
    """Connect to an agency's nats-server as the agency itself. Raises TimeoutError where it is not there."""
    member = ground[code]
    key = await in_thread(load_user_key, member.directory.nats_local_key)
    connection = Connection(Endpoint(url=f"nats://127.0.0.1:{member.ports.nats}", key=key, name="the harness"))
    running = asyncio.create_task(connection.run())
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            link = await connection.link()
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _copy(store: Path, kept: Path) -> None:
    """Copy what a living server writes: files come and go meanwhile, as in any careless backup."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for path in sorted(store.rglob("*")):
        to = kept / path.relative_to(store)
        try:
            if path.is_dir():
                to.mkdir(parents=True, exist_ok=True)
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
        except FileNotFoundError:
            continue


def _mover(kept: Path) -> Any:  # noqa: ANN401 (a function)
    """Move across file systems."""
    return lambda store: shutil.move(kept, store)
