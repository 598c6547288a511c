"""Answer a search: first the records that hold every term as written, then the others; newest first.

Work is bounded: after so many records that were compared, or bytes that were found, a page ends, with what it has. Its
token goes on exactly there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from renkei_chassis.database.pages import page_size
from renkei_chassis.database.snapshot import one_state
from renkei_chassis.records.filters import ANY_AGENCY, Shown, require_parent
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE, PAGE_BYTES
from renkei_chassis.records.texts.candidates import MOST_READ, Candidates
from renkei_chassis.records.texts.pending import OWN
from renkei_chassis.records.texts.query import match, read_part, read_query
from renkei_chassis.records.texts.tokens import pairs_of_part, pairs_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.records.filters import Filter
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.records.reads import Reads
    from renkei_chassis.records.texts.query import Match, Term
    from renkei_chassis.records.texts.tokens import Pair
    from renkei_chassis.rpc.page_tokens import PageTokens

    Key = tuple[bytes, str]
    Position = tuple[int, Key | None]

_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """Some records, how each holds the words that were looked for, and where the next page begins."""

    records: Sequence[Record]
    matches: Sequence[Match]
    next_page_token: str
    unreachable: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One round over all that may hold what is looked for."""

    step: int
    """Its number, from 0."""
    pairs: Sequence[Pair]
    terms: Sequence[Term] = ()
    """Empty: a part of an identifier is looked for, which the filter has."""
    exact: bool = False


@dataclass(slots=True, kw_only=True)
class _Found:
    """A page as it fills."""

    limit: int
    rows: list[tuple[Row[Any], Match | None]] = field(default_factory=list)
    size: int = 0
    compared: int = 0
    told: set[Key] = field(default_factory=set)
    """What stands on it already: a later pass meets it again."""
    next: Position | None = None
    """Where the next page begins. None: nothing is left."""

    def takes(self, row: Row[Any]) -> bool:
        return len(self.rows) < self.limit and (not self.rows or self.size + len(row.content) <= PAGE_BYTES)


class Search:
    """Searches one kind of record by words in its texts, by a part of an identifier, or by both."""

    def __init__(self, kind: RecordKind, *, agency: str, database: Database, tokens: PageTokens, reads: Reads) -> None:
        """Take the kind, whose records are own ones, where they are, and what makes them of rows."""
        self._kind = kind
        self._agency = agency
        self._database = database
        self._tokens = tokens
        self._reads = reads
        self._shown = Shown(kind, agency=agency)

    async def page(self, method: str, request: Message, wanted: Filter) -> FoundPage:
        """Read a page; `request` has `text`, `identifier`, `page_size` and `page_token`, and binds the token.

        Raises SEARCH_TOO_SHORT and FIELD_INVALID for what was typed.
        """
        asked: Any = request
        require_parent(wanted)
        terms = read_query(asked.text, self._kind.folding) if asked.text else ()
        if asked.identifier:
            wanted = replace(wanted, fragment=read_part(asked.identifier, self._kind.search_fragment))
        position = _position(self._tokens.decode(method, request, asked.page_token))
        limit = page_size(asked.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        found = await self._database.read(partial(self._search, self._passes(terms, wanted), wanted, position, limit))
        now = self._reads.clock_now()
        token = ""
        if found.next is not None:
            step, key = found.next
            token = self._tokens.encode(method, request, [step, key[0].hex() if key else "", key[1] if key else ""])
        return FoundPage(
            records=[self._reads.build(row, now) for row, _ in found.rows],
            matches=[match for _, match in found.rows if match is not None],
            next_page_token=token,
            unreachable=self._reads.unreachable(wanted.parent),
        )

    def _passes(self, terms: Sequence[Term], wanted: Filter) -> Sequence[_Pass]:
        if not terms:
            return (_Pass(step=0, pairs=pairs_of_part(wanted.fragment)),)
        return (
            _Pass(step=0, pairs=pairs_of_terms(terms, exact=True), terms=terms, exact=True),
            _Pass(step=1, pairs=pairs_of_terms(terms, exact=False), terms=terms),
        )

    def _search(
        self, passes: Sequence[_Pass], wanted: Filter, position: Position, limit: int, connection: Connection
    ) -> _Found:
        with one_state(connection):  # blocks may be stored otherwise meanwhile
            return self._gather(passes, wanted, position, limit, connection)

    def _gather(
        self, passes: Sequence[_Pass], wanted: Filter, position: Position, limit: int, connection: Connection
    ) -> _Found:
        candidates = Candidates(connection, self._kind.tables.texts)
        found = _Found(limit=limit)
        first, before = position
        for step in range(first, len(passes)):
            told = candidates.newest_first(passes[step].pairs, before=before)
            if self._fill(connection, found, told, passes[step], wanted):
                return found
            before = None
            if step + 1 < len(passes) and len(found.rows) == limit:
                found.next = (step + 1, None)
                return found
        found.next = None
        return found

    def _fill(
        self,
        connection: Connection,
        found: _Found,
        told: Iterator[tuple[list[Key], Key | None]],
        one: _Pass,
        wanted: Filter,
    ) -> bool:
        """Compare candidates; tells whether the page ends here."""
        down_to: Key | None = None
        for keys, down_to in told:  # noqa: B007 (the last one is asked for below)
            for start in range(0, len(keys), _AT_ONCE):
                some = [key for key in keys[start : start + _AT_ONCE] if key not in found.told]
                rows = self._rows(connection, some, wanted)
                for key in some:
                    row = rows.get(key)
                    if row is not None:
                        holds, matched = self._compare(row, one)
                        if holds:
                            if not found.takes(row):
                                return True
                            found.rows.append((row, matched))
                            found.told.add(key)
                            found.size += len(row.content)
                    found.compared += 1
                    found.next = (one.step, key)
                    if found.compared >= MOST_READ:
                        return True
        if down_to is not None:
            found.next = (one.step, down_to)
        return down_to is not None

    def _compare(self, row: Row[Any], one: _Pass) -> tuple[bool, Match | None]:
        """Tell whether a record holds what is looked for, and how; the database has compared its identifiers."""
        if not one.terms:
            return True, None
        record = self._kind.message.FromString(row.content)
        matched = match(self._kind.texts(record), one.terms, self._kind.folding, exact=one.exact)
        return matched is not None and matched.exact == one.exact, matched

    def _rows(self, connection: Connection, keys: Sequence[Key], wanted: Filter) -> Mapping[Key, Row[Any]]:
        """Read those of the records that are there and that the filter shows."""
        tables, found = self._kind.tables, dict[Any, Any]()
        mine = [record_id for record_id, agency in keys if agency == OWN]
        if mine and wanted.parent in {ANY_AGENCY, self._agency}:
            asked = self._shown.own_rows().where(tables.records.c.id.in_(mine))
            rows = connection.execute(asked.where(*self._shown.own_conditions(wanted, None)))
            found |= {(bytes(row.id), OWN): row for row in rows}
        theirs = [record_id for record_id, agency in keys if agency != OWN]
        if theirs and wanted.parent != self._agency:
            asked = self._shown.copy_rows().where(tables.copies.c.id.in_(theirs))
            rows = connection.execute(asked.where(*self._shown.copy_conditions(wanted, None)))
            found |= {(bytes(row.id), row.agency): row for row in rows}
        return found


def _position(told: Sequence[Any] | None) -> Position:
    if told is None:
        return 0, None
    step, record_id, agency = told
    return int(step), (bytes.fromhex(record_id), str(agency)) if record_id else None
