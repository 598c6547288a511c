"""What cannot be applied is set aside with a reason and never blocks; nothing of it vanishes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from renkei.personas.v1.events_pb2 import PersonaSubmitted
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from renkei_chassis.database import writer
from renkei_chassis.database.transaction import RawPayload
from renkei_chassis.errors import Aborted, ResourceExhausted, Unavailable
from renkei_chassis.follower.apply import SetAside
from renkei_chassis.follower.state import Cursor
from tests.chassis.follower.following import SUBMITTED, Following
from tests.chassis.keeper import AGENCY, PLANS

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import Transaction

UNKNOWN = RawPayload(type_name="renkei.future.v1.NotKnownHere", data=b"")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LookupError("no text of it is kept"), "HANDLER_FAILED"),
        (SetAside("FOREIGN_ORIGINATOR"), "FOREIGN_ORIGINATOR"),
        (Aborted("ETAG_MISMATCH", "stale"), "ETAG_MISMATCH"),
    ],
)
async def test_a_failing_handler_sets_its_event_aside_and_nothing_else(
    following: Following, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    following.failures["bad"] = error
    await following.tell("a", "bad", "b")
    await following.tell("c")

    await following.tick()

    assert await following.words() == ["a", "b", "c"], "and no row of the failed one"
    assert await following.aside() == {2: reason}
    assert following.stored().sequence == 4
    assert [record.msg for record in caplog.records if record.levelname == "ERROR"] == ["an event was set aside"]


async def test_a_handler_that_fails_once_is_tried_again_alone(following: Following) -> None:
    following.failures["b"] = LookupError()

    def handle(transaction: Transaction, event: Event, payload: PersonaSubmitted) -> None:
        if following.handled.count("b") == 2:
            following.failures.clear()
        following.handle(transaction, event, payload)

    following.applier._handlers = {SUBMITTED: handle}
    await following.tell("a", "b", "c")

    await following.tick()

    assert await following.words() == ["a", "b", "c"]
    assert await following.aside() == {}


async def test_a_row_that_the_database_refuses_sets_its_event_aside(following: Following) -> None:
    """Found out when the rows of the whole group go in, long after the handler returned."""

    def handle(transaction: Transaction, event: Event, payload: PersonaSubmitted) -> None:
        transaction.insert(PLANS, {"name": event.id, "unit": payload.plan_hash, "version": 1})

    following.applier._handlers = {SUBMITTED: handle}
    await following.tell("same", "same", "other")

    await following.tick()

    assert await following.reader.units() == ["other", "same"]
    assert await following.aside() == {2: "ROW_REFUSED"}


async def test_a_mistake_in_a_handlers_statement_is_no_failing_disk(following: Following) -> None:
    def handle(transaction: Transaction, event: Event, payload: PersonaSubmitted) -> None:
        transaction.execute(text("SELECT * FROM nowhere"))

    following.applier._handlers = {SUBMITTED: handle}
    await following.tell("a")

    await following.tick()

    assert await following.aside() == {1: "HANDLER_FAILED"}


async def test_an_unknown_type_is_set_aside_unless_it_may_be_ignored(following: Following) -> None:
    await following.emit(UNKNOWN, may_ignore=True)
    await following.emit(UNKNOWN)
    await following.tell("a")

    await following.tick()

    assert await following.aside() == {2: "UNKNOWN_TYPE"}
    assert await following.words() == ["a"]


async def test_many_unknown_events_cost_one_group(following: Following) -> None:
    """A service that was upgraded first tells thousands of them."""
    await following.emit(*[UNKNOWN] * 200)

    await following.tick()

    assert len(await following.aside()) == 200
    assert following.reader.writer.groups == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda event: setattr(event, "digest", bytes(32)), "DIGEST_MISMATCH"),
        (lambda event: setattr(event, "salt", bytes(16)), "DIGEST_MISMATCH"),
        (lambda event: setattr(event.data, "value", event.data.value + b"\x1a\0"), "DIGEST_MISMATCH"),
        (lambda event: setattr(event, "type", "renkei.personas.v1.PersonaApproved"), "DIGEST_MISMATCH"),
        (lambda event: setattr(event.time, "seconds", 1), "DIGEST_MISMATCH"),
        (lambda event: setattr(event.time, "seconds", -5), "UNREADABLE"),
        (lambda event: setattr(event, "id", "not a UUID"), "UNREADABLE"),
        (lambda event: setattr(event, "id", ""), "UNREADABLE"),
    ],
    ids=["digest", "salt", "payload", "type", "time", "time before 1970", "id", "no id"],
)
async def test_an_event_that_was_changed_on_its_way_is_set_aside(
    following: Following, change: Callable[[Event], None], reason: str
) -> None:
    following.applier._handlers = {
        **following.applier._handlers,
        "renkei.personas.v1.PersonaApproved": following.handle,
    }
    await following.tell("a", "b")
    events = await following.source.events()
    change(events[0])

    await following.applier.apply(events, after=Cursor(epoch="e", sequence=0))

    assert await following.aside() == {1: reason}
    assert await following.words() == ["b"]


async def test_bytes_that_are_no_message_are_set_aside(following: Following) -> None:
    await following.emit(RawPayload(type_name=SUBMITTED, data=b"\xff\xff"))
    await following.tell("a")

    await following.tick()

    assert await following.aside() == {1: "UNREADABLE"}


async def test_what_follows_for_the_same_resource_waits_and_all_others_go_on(following: Following) -> None:
    following.failures["bad"] = LookupError()
    mine = f"{AGENCY}/personas/mine"
    await following.tell("mine 1", resource=mine)
    await following.tell("bad", "mine 2", resource=mine)
    await following.tell("other")
    await following.tick()
    await following.tell("mine 3", resource=mine)
    await following.tick()

    assert await following.words() == ["mine 1", "other"]
    assert await following.aside() == {2: "HANDLER_FAILED", 3: "BEHIND_ANOTHER", 5: "BEHIND_ANOTHER"}


async def test_what_stands_behind_an_unknown_event_in_the_same_batch_waits_too(following: Following) -> None:
    mine = f"{AGENCY}/personas/mine"
    await following.emit(UNKNOWN, PersonaSubmitted(plan_hash="mine"), resource=mine)

    await following.tick()

    assert await following.aside() == {1: "UNKNOWN_TYPE", 2: "BEHIND_ANOTHER"}
    assert following.handled == []


async def test_events_without_a_resource_wait_for_nothing(following: Following) -> None:
    following.failures["bad"] = LookupError()
    await following.tell("bad", "good", resource="")

    await following.tick()

    assert await following.words() == ["good"]


# The second try.


async def test_a_retry_applies_in_order_what_was_set_aside(following: Following) -> None:
    following.failures["bad"] = LookupError()
    mine = f"{AGENCY}/personas/mine"
    await following.tell("bad", "mine 2", "mine 3", resource=mine)
    await following.tick()
    following.failures.clear()
    following.handled.clear()

    assert await following.retrier.retry() == (3, 0)

    assert following.handled == ["bad", "mine 2", "mine 3"]
    assert await following.words() == ["bad", "mine 2", "mine 3"]
    await following.tell("mine 4", resource=mine)
    await following.tick()
    assert await following.words() == ["bad", "mine 2", "mine 3", "mine 4"]


async def test_a_retry_that_fails_again_counts_and_keeps_what_waits_behind(following: Following) -> None:
    following.failures["bad"] = LookupError()
    mine = f"{AGENCY}/personas/mine"
    await following.tell("bad", "mine 2", resource=mine)
    await following.emit(UNKNOWN)
    await following.tick()
    following.handled.clear()

    assert await following.retrier.retry() == (0, 3)

    assert following.handled == ["bad"]
    assert await following.aside() == {1: "HANDLER_FAILED", 2: "BEHIND_ANOTHER", 3: "UNKNOWN_TYPE"}
    rows = await following.reader.database.read(
        lambda connection: connection.execute(text("SELECT sequence, attempts FROM renkei_set_aside ORDER BY 1")).all()
    )
    assert [tuple(row) for row in rows] == [(1, 2), (2, 1), (3, 2)]


async def test_a_retry_needs_the_log_and_says_so(following: Following) -> None:
    following.failures["bad"] = LookupError()
    await following.tell("bad")
    await following.tick()
    following.cut = True

    with pytest.raises(Unavailable):
        await following.retrier.retry()

    assert await following.aside() == {1: "HANDLER_FAILED"}


async def test_two_retries_at_once_apply_once(following: Following) -> None:
    following.failures["bad"] = LookupError()
    await following.tell("bad")
    await following.tick()
    following.failures.clear()

    done = await asyncio.gather(following.retrier.retry(), following.retrier.retry())

    assert sorted(done) == [(0, 0), (1, 0)]
    assert await following.words() == ["bad"]


# What is no event's fault.


async def test_a_disk_that_fails_sets_nothing_aside(following: Following) -> None:
    await following.tell("a")
    failing = [1, 2, 3]

    def fail(connection: object) -> None:
        if failing:
            failing.pop()
            raise OperationalError("COMMIT", {}, OSError())

    sqlalchemy_event.listen(following.reader.database.writing, "commit", fail)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await following.tick()
    await following.tick()

    assert await following.aside() == {}
    assert await following.words() == ["a"]


@pytest.mark.parametrize("error", [OSError(), Unavailable("STORAGE_UNAVAILABLE", "not now")])
async def test_a_handler_that_meets_a_failing_disk_is_tried_again_later(following: Following, error: Exception) -> None:
    following.failures["a"] = error
    await following.tell("a")
    with pytest.raises(Unavailable):
        await following.tick()
    following.failures.clear()

    await following.tick()

    assert await following.aside() == {}
    assert await following.words() == ["a"]


async def test_a_crowded_writer_sets_nothing_aside(following: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    await following.tell("a")
    monkeypatch.setattr(writer, "MAX_WAITING", 0)
    with pytest.raises(ResourceExhausted):
        await following.tick()
    monkeypatch.undo()

    await following.tick()

    assert await following.aside() == {}
    assert await following.words() == ["a"]
