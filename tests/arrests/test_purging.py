"""A deleted arrest record goes with everything of the person; one that nobody deletes stays, unless the label says."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from renkei.arrests.v1.arrests_pb2 import Arrest, Person
from renkei.arrests.v1.events_pb2 import ArrestPurged
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from sqlalchemy import select

from renkei_arrests.record import ARRESTS
from renkei_arrests.retention import retention_of
from renkei_arrests.settings import Settings
from renkei_arrests.store import CLOCKS, EXHIBITS
from renkei_arrests.wiring import blueprint
from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.records.kind import Retention
from renkei_chassis.records.purging import Purging, Rhythm
from renkei_chassis.telemetry.metrics import Metrics
from tests.agency import AGENCY, MEMBERS, TOKYO, run_agency
from tests.arrests.calls import Arrests, a_device, a_disposition, an_arrest, an_occurrence
from tests.arrests.exhibits import Exhibits, a_phone, an_exhibit
from tests.databases import content

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Row, Table

    from renkei_chassis.ports import PortClaims

MARKER = "MARKERxEXHIBIT"
SETTINGS = Settings(members=MEMBERS, release_without_instrument=True, undelete_days=1, purge_hours=2)


async def test_a_deleted_record_is_purged_with_all_that_was_corrected(
    tmp_path: Path, ports: PortClaims, kind: str
) -> None:
    clock = ManualClock(WallClock().now())
    async with run_agency(blueprint(SETTINGS), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        kept = await arrests.create(an_arrest())
        seized = [a_device(an_occurrence())]
        made = await arrests.create(an_arrest(releasable_to=[TOKYO], seized_items=seized, restraint=clock.now()))
        made = await arrests.dispose(made, a_disposition(clock.now()))
        exhibits = Exhibits(agency.client())
        phone = await exhibits.create(made.name, a_phone(exhibit_number=MARKER))
        await exhibits.update(Exhibit(name=phone.name, etag=phone.etag), "exhibit_number")
        await exhibits.load(made.name, [(an_exhibit(an_occurrence(MARKER)), 0), (a_phone(exhibit_number=MARKER), 0)])
        await arrests.update(Arrest(name=made.name, etag=made.etag, person=Person(display_name=MARKER)), "person")
        await arrests.delete(made.name)
        clocks = await agency.service.database.read(_clocks)
        before = await asyncio.to_thread(content, tmp_path / "arrests.db")
        purging = Purging(
            ARRESTS,
            agency=AGENCY,
            retention=partial(retention_of, SETTINGS),
            rhythm=Rhythm(seconds=1, hours=SETTINGS.purge_hours),
            database=agency.service.database,
            writer=agency.service.writer,
            metrics=Metrics("arrests"),
        )

        for _ in range(24 + 4):
            clock.advance(3600)
            await purging.look()

        assert (len(clocks), await agency.service.database.read(_clocks)) == (2, [])
        assert any(MARKER.encode() in each for each in before)
        left = await asyncio.to_thread(content, tmp_path / "arrests.db")
        assert not any(MARKER.encode() in each for each in left)
        assert not any(await agency.service.database.read(lambda connection: [_rows(connection, t) for t in EXHIBITS]))
        events = [event for event in await agency.events() if event.resource == made.name]
        assert [arrest.name for arrest in (await arrests.page(show_deleted=True)).arrests] == [kept.name]
        assert [(event.type.rpartition(".")[2], event.erased) for event in events] == [
            ("ArrestRecorded", True),
            ("DispositionRecorded", True),
            ("ExhibitsRecorded", True),
            ("ExhibitsRevised", True),
            ("ExhibitsRecorded", True),
            ("ArrestRevised", True),
            ("ArrestDeleted", False),
            ("ArrestPurged", False),
        ]
        assert ArrestPurged.FromString(events[-1].data.value) == ArrestPurged(name=made.name, version=3)
        assert [entry.agency for entry in events[-1].audience] == [TOKYO]


def _rows(connection: Connection, table: Table) -> list[Row[Any]]:
    return list(connection.execute(select(table)).all())


_clocks = partial(_rows, table=CLOCKS)


def test_a_record_is_kept_for_ever_unless_the_agency_says_otherwise() -> None:
    told = Settings(unreviewed_days=3)

    assert retention_of(Settings(), Arrest()) == Retention(review=timedelta(days=1825), unreviewed=None)
    assert retention_of(told, Arrest()).unreviewed == timedelta(days=3)
