"""Read a file into records, row by row, and pack those into the messages of a load."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from renkei_files import FileError, Limits, MappedRow, Reason, map_rows, open_table, without_twins
from renkei_node.files.records import RowError, build

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from google.protobuf.message import Message

    from renkei_node.files.plan import Plan

_BLOCK: Final = 1 << 20
_WORKBOOKS: Final = frozenset({b"PK\x03\x04", b"\xd0\xcf\x11\xe0"})
# No encoding takes more than four bytes for a character, and no line may have more than so many characters.
_LONGEST_BYTES: Final = 4 * Limits().line_characters + 2 * _BLOCK
# A message of a load holds 256 KiB and 1,000 rows; a report is written and a journal told after each message.
_BATCH_BYTES: Final = 120 << 10
_BATCH_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row, and the record that it is. None: it is none, and the row has a problem that says why."""

    row: MappedRow
    record: Any


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that follow each other in the file, and the message that sends those of them that are records."""

    rows: Sequence[MappedRow]
    records: Mapping[int, Any]
    request: Message | None


class OpenFile:
    """A file that is being imported. Its digest names it; what is read of it is what was digested."""

    def __init__(self, file: BinaryIO) -> None:
        """Take an open file that can seek; it is read once for the digest. Blocks."""
        self._file = file
        self._before = self._state()
        digest = hashlib.sha256()
        self.line_ends = 0
        self._longest, since = 0, 0
        file.seek(0)
        while block := file.read(_BLOCK):
            digest.update(block)
            self.line_ends += block.count(b"\n")
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            since = since + len(block) if last < 0 else len(block) - last
            self._longest = max(self._longest, since)
        self.digest = digest.hexdigest()
        file.seek(0)
        self._is_workbook = file.read(4) in _WORKBOOKS

    def rows(self, plan: Plan, agencies: Mapping[str, str]) -> Iterator[ReadRow]:
        """Give every row. Raises FileError where the file cannot be read, or not any further."""
        profile = plan.profile
        if not self._is_workbook and self._longest > _LONGEST_BYTES:
            # The reader would say the same, but only after it has found out how the whole file is encoded.
            raise FileError(Reason.LINE_TOO_LONG)
        with open_table(self._file, profile) as table:
            for row in without_twins(map_rows(table.rows, profile), profile):
                yield _read(row, plan, agencies)
        if self._state() != self._before:
            raise FileError(Reason.FILE_CHANGED)

    def count(self, plan: Plan) -> int:
        """Tell about how many rows there are, so that somebody can be told how long it takes."""
        if self._is_workbook:
            try:
                with open_table(self._file, plan.profile) as table:
                    return sum(1 for _ in table.rows)
            except FileError:
                return 0  # the import itself says why
        return self.line_ends

    def _state(self) -> tuple[int, int]:
        import os

        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns


@contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """Open a file for an import."""
    with path.open("rb") as file:
        yield OpenFile(file)


def _read(row: MappedRow, plan: Plan, agencies: Mapping[str, str]) -> ReadRow:
    if row.problems:
        return ReadRow(row, None)
    try:
        return ReadRow(row, build(row.values, plan, agencies))
    except RowError as error:
        return ReadRow(replace(row, problems=(error.problem(row.number, plan),)), None)


def batches(rows: Iterable[ReadRow], plan: Plan, *, load_id: str, parent: str) -> Iterator[Batch]:
    """Pack rows into messages of a bounded size, in the order of the file.

    Raises what `rows` raises, after the rows before it.
    """
    pack = _Pack(plan, load_id, parent)
    try:
        for each in rows:
            pack.add(each)
            if pack.is_full:
                yield pack.close()
                pack = _Pack(plan, load_id, parent)
    except FileError:
        if pack.rows:
            yield pack.close()
        raise
    if pack.rows:
        yield pack.close()


class _Pack:
    """A batch in the making."""

    def __init__(self, plan: Plan, load_id: str, parent: str) -> None:
        self.rows: list[MappedRow] = []
        self._kind = plan.kind
        self._request = plan.kind.load_request(load_id=load_id, parent=parent)
        self._records: dict[int, Any] = {}
        self._bytes = 0

    def add(self, each: ReadRow) -> None:
        self.rows.append(each.row)
        if each.record is not None:
            self._records[each.row.number] = each.record
            self._request.rows.append(self._kind.row(row=each.row.number, **{self._kind.word: each.record}))
            self._bytes += each.record.ByteSize() + 16

    @property
    def is_full(self) -> bool:
        return self._bytes >= _BATCH_BYTES or len(self.rows) >= _BATCH_ROWS

    def close(self) -> Batch:
        return Batch(self.rows, self._records, self._request if self._records else None)
