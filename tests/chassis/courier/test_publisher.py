"""Every published message ends, whatever becomes of the server."""

from __future__ import annotations

import asyncio

import pytest

from renkei_chassis.courier import Connection
from renkei_chassis.courier.jetstream import create_stream, read_stream
from renkei_chassis.courier.publisher import (
    NOBODY_THERE,
    TOO_LARGE,
    UNANSWERED,
    NotStored,
    Outgoing,
    Publisher,
    Stored,
    _outcome,
)
from tests.chassis.courier.relays import LANE
from tests.chassis.courier.servers import BreakableServer, linked, running


def messages(*numbers: int, data: bytes = b"x", subject: str = LANE.subject) -> list[Outgoing]:
    return [
        Outgoing(subject=subject, data=data, headers={"Nats-Expected-Last-Sequence": str(number - 1)})
        for number in numbers
    ]


async def test_each_message_gets_its_own_outcome(server: BreakableServer) -> None:
    async with linked(server) as link:
        await create_stream(link, LANE, "e1", 1)
        publisher = await Publisher(link).open()

        outcomes = await publisher.publish(messages(1, 2, 5, 3), seconds=5)

    assert outcomes == [
        Stored(sequence=1, duplicate=False),
        Stored(sequence=2, duplicate=False),
        NotStored(code=10071),
        Stored(sequence=3, duplicate=False),
    ]


async def test_a_repeated_id_is_told(server: BreakableServer) -> None:
    async with linked(server) as link:
        await create_stream(link, LANE, "e1", 1)
        publisher = await Publisher(link).open()
        twice = [Outgoing(subject=LANE.subject, data=b"x", headers={"Nats-Msg-Id": "e1/1"})] * 2

        outcomes = await publisher.publish(twice, seconds=5)

    assert outcomes == [Stored(sequence=1, duplicate=False), Stored(sequence=1, duplicate=True)]


async def test_a_subject_without_a_stream_is_told_at_once(server: BreakableServer) -> None:
    async with linked(server) as link, asyncio.timeout(3):
        publisher = await Publisher(link).open()

        outcomes = await publisher.publish(messages(1, subject="nowhere"), seconds=10)

    assert outcomes == [NotStored(code=NOBODY_THERE)]


async def test_what_cannot_be_sent_ends_what_comes_after_it(server: BreakableServer) -> None:
    async with linked(server) as link:
        await create_stream(link, LANE, "e1", 1)
        publisher = await Publisher(link).open()
        batch = [*messages(1), *messages(2, data=bytes(600_000)), *messages(3)]

        outcomes = await publisher.publish(batch, seconds=5)

        state = await read_stream(link, LANE.name)
    assert outcomes == [Stored(sequence=1, duplicate=False), NotStored(code=TOO_LARGE), NotStored(code=UNANSWERED)]
    assert state is not None
    assert state.last == 1


async def test_a_silent_server_leaves_nothing_open(server: BreakableServer) -> None:
    async with linked(server) as link:
        await create_stream(link, LANE, "e1", 1)
        publisher = await Publisher(link).open()
        server.freeze()

        async with asyncio.timeout(5):
            outcomes = await publisher.publish(messages(1, 2), seconds=0.2)

        assert outcomes == [NotStored(code=UNANSWERED)] * 2
        assert not publisher._waiting


async def test_a_lost_link_ends_what_is_under_way_before_its_time(server: BreakableServer) -> None:
    async with running(Connection(server.endpoint())) as connection, asyncio.timeout(10):
        link = await connection.link()
        await create_stream(link, LANE, "e1", 1)
        publisher = await Publisher(link).open()
        server.freeze()
        publishing = asyncio.create_task(publisher.publish(messages(1, 2), seconds=60))
        await asyncio.sleep(0)

        await server.kill()

        assert await publishing == [NotStored(code=UNANSWERED)] * 2


async def test_a_late_answer_is_nobody_elses(server: BreakableServer) -> None:
    async with linked(server) as link:
        await create_stream(link, LANE, "e1", 1)
        publisher = await Publisher(link).open()
        server.freeze()
        assert await publisher.publish(messages(1), seconds=0.1) == [NotStored(code=UNANSWERED)]
        server.thaw()

        outcomes = await publisher.publish(messages(2), seconds=5)

    assert outcomes == [Stored(sequence=2, duplicate=False)]


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b"7", b'{"seq": "x"}', b'{"error": 5}', b"\xff"])
def test_an_answer_that_makes_no_sense_counts_as_none(data: bytes) -> None:
    assert _outcome(data) == NotStored(code=UNANSWERED)
