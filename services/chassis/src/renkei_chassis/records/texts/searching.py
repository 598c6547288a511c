"""Answer a search for texts: first the records that hold every term as written, then the others; newest first.

Work is bounded: after so many records that were compared, or bytes that were found, a page ends, with what it has. Its
token goes on exactly there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from renkei_chassis.database.pages import page_size
from renkei_chassis.records.filters import ANY_AGENCY, Shown, holding, require_parent
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE, PAGE_BYTES
from renkei_chassis.records.texts.candidates import MOST_READ, Candidates
from renkei_chassis.records.texts.pending import OWN
from renkei_chassis.records.texts.query import match, read_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.records.filters import Filter
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.records.reads import Reads
    from renkei_chassis.records.texts.query import Match, Term
    from renkei_chassis.rpc.page_tokens import PageTokens

    Key = tuple[bytes, str]
    Position = tuple[int, Key | None]

_AS_WRITTEN: Final = 0
_FOLDED: Final = 1
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPage:
    """Some records, how each holds what was looked for, and where the next page begins."""

    records: Sequence[Record]
    matches: Sequence[Match]
    next_page_token: str
    unreachable: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class _Found:
    """A page as it fills."""

    limit: int
    rows: list[tuple[Row[Any], Match]] = field(default_factory=list)
    size: int = 0
    compared: int = 0
    as_written: set[Key] = field(default_factory=set)
    """Found in the first pass already."""
    next: Position | None = None
    """Where the next page begins. None: nothing is left."""

    def takes(self, row: Row[Any]) -> bool:
        return len(self.rows) < self.limit and (not self.rows or self.size + len(row.content) <= PAGE_BYTES)


class TextSearch:
    """Searches the texts of one kind of record."""

    def __init__(self, kind: RecordKind, *, agency: str, database: Database, tokens: PageTokens, reads: Reads) -> None:
        """Take the kind, whose records are own ones, where they are, and what makes them of rows."""
        self._kind = kind
        self._agency = agency
        self._database = database
        self._tokens = tokens
        self._reads = reads
        self._shown = Shown(kind, agency=agency)

    async def page(self, method: str, request: Message, text: str, wanted: Filter) -> TextPage:
        """Read a page; `request` binds the token. Raises SEARCH_TOO_SHORT and FIELD_INVALID for what was typed."""
        asked: Any = request
        require_parent(wanted)
        terms = read_query(text, self._kind.folding)
        position = _position(self._tokens.decode(method, request, asked.page_token))
        limit = page_size(asked.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        found = await self._database.read(partial(self._search, terms, wanted, position, limit))
        now = self._reads.clock_now()
        token = ""
        if found.next is not None:
            step, key = found.next
            token = self._tokens.encode(method, request, [step, key[0].hex() if key else "", key[1] if key else ""])
        return TextPage(
            records=[self._reads.build(row, now) for row, _ in found.rows],
            matches=[match for _, match in found.rows],
            next_page_token=token,
            unreachable=self._reads.unreachable(wanted.parent),
        )

    def _search(
        self, terms: Sequence[Term], wanted: Filter, position: Position, limit: int, connection: Connection
    ) -> _Found:
        candidates = Candidates(connection, self._kind.tables.texts)
        found = _Found(limit=limit)
        first, before = position
        for step in range(first, _FOLDED + 1):
            exact = step == _AS_WRITTEN
            told = candidates.newest_first(terms, exact=exact, before=before)
            if self._fill(connection, found, told, terms, wanted, exact=exact):
                return found
            before = None
            if step < _FOLDED and len(found.rows) == limit:
                found.next = (_FOLDED, None)
                return found
        found.next = None
        return found

    def _fill(
        self,
        connection: Connection,
        found: _Found,
        told: Iterator[tuple[list[Key], Key | None]],
        terms: Sequence[Term],
        wanted: Filter,
        *,
        exact: bool,
    ) -> bool:
        """Compare candidates; tells whether the page ends here."""
        step = _AS_WRITTEN if exact else _FOLDED
        down_to: Key | None = None
        for keys, down_to in told:  # noqa: B007 (the last one is asked for below)
            for start in range(0, len(keys), _AT_ONCE):
                some = [key for key in keys[start : start + _AT_ONCE] if key not in found.as_written]
                rows = self._rows(connection, some, wanted)
                for key in some:
                    row = rows.get(key)
                    if row is not None:
                        record = self._kind.message.FromString(row.content)
                        matched = match(self._kind.texts(record), terms, self._kind.folding, exact=exact)
                        if matched is not None and matched.exact == exact:
                            if not found.takes(row):
                                return True
                            found.rows.append((row, matched))
                            if exact:
                                found.as_written.add(key)
                            found.size += len(row.content)
                    found.compared += 1
                    found.next = (step, key)
                    if found.compared >= MOST_READ:
                        return True
        if down_to is not None:
            found.next = (step, down_to)
        return down_to is not None

    def _rows(self, connection: Connection, keys: Sequence[Key], wanted: Filter) -> Mapping[Key, Row[Any]]:
        """Read those of the records that are there and that the filter shows."""
        tables, found = self._kind.tables, dict[Any, Any]()
        plain = replace(wanted, fragment="")
        mine = [record_id for record_id, agency in keys if agency == OWN]
        if mine and wanted.parent in {ANY_AGENCY, self._agency}:
            columns = tables.records.c
            asked = self._shown.own_rows().where(columns.id.in_(mine), *self._shown.own_conditions(plain, None))
            if wanted.fragment:
                inside = tables.identifiers.c
                asked = asked.where(
                    select(inside.ordinal).where(inside.record_id == columns.id, *holding(inside, wanted)).exists()
                )
            found |= {(bytes(row.id), OWN): row for row in connection.execute(asked)}
        theirs = [record_id for record_id, agency in keys if agency != OWN]
        if theirs and wanted.parent != self._agency:
            columns = tables.copies.c
            asked = self._shown.copy_rows().where(columns.id.in_(theirs), *self._shown.copy_conditions(wanted, None))
            found |= {(bytes(row.id), row.agency): row for row in connection.execute(asked)}
        return found


def _position(told: Sequence[Any] | None) -> Position:
    if told is None:
        return _AS_WRITTEN, None
    step, record_id, agency = told
    return int(step), (bytes.fromhex(record_id), str(agency)) if record_id else None
