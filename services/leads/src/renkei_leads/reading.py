"""Read leads as they are shown: each with how it is followed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_

from renkei_leads import follow_up_rows
from renkei_leads.domain import Standing
from renkei_leads.follow_up_rows import Followed
from renkei_leads.store import find_lead, lead_row
from renkei_leads.tables import follow_ups, lead_records, leads

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

    from renkei_chassis.database.transaction import Transaction
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


def page(connection: Connection, wanted: Wanted, *, before: tuple[int, str] | None, limit: int) -> list[Shown]:
    """Read a page of leads, the last changed first, from behind `before` (time of change, id) on."""
    statement = select(leads).where(leads.c.state.in_(list(wanted.states)))
    if wanted.record:
        statement = statement.join(lead_records, lead_records.c.lead == leads.c.id).where(
            lead_records.c.record == wanted.record
        )
    conditions = _conditions(wanted)
    if conditions:
        statement = statement.outerjoin(follow_ups, follow_ups.c.lead == leads.c.id).where(*conditions)
    if before is not None:
        statement = statement.where(tuple_(leads.c.update_us, leads.c.id) < before)
    statement = statement.order_by(leads.c.update_us.desc(), leads.c.id.desc()).limit(limit)
    return _shown(connection, [lead_row(row) for row in connection.execute(statement)])


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = follow_ups.c
    found: list[ColumnElement[bool]] = []
    if wanted.standings:
        # A lead about which nobody did anything has no row.
        found.append(func.coalesce(columns.standing, int(Standing.NEW)).in_(list(wanted.standings)))
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
