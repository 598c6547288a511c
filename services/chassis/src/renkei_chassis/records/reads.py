"""Read records, own and received: by name, and in pages newest first."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, select

from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import FailedPrecondition, Unavailable
from renkei_chassis.records import own
from renkei_chassis.records.filters import ANY_AGENCY, Filter, Shown, require_parent
from renkei_chassis.records.rules import denied

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.records.reach import Reach
    from renkei_chassis.rpc.page_tokens import PageTokens

DEFAULT_PAGE: Final = 50
LARGEST_PAGE: Final = 500
# A page is cut here, however many records were asked for: clients take 4 MiB at once.
PAGE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some records, newest first, and where the next page begins."""

    records: Sequence[Record]
    next_page_token: str
    unreachable: Sequence[str] = ()
    """Agencies that are cut off, and whose records may be missing."""


class Reads:
    """Reads records of one kind."""

    def __init__(
        self, kind: RecordKind, *, agency: str, database: Database, tokens: PageTokens, clock: Clock, reach: Reach
    ) -> None:
        """Take the kind, whose records are own ones, where they are, and who is cut off."""
        self._kind = kind
        self._agency = agency
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._reach = reach
        self._shown = Shown(kind, agency=agency)

    async def get(self, name: str, *, version: int = 0) -> Record:
        """Read one record, own or received. Raises DENIED, and NO_SUCH_VERSION with the last one."""
        agency, record_id = self._kind.parse(name)
        if agency == self._agency:
            return await self._database.look(lambda connection: self._get_own(connection, record_id, version))
        return await self._database.look(lambda connection: self._get_copy(connection, agency, record_id, version))

    async def page(self, method: str, request: Message, wanted: Filter) -> Page:
        """Read a page of what `wanted` shows; `request` has `page_size` and `page_token`, and binds the token."""
        asked: Any = request
        require_parent(wanted)
        position = self._tokens.decode(method, request, asked.page_token)
        limit = page_size(asked.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        rows, more = await self._database.read(lambda connection: self._page(connection, wanted, position, limit))
        records = [self.build(row, self.clock_now()) for row in rows]
        token = self._tokens.encode(method, request, [rows[-1].id.hex(), rows[-1].agency]) if more else ""
        return Page(records=records, next_page_token=token, unreachable=self.unreachable(wanted.parent))

    def clock_now(self) -> datetime:
        """Tell the time by which reads show what runs: also where somebody turned the clock."""
        try:
            return self._clock.now()
        except Unavailable:  # a clock that was turned stops the writes; reads go on by what it says
            return datetime.now(UTC)

    async def now(self, names: Iterable[str]) -> dict[str, Record]:
        """Read many records as they are now; what is gone is left out."""
        parsed = {name: self._kind.parse(name) for name in names}
        return await self._database.read(lambda connection: self._many(connection, parsed))

    def _many(self, connection: Connection, parsed: dict[str, tuple[str, UUID]]) -> dict[str, Record]:
        ids = {record_id.bytes for _, record_id in parsed.values()}
        now = self.clock_now()
        found: dict[str, Record] = {}
        for statement in (self._shown.own_rows(), self._shown.copy_rows()):
            for row in connection.execute(statement.where(statement.selected_columns.id.in_(ids))):
                record = self.build(row, now)
                if record.name in parsed:
                    found[record.name] = record
        return found

    def _get_own(self, connection: Connection, record_id: UUID, version: int) -> Record:
        row = own.find(connection, self._kind.tables, record_id)
        if row is None:
            raise denied(self._kind)
        if version in {0, row.version}:
            record = own.read(self._kind, row)
        else:
            content = own.find_version(connection, self._kind.tables, record_id, version)
            if content is None:
                raise no_such_version(row.version)
            record = self._kind.message.FromString(content)
        self._kind.present(record, self.clock_now())
        return record

    def _get_copy(self, connection: Connection, agency: str, record_id: UUID, version: int) -> Record:
        columns = self._kind.tables.copies.c
        row = connection.execute(
            select(columns.version, columns.content).where(
                and_(columns.id == record_id.bytes, columns.agency == agency)
            )
        ).first()
        if row is None:
            raise denied(self._kind)
        if version not in {0, row.version}:
            raise no_such_version(row.version)
        return self._kind.message.FromString(row.content)

    def _page(
        self, connection: Connection, wanted: Filter, position: Sequence[Any] | None, limit: int
    ) -> tuple[list[Row[Any]], bool]:
        """Read a page's rows, and whether there are more."""
        before = None if position is None else (bytes.fromhex(position[0]), str(position[1]))
        sources = []
        if wanted.parent in {ANY_AGENCY, self._agency}:
            columns = self._kind.tables.records.c
            mine = self._shown.own_rows().where(*self._shown.own_conditions(wanted, before)).order_by(columns.id.desc())
            sources.append(mine)
        if wanted.parent != self._agency:
            columns = self._kind.tables.copies.c
            theirs = self._shown.copy_rows().where(*self._shown.copy_conditions(wanted, before))
            sources.append(theirs.order_by(columns.id.desc(), columns.agency.desc()))
        # One row at a time: a page is cut by its size before it fills the memory.
        asked = [statement.limit(limit + 1).execution_options(stream_results=True) for statement in sources]
        streams = [connection.execute(statement) for statement in asked]
        rows: list[Row[Any]] = []
        size = 0
        for row in heapq.merge(*streams, key=lambda row: (row.id, row.agency), reverse=True):
            size += len(row.content)
            if len(rows) == limit or (rows and size > PAGE_BYTES):
                return rows, True
            rows.append(row)
        return rows, False

    def unreachable(self, parent: str) -> Sequence[str]:
        """Name the agencies that are cut off and whose records may be missing."""
        if parent == ANY_AGENCY:
            return self._reach.unreachable
        return [agency for agency in self._reach.unreachable if agency == parent]

    def build(self, row: Row[Any], now: datetime) -> Record:
        """Make the record of a row of `Shown`."""
        if row.agency != self._agency:
            return self._kind.message.FromString(row.content)
        record = own.read(self._kind, row)
        self._kind.present(record, now)
        return record


def no_such_version(last: int) -> FailedPrecondition:
    """Refuse a version that is not there, with the last one that is."""
    return FailedPrecondition(
        "NO_SUCH_VERSION", f"there is no such version here; the last is {last}", metadata={"last_version": str(last)}
    )
