"""A peer on our server reaches its own two lanes and nothing else."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nats.errors
import pytest

from renkei_chassis.courier import (
    FEED,
    LANES,
    Connection,
    Endpoint,
    Link,
    Receiver,
    UserKey,
    generate_user_key,
    lane_shape,
    log_shape,
    peer_inbox_prefix,
)
from renkei_chassis.courier.jetstream import create_stream, ensure_durable, read_stream
from renkei_chassis.courier.puller import Puller
from renkei_node.nats_server import NatsServer, PeerAccount, ServerConfiguration
from renkei_node.ports import PortClaims

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from nats.aio.msg import Msg

    from renkei_chassis.courier import Message

LOCAL, CHIBA, TOCHIGI = (generate_user_key(bytes([number]) * 32) for number in (1, 2, 3))
THEIRS = lane_shape("jp-09", "data")  # Tochigi's, as Chiba sees it
OWN = lane_shape("jp-12", "data")


@pytest.fixture
def port() -> Iterator[int]:
    with PortClaims() as claims:
        yield claims.claim()


@pytest.fixture
async def server(tmp_path: Path, port: int) -> AsyncIterator[NatsServer]:
    """Tokyo's server with one message in every lane and in the log of tips."""
    configuration = ServerConfiguration(
        agency="jp-13",
        port=port,
        store_directory=tmp_path / "nats" / "store",
        local_public_key=LOCAL.public,
        peers=(
            PeerAccount(agency="jp-12", public_key=CHIBA.public),
            PeerAccount(agency="jp-09", public_key=TOCHIGI.public),
        ),
    )
    server = NatsServer(configuration, tmp_path / "nats")
    try:
        await server.start()
        async with linked(server, LOCAL) as local:
            for shape in (
                *(lane_shape(peer, lane) for peer in ("jp-12", "jp-09") for lane in LANES),
                log_shape("tips"),
            ):
                await create_stream(local, shape, "e1", 1)
                if shape.durable is not None:
                    await ensure_durable(local, shape.name, shape.durable)
                await local.client.request(shape.subject, shape.name.encode(), timeout=5)
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def linked(server: NatsServer, key: UserKey, inbox: str = "_INBOX") -> AsyncIterator[Link]:
    connection = Connection(Endpoint(url=server.url, key=key, name="test", inbox_prefix=inbox))
    task = asyncio.create_task(connection.run())
    try:
        async with asyncio.timeout(10):
            link = await connection.link()
        yield link
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
async def local(server: NatsServer) -> AsyncIterator[Link]:
    async with linked(server, LOCAL) as link:
        yield link


@pytest.fixture
async def chiba(server: NatsServer) -> AsyncIterator[Link]:
    async with linked(server, CHIBA, peer_inbox_prefix("jp-12")) as link:
        yield link


async def settled(*links: Link) -> None:
    """Wait until the server has dealt with all that was sent."""
    for link in links:
        await link.client.flush()


async def answers(link: Link, subject: str, body: bytes = b"") -> bool:
    try:
        await link.client.request(subject, body, timeout=0.3)
    except (nats.errors.TimeoutError, nats.errors.NoRespondersError):
        return False
    return True


async def state_of(link: Link, stream: str) -> tuple[int, int]:
    state = await read_stream(link, stream)
    assert state is not None
    return state.last, state.messages


async def test_an_unknown_key_is_refused(server: NatsServer) -> None:
    connection = Connection(Endpoint(url=server.url, key=generate_user_key(), name="test"))
    task = asyncio.create_task(connection.run())
    try:
        async with asyncio.timeout(10):
            while True:
                # Now and then the refusal is overtaken by the end of the connection.
                if connection.last_error == "AuthorizationError":
                    break
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.wait({task})

    assert not connection.connects


async def test_a_peer_cannot_publish_to_another_peers_lane(local: Link, chiba: Link) -> None:
    await chiba.client.publish(THEIRS.subject, b"forged")
    await settled(chiba, local)

    assert await state_of(local, THEIRS.name) == (1, 1)


async def test_a_peer_cannot_publish_to_its_own_lane_or_a_log(local: Link, chiba: Link) -> None:
    for shape in (OWN, log_shape("tips")):
        await chiba.client.publish(shape.subject, b"forged")
    await settled(chiba, local)

    assert await state_of(local, OWN.name) == (1, 1)
    assert await state_of(local, "LOG_tips") == (1, 1)


@pytest.mark.parametrize("stream", [THEIRS.name, "OUT_jp_09_control", "LOG_tips"])
async def test_a_peer_cannot_read_another_durable(chiba: Link, stream: str) -> None:
    got: list[Msg] = []

    async def keep(message: Msg) -> None:
        got.append(message)

    inbox = chiba.client.new_inbox()
    await chiba.client.subscribe(inbox, cb=keep)
    await chiba.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.feed", b'{"batch": 1}', reply=inbox)
    await settled(chiba)

    assert not got


