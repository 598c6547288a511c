"""A tiny service for the chassis to carry: it keeps plans, and does with them what a test says."""

from __future__ import annotations

import asyncio
import pickle
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from renkei.personas.v1.events_pb2 import PersonaSubmitted
from renkei.personas.v1.personas_pb2 import Persona, Plan, SubmitPersonaRequest
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from renkei_chassis.clock import ManualClock
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.process.frames import Start
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent, Transaction
from renkei_chassis.database.writer import Writer
from renkei_chassis.identity import Principal, PrincipalKind
from renkei_chassis.log.append import read_position
from renkei_chassis.log.log import Log
from tests.databases import place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.process.frames import Key, Resolve

AGENCY: Final = "agencies/jp-12"
OFFICER: Final = f"{AGENCY}/officers/sato"
SUBMIT: Final = "/renkei.personas.v1.PersonasService/SubmitPersona"
APPROVE: Final = "/renkei.personas.v1.PersonasService/ApprovePersona"
METADATA: Final = MetaData()
PLANS: Final = Table(
    "keeper_plan",
    METADATA,
    Column("name", String(128), primary_key=True),
    Column("unit", String(200), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
)
SCHEMA: Final = Schema(component="keeper", metadata=METADATA)
OWNER: Final = Owner(agency=AGENCY, service="keeper")
Rule = Callable[[Transaction, SubmitPersonaRequest, Principal], Written]


def officer(subject: str = OFFICER) -> Principal:
    return Principal(
        subject=subject,
        agency=AGENCY,
        roles=frozenset({"OFFICER"}),
        kind=PrincipalKind.OFFICER,
        token_id="a1",
        expire_time=datetime(2030, 1, 1, tzinfo=UTC),
    )


def keep(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    """Keep a plan: one row, one event."""
    persona = Persona(name=f"{request.parent}/personas/{request.request_id}", plan=Plan(unit=request.plan.unit))
    transaction.insert(PLANS, {"name": persona.name, "unit": request.plan.unit, "version": 1})
    told = PersonaSubmitted(name=persona.name, plan_hash=request.plan.unit, drafter=caller.subject)
    transaction.emit(NewEvent(payload=told, resource=persona.name))
    return Written(answer=persona, resource=persona.name, version=1)


def find(transaction: Transaction, name: str, version: int) -> Persona | None:
    row = transaction.first(select(PLANS).where(PLANS.c.name == name))
    return None if row is None else Persona(name=row.name, plan=Plan(unit=row.unit))


KEEP: Final = WriteMethod(rule=keep, rebuild=find)


def asking(unit: str, *, request_id: str | None = None) -> SubmitPersonaRequest:
    return SubmitPersonaRequest(request_id=request_id or str(uuid.uuid4()), parent=AGENCY, plan=Plan(unit=unit))


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """The parts that carry out writes, without a server."""

    database: Database
    log: Log
    writer: Writer
    clock: ManualClock

    async def keep(
        self,
        request: SubmitPersonaRequest,
        rule: Rule = keep,
        *,
        raw: bytes | None = None,
        path: str = SUBMIT,
        caller: Principal | None = None,
        trace_parent: str = "",
    ) -> Persona:
        """Send a request as the server would."""
        answer = await self.writer.call(
            WriteMethod(rule=rule, rebuild=find),
            path=path,
            request=request.SerializeToString() if raw is None else raw,
            request_type=SubmitPersonaRequest,
            caller=caller or officer(),
            trace_parent=trace_parent,
        )
        assert isinstance(answer, Persona)
        return answer

    async def keep_many(
        self, *requests: SubmitPersonaRequest, rule: Rule | None = None
    ) -> Sequence[Message | BaseException]:
        """Send requests of one caller together, as a bulk load does."""
        return await self.writer.call_many(
            WriteMethod(rule=rule or keep, rebuild=find),
            path=SUBMIT,
            requests=requests,
            request_type=SubmitPersonaRequest,
            caller=officer(),
        )

    async def tell(self, *sizes: int, resource: str = f"{AGENCY}/personas/p") -> None:
        """Write one event of each size, all in one group."""

        def effect(transaction: Transaction) -> None:
            for size in sizes:
                transaction.emit(NewEvent(payload=PersonaSubmitted(plan_hash="x" * size), resource=resource))

        await self.writer.run(effect)

    async def units(self) -> list[str]:
        """Tell which plans are kept, in the order of their units."""
        return await self.database.read(
            lambda connection: list(connection.execute(select(PLANS.c.unit).order_by(PLANS.c.unit)).scalars())
        )

    async def events(self) -> list[Event]:
        return await self.log.events(after=0)

    async def told(self) -> list[str]:
        """Tell which plans the log tells of, in its order."""
        return [PersonaSubmitted.FromString(event.data.value).plan_hash for event in await self.events()]


def by_reference(method: WriteMethod, _path: str) -> Key | None:
    """Name a method for the writer's process: a rule of a module by what it is, any other not at all."""
    try:
        return pickle.dumps(method)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


def methods(_database: Database, _clock: Clock) -> Resolve:
    """Give the methods in the writer's process."""

    def resolve(key: Key) -> WriteMethod:
        assert isinstance(key, bytes)
        method: WriteMethod = pickle.loads(key)  # noqa: S301 (the test pickled it)
        return method

    return resolve


@asynccontextmanager
async def keeping(path: Path, clock: ManualClock | None = None, *, process: bool = False) -> AsyncIterator[Keeper]:
    """Open the database and write to it, `process`: in a process of its own."""
    at = clock or ManualClock()
    database = await asyncio.to_thread(Database.open, place(path), owner=OWNER, schema=SCHEMA)
    try:
        log = Log(name=f"{AGENCY}/logs/keeper", database=database, position=await database.read(read_position))
        writer = Writer(database=database, log=log, clock=at)
        writer.start()
        try:
            if process:
                await writer.move_calls(Start(shared=database.shared, owner=OWNER, recipe=methods), key=by_reference)
            yield Keeper(database=database, log=log, writer=writer, clock=at)
        finally:
            await writer.stop()
    finally:
        await asyncio.to_thread(database.close)
