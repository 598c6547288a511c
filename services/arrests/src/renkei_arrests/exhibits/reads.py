"""Read exhibits, of own arrests and of received ones: by name, in pages, and all of them in a stream."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from renkei.arrests.v1 import exhibits_pb2
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from sqlalchemy import null, select

from renkei_arrests.exhibits.names import parse
from renkei_arrests.exhibits.rules import find_version, no_such_exhibit
from renkei_arrests.record import ARRESTS
from renkei_arrests.store import EXHIBITS, TABLES
from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE, PAGE_BYTES, no_such_version
from renkei_chassis.records.rules import denied
from renkei_chassis.records.times import set_us

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from sqlalchemy import Connection, Row, Select

    from renkei_chassis.database.engine import Database
    from renkei_chassis.rpc.methods import Call
    from renkei_chassis.rpc.page_tokens import PageTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which exhibits."""

    agency: str
    record_id: UUID
    after: int = 0
    within: bytes | None = None
    show_deleted: bool = False


class ExhibitReads:
    """The methods that read."""

    def __init__(self, *, agency: str, database: Database, tokens: PageTokens) -> None:
        """Take whose arrests are own ones, and where they are."""
        self._agency = agency
        self._database = database
        self._tokens = tokens

    async def get(self, request: exhibits_pb2.GetExhibitRequest, _call: Call) -> Exhibit:
        """Read one. Raises DENIED, and NO_SUCH_VERSION with the last one."""
        return await self._database.look(partial(self._get, request))

    async def page(self, request: exhibits_pb2.ListExhibitsRequest, _call: Call) -> exhibits_pb2.ListExhibitsResponse:
        """Read a page."""
        position = self._tokens.decode("ListExhibits", request, request.page_token)
        limit = page_size(request.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        agency, record_id = ARRESTS.parse(request.parent, field="parent")
        wanted = _Wanted(
            agency=agency,
            record_id=record_id,
            after=0 if position is None else int(position[0]),
            within=_within(request),
            show_deleted=request.show_deleted,
        )
        shown, more = await self._database.read(partial(self._read_page, wanted, limit))
        token = self._tokens.encode("ListExhibits", request, [shown[-1].number]) if more else ""
        return exhibits_pb2.ListExhibitsResponse(exhibits=shown, next_page_token=token)

    async def all(
        self, request: exhibits_pb2.ReadExhibitsRequest, _call: Call
    ) -> AsyncIterator[exhibits_pb2.ReadExhibitsResponse]:
        """Read all, a page at a time, each when the one before was taken."""
        agency, record_id = ARRESTS.parse(request.parent, field="parent")
        after, more = request.after_number, True
        while more:
            wanted = _Wanted(agency=agency, record_id=record_id, after=after)
            shown, more = await self._database.read(partial(self._read_page, wanted, LARGEST_PAGE))
            if shown:
                after = shown[-1].number
                yield exhibits_pb2.ReadExhibitsResponse(exhibits=shown)

    def _get(self, request: exhibits_pb2.GetExhibitRequest, connection: Connection) -> Exhibit:
        name = parse(request.name)
        table = EXHIBITS.exhibits if name.agency == self._agency else EXHIBITS.copies
        asked = self._rows(_Wanted(agency=name.agency, record_id=name.record_id, show_deleted=True))
        row = connection.execute(asked.where(table.c.id == name.exhibit_id.bytes)).first()
        if row is None:
            raise no_such_exhibit()
        if request.version in {0, row.version}:
            return _shown(row)
        older = find_version(connection, name, request.version) if name.agency == self._agency else None
        if older is None:
            raise no_such_version(row.version)
        return older

    def _read_page(self, wanted: _Wanted, limit: int, connection: Connection) -> tuple[list[Exhibit], bool]:
        """Read exhibits, and whether there are more; a page ends also after so many bytes."""
        records, copies = TABLES.records.c, TABLES.copies.c
        key = wanted.record_id.bytes
        arrest = select(records.id).where(records.id == key)
        if wanted.agency != self._agency:
            arrest = select(copies.id).where(copies.id == key, copies.agency == wanted.agency)
        if connection.execute(arrest).first() is None:
            raise denied(ARRESTS)
        shown: list[Exhibit] = []
        size = 0
        asked = self._rows(wanted).limit(limit + 1).execution_options(stream_results=True)
        for row in connection.execute(asked):
            size += len(row.content)
            if len(shown) == limit or (shown and size > PAGE_BYTES):
                return shown, True
            shown.append(_shown(row))
        return shown, False

    def _rows(self, wanted: _Wanted) -> Select[Any]:
        own = wanted.agency == self._agency
        columns = EXHIBITS.exhibits.c if own else EXHIBITS.copies.c
        mark = columns.delete_time_us if own else null().label("delete_time_us")
        asked: Select[Any] = select(columns.version, columns.content, mark).where(
            columns.record_id == wanted.record_id.bytes, columns.number > wanted.after
        )
        if not own:
            asked = asked.where(columns.agency == wanted.agency)
        elif not wanted.show_deleted:
            asked = asked.where(columns.delete_time_us.is_(None))
        if wanted.within is not None:
            asked = asked.where(columns.within_id == wanted.within)
        return asked.order_by(columns.number)


def _within(request: exhibits_pb2.ListExhibitsRequest) -> bytes | None:
    if not request.within:
        return None
    within = parse(request.within, field="within")
    if within.arrest != request.parent:
        what = "must be an exhibit of `parent`"
        raise InvalidArgument(
            "FIELD_INVALID", f"within: {what}", violations=[FieldViolation(field="within", description=what)]
        )
    return within.exhibit_id.bytes


def _shown(row: Row[Any]) -> Exhibit:
    exhibit = Exhibit.FromString(row.content)
    if row.delete_time_us is not None:
        set_us(exhibit.delete_time, row.delete_time_us)
    return exhibit
