"""Find rows that a file holds twice, in bounded memory: of each key only a hash is kept, and on disk."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from renkei_files.mapping import MappedRow
from renkei_files.problems import Problem, Reason
from renkei_files.profile import Profile

# 64 bits: among a million rows two that differ meet once in forty million files.
_BYTES = 8


class SeenKeys:
    """The keys of the rows so far."""

    def __init__(self, connection: sqlite3.Connection, profile: Profile) -> None:
        """Take a place to remember them in; `seen_keys` makes one."""
        self._connection = connection
        self._fields = tuple(column.field for column in profile.columns if column.key)

    def check(self, row: MappedRow) -> MappedRow:
        """Return the row, with a problem where an earlier one has its key. A row without any key is never one twice."""
        parts = [row.values.get(field, "") for field in self._fields]
        if row.problems or not any(parts):
            return row
        digest = hashlib.blake2b(digest_size=_BYTES)
        for part in parts:
            data = part.encode()
            digest.update(len(data).to_bytes(4, "big") + data)
        done = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest.digest(),))
        if done.rowcount:
            return row
        twice = Problem(row=row.number, column="", reason=Reason.ROW_TWICE)
        return MappedRow(number=row.number, values=row.values, marks=row.marks, problems=(twice,))


@contextmanager
def seen_keys(profile: Profile) -> Iterator[SeenKeys]:
    """Make a temporary place for the keys of one file; it is gone afterwards."""
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA cache_size = -8192")
        connection.execute("CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")
        connection.execute("BEGIN")
        yield SeenKeys(connection, profile)


def without_twins(rows: Iterable[MappedRow], profile: Profile) -> Iterator[MappedRow]:
    """Give every row, with a problem on each that repeats the key of an earlier one."""
    with seen_keys(profile) as seen:
        for row in rows:
            yield seen.check(row)
