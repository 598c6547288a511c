"""Ids are dropped, and still nothing happens twice and nothing is lost, whatever is restored and offered again."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st
from renkei.event.v1.event_pb2 import Event, EventBatch
from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse
from renkei.personas.v1.events_pb2 import PersonaSubmitted
from sqlalchemy import func, select, text

from renkei_chassis.alarms import Alarms
from renkei_chassis.courier import Message
from renkei_chassis.database import tables
from renkei_chassis.errors import OutOfRange
from renkei_chassis.follower import state
from renkei_chassis.follower.apply import Applier
from renkei_chassis.follower.follower import Follower
from renkei_chassis.follower.memory import MAYBE_APPLIED, Memory
from renkei_chassis.follower.retry import Retrier
from renkei_chassis.ids import uuid7
from renkei_chassis.log.digest import event_digest
from renkei_chassis.telemetry.metrics import Metrics
from tests.chassis.follower.following import SUBMITTED
from tests.chassis.keeper import AGENCY, PLANS, Keeper, keeping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction

SOURCE: Final = f"{AGENCY}/logs/source"
BATCH_READ: Final = 3
MEMORY: Final = Memory(events=6, mark_every=2, prune_every=2)


class Log:
    """A log that can be put back to a backup, and can be given again what it lost."""

    def __init__(self) -> None:
        self.epochs = itertools.count(1)
        self.epoch = "epoch 0"
        self.events: list[Event] = []
        self.lost: list[Event] = []
        self.backup = 0
        self.words = itertools.count()

    def tell(self, count: int, *, ordered: bool = True) -> None:
        for _ in range(count):
            self._append(f"word {next(self.words)}", uuid7() if ordered else uuid.uuid4())

    def restore(self) -> None:
        """Go back to the backup and begin a new epoch."""
        self.lost.extend(self.events[self.backup :])
        del self.events[self.backup :]
        self.epoch = f"epoch {next(self.epochs)}"

    def offer_again(self, count: int) -> None:
        """Get some of what was lost once more, as an exchange does from its peers: the same id in another place."""
        again, self.lost = self.lost[:count], self.lost[count:]
        for event in again:
            self._append(PersonaSubmitted.FromString(event.data.value).plan_hash, uuid.UUID(event.id))

    def told(self) -> list[str]:
        return [PersonaSubmitted.FromString(event.data.value).plan_hash for event in self.events]

    async def read(self, request: ReadLogRequest) -> ReadLogResponse:
        after, last = request.after_sequence, len(self.events)
        if after > last:
            raise OutOfRange("LOG_AHEAD", "rolled back", metadata={"epoch": self.epoch})
        events = self.events[after : after + min(request.max_events, BATCH_READ)]
        return ReadLogResponse(
            events=events, through_sequence=after + len(events), last_sequence=last, epoch=self.epoch
        )

    def _append(self, word: str, event_id: uuid.UUID) -> None:
        payload = PersonaSubmitted(plan_hash=word).SerializeToString()
        sequence = len(self.events) + 1
        salt, time_us = bytes(16), 1_700_000_000_000_000 + sequence
        event = Event(source=SOURCE, sequence=sequence, id=str(event_id), type=SUBMITTED, salt=salt)
        event.resource = f"{AGENCY}/personas/{word}"
        event.time.FromMicroseconds(time_us)
        event.data.value = payload
        event.digest = event_digest(salt=salt, event_id=event_id, time_us=time_us, type_name=SUBMITTED, payload=payload)
        self.events.append(event)


class Reader:
    """A service that follows the log, and remembers as much as a test says."""

    def __init__(self, log: Log, keeper: Keeper, memory: Memory = MEMORY) -> None:
        self.log, self.keeper = log, keeper
        self.applier = Applier(
            source=SOURCE,
            handlers={SUBMITTED: self.handle},
            writer=keeper.writer,
            alarms=Alarms(Metrics("reader")),
            memory=memory,
        )
        self.retrier = Retrier(database=keeper.database, logs={SOURCE: (self.applier, log.read)})
        self.restart()

    def restart(self) -> None:
        self.follower = Follower(
            applier=self.applier,
            database=self.keeper.database,
            read_log=self.log.read,
            courier_connected=lambda: False,
        )

    def handle(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        transaction.insert(PLANS, {"name": payload.plan_hash, "unit": str(uuid.uuid4()), "version": 1})

    async def follow(self) -> None:
        async with self.follower._lock:
            await self.follower._repair()

    async def deliver(self, first: int, count: int) -> None:
        """Let NATS bring a stretch of the log, perhaps once more."""
        events = self.log.events[first : first + count]
        if events:
            batch = EventBatch(source=SOURCE, epoch=self.log.epoch, number=1, events=events)
            await self.follower.on_messages([Message(number=1, data=batch.SerializeToString())])

    async def effects(self) -> list[str]:
        """Give every effect, as often as it happened."""
        return await self.keeper.database.read(
            lambda connection: list(connection.execute(select(PLANS.c.name)).scalars())
        )

    async def aside(self) -> dict[int, str]:
        return {row.sequence: row.reason for row in await self.keeper.database.read(state.list_aside)}

    async def remembered(self) -> tuple[int, int, int]:
        """Tell how many ids are kept that have a place, how many have none, and through where ids were dropped."""

        def ask(connection: Connection) -> tuple[int, int, int]:
            count = select(func.count()).select_from(tables.applied)
            placed = connection.execute(count.where(tables.applied.c.sequence > 0)).scalar_one()
            without = connection.execute(count.where(tables.applied.c.sequence == 0)).scalar_one()
            pruned = connection.execute(select(tables.cursors.c.pruned)).scalar()
            return placed, without, pruned or 0

        return await self.keeper.database.read(ask)


async def allow_repeats(keeper: Keeper) -> None:
    """Take away what would refuse a second effect, so that a test sees it."""

    def anew(transaction: Transaction) -> None:
        transaction.execute(text("DROP TABLE keeper_plan"))
        transaction.execute(text("CREATE TABLE keeper_plan (name TEXT, unit TEXT, version INTEGER)"))

    await keeper.writer.run(anew)


Step = tuple[str, int]
STEPS: Final = st.one_of(
    st.tuples(st.sampled_from(["tell", "tell", "unordered", "again"]), st.integers(1, 12)),
    st.tuples(st.sampled_from(["follow", "follow", "restart", "backup", "restore"]), st.just(0)),
    st.tuples(st.just("deliver"), st.integers(0, 40)),
)
OLD_BACKUP: Final[list[Step]] = [
    ("tell", 4), ("backup", 0), ("tell", 12), ("tell", 12), ("follow", 0), ("restore", 0), ("again", 12), ("tell", 3)
]  # fmt: skip


@given(steps=st.lists(STEPS, max_size=25))
@example(steps=OLD_BACKUP)
@example(steps=[*OLD_BACKUP, ("follow", 0), ("tell", 12), ("follow", 0), ("backup", 0), ("restore", 0), ("again", 12)])
@settings(max_examples=40)
def test_in_every_history_each_event_is_in_effect_once_or_set_aside(steps: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(steps, Path(folder)))


async def play(steps: Sequence[Step], folder: Path) -> None:
    async with keeping(folder / "reader.db") as keeper:
        await allow_repeats(keeper)
        log = Log()
        reader = Reader(log, keeper)
        too_old = False
        for kind, number in steps:
            if kind == "restore":
                _, _, pruned = await reader.remembered()
                too_old |= log.backup // MEMORY.mark_every * MEMORY.mark_every < pruned
            await take(log, reader, kind, number)
        await reader.follow()

        effects, aside = await reader.effects(), await reader.aside()
        placed, without, _ = await reader.remembered()
        assert len(effects) == len(set(effects)), "nothing happens twice"
        missing = {number for number, word in enumerate(log.told(), start=1) if word not in effects}
        assert missing <= set(aside), "nothing is lost"
        assert set(aside.values()) <= ({MAYBE_APPLIED} if too_old else set())
        assert placed <= MEMORY.events + MEMORY.mark_every + MEMORY.prune_every + len(aside) + BATCH_READ
        assert without <= len(log.lost)


async def take(log: Log, reader: Reader, kind: str, number: int) -> None:
    match kind:
        case "tell" | "unordered":
            log.tell(number, ordered=kind == "tell")
        case "again":
            log.offer_again(number)
        case "follow":
            await reader.follow()
        case "restart":
            reader.restart()
        case "deliver":
            await reader.deliver(number, 5)
        case "backup":
            log.backup = len(log.events)
        case _:
            log.backup = min(log.backup, len(log.events))
            log.restore()


async def test_ids_are_dropped_and_a_restored_log_is_still_known(reader: Keeper) -> None:
    """The backup is younger than what is remembered by id: nothing is in doubt."""
    log = Log()
    service = Reader(log, reader)
    log.tell(40)
    log.backup = 38
    await service.follow()
    placed, _, pruned = await service.remembered()

    log.restore()
    log.tell(1)
    log.offer_again(2)
    await service.follow()

    assert (placed, pruned) == (40 - pruned, 34)
    assert await service.aside() == {}
    assert sorted(await service.effects()) == sorted(f"word {number}" for number in range(41))


async def test_a_restored_log_is_not_read_into_effect_from_its_start(reader: Keeper) -> None:
    log = Log()
    service = Reader(log, reader)
    log.tell(40)
    log.backup = 40
    await service.follow()
    seen: list[int] = []
    service.applier.apply = _noting(service.applier, seen)  # type: ignore[method-assign]  # it only looks on

    log.restore()
    log.tell(2)
    await service.follow()

    assert seen == [41, 42]


def _noting(applier: Applier, seen: list[int]) -> Any:  # noqa: ANN401 (the signature of apply)
    apply = applier.apply

    async def noting(events: Sequence[Event], *, after: state.Cursor) -> state.Cursor:
        seen.extend(event.sequence for event in events)
        return await apply(events, after=after)

    return noting


async def test_what_may_be_in_effect_already_waits_for_an_operator(reader: Keeper) -> None:
    """The backup is older than any id that is left, so nobody knows; a retry brings it into effect."""
    log = Log()
    service = Reader(log, reader)
    log.tell(4)
    log.backup = 4
    log.tell(1)
    never = log.events.pop()
    log.tell(30)
    await service.follow()
    log.restore()
    log.lost = [never, *log.lost[-1:]]
    log.offer_again(2)
    log.tell(1)

    await service.follow()

    assert await service.aside() == {5: MAYBE_APPLIED}, "the youngest is known by its id, and new ones are new"
    assert "word 4" not in await service.effects()
    assert await service.retrier.retry() == (1, 0)
    assert "word 4" in await service.effects()


async def test_the_id_of_an_event_that_is_set_aside_is_kept_until_it_is_applied(reader: Keeper) -> None:
    log = Log()
    service = Reader(log, reader)
    log.tell(1)
    log.events[0].type = "renkei.future.v1.NotKnownHere"
    log.tell(39)
    await service.follow()
    _, _, pruned = await service.remembered()
    log.backup = 0
    log.restore()
    log.offer_again(1)
    log.events[-1].type = "renkei.future.v1.NotKnownHere"

    await service.follow()

    assert pruned > 1
    assert await service.aside() == {1: "UNKNOWN_TYPE"}


def forget_hash(transaction: Transaction) -> None:
    transaction.execute(tables.cursors.update().values(chain=b""))


async def test_a_cursor_from_before_there_were_hashes_forgets_nothing(reader: Keeper) -> None:
    log = Log()
    service = Reader(log, reader)
    log.tell(2)
    await service.follow()
    await reader.writer.run(forget_hash)
    service.restart()
    log.tell(40)

    await service.follow()

    assert await service.remembered() == (42, 0, 0)
