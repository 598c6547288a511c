"""The personas service without its server: the same wiring on a real database, for tests that open it often."""

# ruff: noqa: ANN401 (requests and answers are of many types)

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from renkei.event.v1.event_pb2 import Event, Origin
from renkei.personas.v1 import contacts_pb2, documents_pb2, events_pb2, personas_pb2, reports_pb2

from renkei_chassis.alarms import Alarms
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.database.writer import Writer
from renkei_chassis.identity.principal import Principal, PrincipalKind
from renkei_chassis.log.append import read_position
from renkei_chassis.log.changes import Changes
from renkei_chassis.log.log import Log
from renkei_chassis.rpc.page_tokens import PageTokens
from renkei_chassis.service import Parts
from renkei_chassis.telemetry.metrics import Metrics
from renkei_personas.store.tables import SCHEMA
from renkei_personas.wiring import blueprint
from tests.databases import place
from tests.personas.people import ROLES, officer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.clock import ManualClock
    from renkei_chassis.service import Wiring
    from renkei_personas.settings import Settings

FILE: Final = "personas.db"
"""What the database is called in its directory, or what stands for it at a server."""
FILES: Final = (personas_pb2, documents_pb2, contacts_pb2, reports_pb2)


class Bench:
    """An open database with everything that writes into it."""

    def __init__(self, *, agency: str, writer: Writer, wiring: Wiring, log: Log) -> None:
        self.agency = agency
        self.writer = writer
        self.log = log
        self._methods = {
            name: (f"/{service}/{name}", method)
            for service, methods in wiring.api.items()
            for name, method in methods.items()
        }
        self._handlers = wiring.follows["exchange"]
        self._tasks = wiring.tasks

    async def call(self, who: str, method: str, request_id: str = "", **fields: Any) -> Any:
        """Call a method that writes, as the pipeline would after authentication."""
        path, found = self._methods[method]
        file = next(one for one in FILES if hasattr(one, f"{method}Request"))
        kind = getattr(file, f"{method}Request")
        request = kind(request_id=request_id or str(uuid.uuid4()), **fields)
        assert isinstance(found, WriteMethod)
        return await self.writer.call(
            found, path=path, request=request.SerializeToString(), request_type=kind, caller=principal(who)
        )

    async def bring(self, payload: Any, *, origin: str) -> None:
        """Have an event of another agency applied."""
        name = payload.DESCRIPTOR.full_name
        event = Event(type=name, origin=Origin(agency=origin))
        await self.writer.run(lambda transaction: self._handlers[name](transaction, event, payload))

    async def acknowledge(self) -> None:
        """Bring in the NPA's acknowledgement of what was reported last."""
        name = events_pb2.PersonaReported.DESCRIPTOR.full_name
        events = await self.log.events(after=0)
        reported = events_pb2.PersonaReported.FromString([e for e in events if e.type == name][-1].data.value)
        told = events_pb2.PersonaReportAcknowledged(
            plan=reported.plan, agency=reported.agency, version=reported.version
        )
        await self.bring(told, origin="agencies/jp-npa")

    async def let_clocks_strike(self) -> None:
        """Look at the clocks once."""
        task: Any = self._tasks["clocks"]
        await task.__self__.look()


def principal(who: str) -> Principal:
    return Principal(
        subject=officer(who),
        agency=officer(who).rpartition("/officers/")[0],
        roles=frozenset({ROLES[who]}),
        kind=PrincipalKind.OFFICER,
        token_id="",
        expire_time=datetime.now(UTC) + timedelta(hours=1),
    )


@asynccontextmanager
async def opened(
    directory: Path, clock: ManualClock, settings: Settings, *, agency: str = "agencies/jp-12"
) -> AsyncIterator[Bench]:
    """Open the database in a directory; whatever a kill left of it is recovered as a restart would."""
    owner = Owner(agency=agency, service="personas")
    where = place(directory / FILE)
    database = await asyncio.to_thread(Database.open, where, owner=owner, schema=SCHEMA)
    try:
        position = await database.read(read_position)
        log = Log(name=f"{agency}/logs/personas", database=database, position=position)
        writer = Writer(database=database, log=log, clock=clock)
        writer.start()
        tokens = PageTokens(database.secret)
        metrics = Metrics("personas")
        parts = Parts(
            agency=agency,
            database=database,
            writer=writer,
            log=log,
            changes=Changes(log=log, tokens=tokens),
            clock=clock,
            tokens=tokens,
            metrics=metrics,
            alarms=Alarms(metrics),
            minter=cast("Any", None),
            courier=None,
            client=cast("Any", None),
        )
        yield Bench(agency=agency, writer=writer, wiring=blueprint(settings).wire(parts), log=log)
        await writer.stop()
    finally:
        await asyncio.to_thread(database.close)