async def test_a_peer_cannot_acknowledge_for_another(local: Link, chiba: Link) -> None:
    await chiba.client.publish(f"$JS.ACK.{THEIRS.name}.feed.1.1.1.1.0")
    await settled(chiba, local)

    assert await ensure_durable(local, THEIRS.name, FEED) == 0


@pytest.mark.parametrize(
    "operation",
    [
        f"STREAM.INFO.{OWN.name}",
        f"STREAM.DELETE.{OWN.name}",
        f"STREAM.PURGE.{OWN.name}",
        f"STREAM.MSG.GET.{OWN.name}",
        f"CONSUMER.DELETE.{OWN.name}.feed",
        f"CONSUMER.CREATE.{OWN.name}.other",
        f"STREAM.DELETE.{THEIRS.name}",
        "STREAM.NAMES",
        "STREAM.CREATE.MINE",
        "INFO",
    ],
)
async def test_a_peer_cannot_use_the_api_of_jetstream(local: Link, chiba: Link, operation: str) -> None:
    assert not await answers(chiba, f"$JS.API.{operation}", b"{}")

    assert await state_of(local, OWN.name) == (1, 1)
    assert await state_of(local, THEIRS.name) == (1, 1)


@pytest.mark.parametrize("subject", [">", "_INBOX_jp_09.>", "_INBOX.>", "lane.>", "ev.>", "$JS.>", "_R_.>", "$SYS.>"])
async def test_a_peer_cannot_listen_in(server: NatsServer, local: Link, chiba: Link, subject: str) -> None:
    got: list[str] = []

    async def keep(message: Msg) -> None:
        got.append(message.subject)

    await chiba.client.subscribe(subject, cb=keep)
    await settled(chiba)
    async with receiving(server, TOCHIGI, "jp-09", THEIRS.name) as numbers:
        await local.client.request(THEIRS.subject, b"two", timeout=5)
        await until_equal(numbers, [1, 2])
    await settled(chiba)

    assert not got


@pytest.mark.parametrize("reply", [THEIRS.subject, "ev.tips", f"$JS.API.STREAM.DELETE.{THEIRS.name}", "_INBOX_jp_09.x"])
async def test_a_reply_subject_carries_nothing_into_the_agencys_account(local: Link, chiba: Link, reply: str) -> None:
    """Inside one account the answer to this request was published wherever the peer said."""
    for subject in (f"$JS.API.CONSUMER.MSG.NEXT.{OWN.name}.feed", f"$JS.ACK.{OWN.name}.feed.1.1.1.1.0"):
        await chiba.client.publish(subject, b'{"batch": 1, "no_wait": true}', reply=reply)
    # An honest request is served after them, so when it has its message they were dealt with.
    await settled(chiba)
    await local.client.request(OWN.subject, b"two", timeout=5)
    honest = await Puller(chiba, stream=OWN.name, durable=FEED.name, batch=2).open()
    async with asyncio.timeout(10):
        assert await honest.next()
    await settled(chiba, local)

    assert await state_of(local, THEIRS.name) == (1, 1)
    assert await state_of(local, "LOG_tips") == (1, 1)


async def test_a_peer_has_no_more_than_four_connections(server: NatsServer) -> None:
    endpoint = Endpoint(url=server.url, key=CHIBA, name="test", inbox_prefix=peer_inbox_prefix("jp-12"))
    connections = [Connection(endpoint) for _ in range(5)]
    tasks = [asyncio.create_task(connection.run()) for connection in connections]
    try:
        async with asyncio.timeout(10):
            while True:
                if any(connection.failures > 3 and not connection.connected for connection in connections):
                    break
                await asyncio.sleep(0.01)
        assert sum(connection.connected for connection in connections) == 4
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_peer_receives_and_acknowledges_its_own_lanes(server: NatsServer, local: Link) -> None:
    for lane in LANES:
        shape = lane_shape("jp-12", lane)
        async with receiving(server, CHIBA, "jp-12", shape.name) as numbers, asyncio.timeout(10):
            await local.client.request(shape.subject, b"two", timeout=5)
            await until_equal(numbers, [1, 2])
            while True:
                if await ensure_durable(local, shape.name, FEED) == 2:
                    break
                await asyncio.sleep(0.02)


@asynccontextmanager
async def receiving(server: NatsServer, key: UserKey, agency: str, stream: str) -> AsyncIterator[list[int]]:
    numbers: list[int] = []

    async def keep(messages: Sequence[Message]) -> int:
        numbers.extend(message.number for message in messages)
        return numbers[-1]

    connection = Connection(Endpoint(url=server.url, key=key, name="receiver", inbox_prefix=peer_inbox_prefix(agency)))
    receiver = Receiver(connection, stream=stream, durable=FEED, on_messages=keep, may_create=False)
    tasks = [asyncio.create_task(connection.run()), asyncio.create_task(receiver.run())]
    try:
        yield numbers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until_equal(numbers: list[int], wanted: list[int]) -> None:
    async with asyncio.timeout(10):
        while True:
            if numbers == wanted:
                return
            await asyncio.sleep(0.01)
