"""What of records goes into the index: what stands in their texts, and in their identifiers as searches read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from renkei_chassis.records.texts.pending import OWN
from renkei_chassis.records.texts.postings import FULL
from renkei_chassis.records.texts.tokens import part_tokens, text_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row, Select, Table

    from renkei_chassis.records.kind import RecordKind

    Key = tuple[bytes, str]

_IDS_AT_ONCE: Final = 500
# A phone that was seized brings thousands: all in one entry, they would hold every part of a number.
_IN_ONE_ENTRY: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a record that is pending holds."""

    row: Row[Any]
    """Of `pending`."""
    size: int
    """In bytes."""
    entries: Sequence[set[int]]
    """The numbers of pairs, in so many entries as they need, `FULL` at most; none where there is nothing to find."""


def read_entries(connection: Connection, kind: RecordKind, rows: Sequence[Row[Any]]) -> Iterator[Held]:
    """Read what is to be found in records, in the order of their rows in `pending`."""
    for first in range(0, len(rows), _IDS_AT_ONCE):
        some = rows[first : first + _IDS_AT_ONCE]
        contents = _contents(connection, kind, some)
        keys = _keys(connection, kind, some)
        for row in some:
            key = (bytes(row.id), row.agency)
            content = contents.get(key)
            if content is None:
                yield Held(row=row, size=0, entries=())
                continue
            texts = [text for _, text in kind.texts(kind.message.FromString(content)) if text]
            parts = list(dict.fromkeys([*keys.get(key, ()), *_more_keys(connection, kind, key)]))
            size = len(content) + sum(map(len, parts))
            yield Held(row=row, size=size, entries=list(_entries(text_tokens(texts, kind.folding), parts)))


def _entries(tokens: set[int], parts: Sequence[str]) -> Iterator[set[int]]:
    step = max(_IN_ONE_ENTRY, -(-len(parts) // FULL))
    for first in range(0, max(len(parts), 1), step):
        tokens |= part_tokens(parts[first : first + step])
        if tokens:
            yield tokens
        tokens = set()


def _contents(connection: Connection, kind: RecordKind, rows: Sequence[Row[Any]]) -> Mapping[Key, bytes]:
    tables = kind.tables
    found: dict[Key, bytes] = {}
    mine, theirs = _ids(rows)
    if mine:
        columns = tables.records.c
        for row in connection.execute(select(columns.id, columns.content).where(columns.id.in_(mine))):
            found[bytes(row.id), OWN] = row.content
    if theirs:
        copied = tables.copies.c
        asked = select(copied.id, copied.agency, copied.content).where(copied.id.in_(theirs))
        found |= {(bytes(row.id), row.agency): row.content for row in connection.execute(asked)}
    return found


def _keys(connection: Connection, kind: RecordKind, rows: Sequence[Row[Any]]) -> Mapping[Key, list[str]]:
    """Read the identifiers that stand in records: a bounded few in each."""
    found: dict[Key, list[str]] = {}
    mine, theirs = _ids(rows)
    if mine:
        columns = kind.tables.identifiers.c
        asked = select(columns.record_id, columns.search_key).where(columns.record_id.in_(mine))
        for row in connection.execute(asked):
            found.setdefault((bytes(row.record_id), OWN), []).append(row.search_key)
    if theirs:
        copied = kind.tables.copy_identifiers.c
        those = select(copied.record_id, copied.agency, copied.search_key).where(copied.record_id.in_(theirs))
        for copy in connection.execute(those):
            found.setdefault((bytes(copy.record_id), copy.agency), []).append(copy.search_key)
    return found


def _more_keys(connection: Connection, kind: RecordKind, key: Key) -> Iterator[str]:
    """Read the identifiers beside a record: thousands perhaps, so of one record at a time."""
    record_id, agency = key
    more = kind.tables.more_identifiers if agency == OWN else kind.tables.more_copy_identifiers
    for table in more:
        values = {"record_id": record_id} if agency == OWN else {"record_id": record_id, "agency": agency}
        yield from (row.search_key for row in connection.execute(_beside(table, *values), values))


@lru_cache(maxsize=16)
def _beside(table: Table, *columns: str) -> Select[tuple[str]]:
    return select(table.c.search_key).where(*(table.c[name] == bindparam(name) for name in columns))


def _ids(rows: Sequence[Row[Any]]) -> tuple[list[bytes], list[bytes]]:
    """Give the ids of own records, and of copies."""
    return [row.id for row in rows if row.agency == OWN], [row.id for row in rows if row.agency != OWN]
