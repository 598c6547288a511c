"""A follower of a keeper's log whose handler can be told to fail, and whose way to the log can be cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renkei.event.v1 import log_pb2
from renkei.personas.v1.events_pb2 import PersonaSubmitted

from renkei_chassis.alarms import Alarms
from renkei_chassis.courier import Message
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import Unavailable
from renkei_chassis.follower import state
from renkei_chassis.follower.apply import Applier
from renkei_chassis.follower.follower import Follower
from renkei_chassis.follower.retry import Retrier
from renkei_chassis.log.api import log_api
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_chassis.telemetry.metrics import Metrics
from tests.chassis.keeper import AGENCY, PLANS, Keeper, officer

if TYPE_CHECKING:
    from google.protobuf.message import Message as ProtoMessage
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import RawPayload, Transaction

SUBMITTED = "renkei.personas.v1.PersonaSubmitted"
CALL = Call(path="/renkei.event.v1.LogService/ReadLog", caller=officer(), trace_parent="")


class Following:
    """What the reader keeps of the source's log: a row for each word, in the order in which they came."""

    def __init__(self, *, source: Keeper, reader: Keeper) -> None:
        self.source = source
        self.reader = reader
        self.failures: dict[str, Exception] = {}
        """What the handler raises for a word, after its row went in."""
        self.handled: list[str] = []
        """Every word that the handler saw, also in vain."""
        self.cut = False
        self.asked = 0
        self.metrics = Metrics("reader")
        self.alarms = Alarms(self.metrics)
        self.applier = Applier(
            source=source.log.name, handlers={SUBMITTED: self.handle}, writer=reader.writer, alarms=self.alarms
        )
        self.follower = self.restarted()
        self.retrier = Retrier(database=reader.database, logs={source.log.name: (self.applier, self.read_log)})

    def restarted(self) -> Follower:
        """Make the follower as a new process would."""
        self.follower = Follower(
            applier=self.applier,
            database=self.reader.database,
            read_log=self.read_log,
            courier_connected=lambda: False,
            tick_seconds_without_courier=0.01,
        )
        return self.follower

    def handle(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        word = payload.plan_hash
        self.handled.append(word)
        transaction.insert(PLANS, {"name": f"{event.id}", "unit": f"{event.sequence:03} {word}", "version": 1})
        if word in self.failures:
            raise self.failures[word]

    async def read_log(self, request: log_pb2.ReadLogRequest) -> log_pb2.ReadLogResponse:
        self.asked += 1
        if self.cut:
            raise Unavailable("SHUTTING_DOWN", "not now")
        method = log_api(self.source.log)["renkei.event.v1.LogService"]["ReadLog"]
        assert isinstance(method, ReadMethod)
        answer = await method.answer(request, CALL)
        assert isinstance(answer, log_pb2.ReadLogResponse)
        return answer

    async def tell(self, *words: str, resource: str | None = None) -> None:
        """Let the source tell of words, one pack for all; each of its own resource unless said otherwise."""
        await self.emit(*(PersonaSubmitted(plan_hash=word) for word in words), resource=resource)

    async def emit(
        self, *payloads: ProtoMessage | RawPayload, resource: str | None = None, may_ignore: bool = False
    ) -> None:
        def effect(transaction: Transaction) -> None:
            for number, payload in enumerate(payloads):
                name = resource if resource is not None else f"{AGENCY}/personas/{transaction.now_us}-{number}"
                transaction.emit(NewEvent(payload=payload, resource=name, may_ignore=may_ignore))

        self.source.clock.advance(0.001)
        await self.source.writer.run(effect)

    async def messages(self) -> list[Message]:
        """Give everything that NATS would bring, in order."""
        return [Message(number=number, data=data) for number, data in await self.source.log.read(0, 1000)]

    async def tick(self) -> None:
        """Ask the log once, as `run` does."""
        async with self.follower._lock:
            await self.follower._repair()

    async def words(self) -> list[str]:
        """Tell which words are in effect, in the order of their events."""
        return [unit.partition(" ")[2] for unit in await self.reader.units()]

    async def aside(self) -> dict[int, str]:
        """Tell what is set aside, and why."""
        rows = await self.reader.database.read(state.list_aside)
        return {row.sequence: row.reason for row in rows}

    def stored(self) -> state.Cursor:
        return self.reader.database.recall(lambda connection: state.read_cursor(connection, self.source.log.name))
