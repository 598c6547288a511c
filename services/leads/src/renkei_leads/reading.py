"""Read leads as they are shown: each with how it is followed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from renkei_leads import follow_up_rows
from renkei_leads.follow_up_rows import Followed
from renkei_leads.ordering import STANDING
from renkei_leads.store import find_lead, lead_row
from renkei_leads.tables import follow_ups, lead_records, leads

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_leads.ordering import Order, Place
    from renkei_leads.store import LeadRow

Shown = tuple["LeadRow", Followed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which leads a list is to hold; what is empty or None leaves nothing out."""

    states: Collection[int]
    record: str = ""
    standings: Collection[int] = ()
    holder: str = ""
    unit: str = ""
    max_snooze_end_us: int | None = None


def find(connection: Connection | Transaction, lead: str) -> Shown | None:
    """Read one lead by its id."""
    row = find_lead(connection, lead)
    return None if row is None else (row, follow_up_rows.find(connection, lead))


def read(connection: Connection, ids: Collection[str]) -> dict[str, Shown]:
    """Read leads by their ids."""
    found = [lead_row(row) for row in connection.execute(select(leads).where(leads.c.id.in_(list(ids))))]
    return {row.id: (row, followed) for row, followed in _shown(connection, found)}


def page(
    connection: Connection, wanted: Wanted, *, order: Order, after: Place | None, limit: int
) -> list[tuple[Shown, Place]]:
    """Read a page of leads after a place of an order, each with its own place."""
    statement = select(leads.c.id).outerjoin(follow_ups, follow_ups.c.lead == leads.c.id)
    statement = statement.where(leads.c.state.in_(list(wanted.states)), *_conditions(wanted))
    if wanted.record:
        statement = statement.join(lead_records, lead_records.c.lead == leads.c.id).where(
            lead_records.c.record == wanted.record
        )
    # Places first, and contents of those alone that are on the page: leads are long.
    places = {row[0]: order.place(row) for row in connection.execute(order.page(statement, after=after, limit=limit))}
    shown = read(connection, places)
    return [(shown[lead], place) for lead, place in places.items()]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = follow_ups.c
    found: list[ColumnElement[bool]] = []
    if wanted.standings:
        found.append(STANDING.in_(list(wanted.standings)))
    if wanted.holder:
        found.append(columns.holder == wanted.holder)
    if wanted.unit:
        found.append(columns.unit == wanted.unit)
    if wanted.max_snooze_end_us is not None:
        found.append(columns.snooze_end_us <= wanted.max_snooze_end_us)
    return found


def _shown(connection: Connection, rows: Collection[LeadRow]) -> list[Shown]:
    followed = follow_up_rows.find_many(connection, [row.id for row in rows])
    return [(row, followed.get(row.id, Followed(lead=row.id))) for row in rows]
