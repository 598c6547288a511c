"""What happened to an own record: one step a version, and one a deletion, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, select, union_all

from renkei_chassis.database.pages import page_size
from renkei_chassis.records import own
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE, PAGE_BYTES
from renkei_chassis.records.rules import denied, foreign_originator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.rpc.page_tokens import PageTokens

# A version is read whole to tell little of it: a page ends after so much, however many were asked for.
_READ_BYTES: Final = 4 * PAGE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A version that was made, and who marked it as deleted, if anybody did."""

    record: Record
    before: Record | None
    """The version before, for what a step changed; None for the first and where it is the next page's."""
    deletion: Row[Any] | None


class History:
    """Reads what happened to own records of one kind."""

    def __init__(self, kind: RecordKind, *, agency: str, database: Database, tokens: PageTokens) -> None:
        """Take the kind, whose records are own ones, and where they are."""
        self._kind = kind
        self._agency = agency
        self._database = database
        self._tokens = tokens

    async def page(self, method: str, request: Message, name: str) -> tuple[Sequence[Step], str]:
        """Read a page of steps and the token of the next. Raises DENIED, and FOREIGN_ORIGINATOR for a copy."""
        asked: Any = request
        agency, record_id = self._kind.parse(name)
        if agency != self._agency:
            raise foreign_originator(agency)
        position = self._tokens.decode(method, request, asked.page_token)
        limit = page_size(asked.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        before = None if position is None else int(position[0])
        steps, more = await self._database.read(lambda connection: self._read(connection, record_id, before, limit))
        token = self._tokens.encode(method, request, [steps[-1].record.version]) if more else ""
        return steps, token

    def _read(self, connection: Connection, record_id: UUID, before: int | None, limit: int) -> tuple[list[Step], bool]:
        tables = self._kind.tables
        now, then = tables.records.c, tables.versions.c
        if own.find(connection, tables, record_id) is None:
            raise denied(self._kind)
        both = union_all(
            select(now.version, now.content).where(now.id == record_id.bytes),
            select(then.version, then.content).where(then.record_id == record_id.bytes),
        ).subquery()
        asked = select(both).order_by(both.c.version.desc()).limit(limit + 1)
        if before is not None:
            asked = asked.where(both.c.version < before)
        found: list[Record] = []
        size, more = 0, False
        for row in connection.execute(asked.execution_options(stream_results=True)):
            size += len(row.content)
            if len(found) == limit or (found and size > _READ_BYTES):
                more = True
                found.append(self._kind.message.FromString(row.content))
                break
            found.append(self._kind.message.FromString(row.content))
        shown = found[:-1] if more else found
        marks = self._marks(connection, record_id, shown)
        return [
            Step(
                record=record,
                before=found[place + 1] if place + 1 < len(found) else None,
                deletion=marks.get(record.version),
            )
            for place, record in enumerate(shown)
        ], more

    def _marks(self, connection: Connection, record_id: UUID, shown: Sequence[Record]) -> dict[int, Row[Any]]:
        columns = self._kind.tables.deletions.c
        if not shown:
            return {}
        between = columns.version.between(shown[-1].version, shown[0].version)
        rows = connection.execute(
            select(self._kind.tables.deletions).where(and_(columns.record_id == record_id.bytes, between))
        )
        return {row.version: row for row in rows}
