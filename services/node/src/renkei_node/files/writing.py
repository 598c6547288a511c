"""Write an export: CSV that Japanese Excel opens and that no cell of runs as a formula, JSON lines, or Parquet."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from renkei_chassis.spreadsheets import inert
from renkei_node.files.columns import SEALED, columns_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei_node.files.kinds import FileKind

_LACKING: Final = "〓"  # what printers have always set for a character that they lack
_GROUP_ROWS: Final = 2000


class Writer(Protocol):
    """Writes records one after the other; `close` ends what was written."""

    replaced: int
    """How many characters the encoding lacked, and were written as 〓."""

    def write(self, record: Any) -> None:  # noqa: ANN401 (a Tip or an Arrest)
        """Write one record."""

    def close(self) -> None:
        """Write what is left; the file itself stays open."""


class CsvWriter:
    """One row a record. A title row with the label of the file stands above the header."""

    def __init__(self, file: BinaryIO, kind: FileKind, label: str, *, encoding: str) -> None:
        """Take `utf-8`, which begins with a byte-order mark, or `cp932`."""
        self.replaced = 0
        self._columns = columns_of(kind)
        self._cp932 = encoding == "cp932"
        name = "cp932" if self._cp932 else "utf-8-sig"
        self._text = io.TextIOWrapper(file, encoding=name, errors="strict", newline="", write_through=True)
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._row([label])
        self._row([column.name for column in self._columns])

    def write(self, record: Any) -> None:  # noqa: ANN401 (a Tip or an Arrest)
        """Write one record."""
        self._row([inert(text_of(column.read(record))) for column in self._columns])

    def close(self) -> None:
        """Write what is left."""
        self._text.flush()
        self._text.detach()

    def _row(self, cells: Sequence[str]) -> None:
        self._writer.writerow([self._encodable(cell) for cell in cells] if self._cp932 else cells)

    def _encodable(self, cell: str) -> str:
        try:
            cell.encode("cp932")
        except UnicodeEncodeError:
            kept = [character if _in_cp932(character) else _LACKING for character in cell]
            self.replaced += sum(one != other for one, other in zip(kept, cell, strict=True))
            return "".join(kept)
        return cell


def _in_cp932(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


class JsonLinesWriter:
    """One record a line, as the contract writes it, its label first. The first line is the label of the file."""

    replaced = 0

    def __init__(self, file: BinaryIO, _kind: FileKind, label: str) -> None:
        """Take an open file."""
        self._file = file
        self._line({"label": label})

    def write(self, record: Any) -> None:  # noqa: ANN401 (a Tip or an Arrest)
        """Write one record."""
        from google.protobuf.json_format import MessageToDict

        found = MessageToDict(record, preserving_proto_field_name=True)
        self._line(
            {
                "handling": found.pop("handling", {}),
                **{name: value for name, value in found.items() if name not in SEALED},
            }
        )

    def close(self) -> None:
        """Nothing is left."""

    def _line(self, value: Mapping[str, Any]) -> None:
        # A bidi sign would turn the line in a terminal: those outside of plain text are written as escapes.
        line = json.dumps(value, ensure_ascii=False)
        self._file.write(re.sub("[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]", _escape, line).encode() + b"\n")


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class ParquetWriter:
    """The columns of the CSV, times as times; the label of the file stands in its metadata."""

    replaced = 0

    def __init__(self, file: BinaryIO, kind: FileKind, label: str) -> None:
        """Take an open file. Raises ImportError where the extra `parquet` is not installed."""
        import pyarrow as pa
        from pyarrow import parquet

        self._arrow = pa
        self._columns = columns_of(kind)
        fields = [
            pa.field(column.name, pa.timestamp("us", tz="UTC") if column.is_time else pa.string())
            for column in self._columns
        ]
        self._schema = pa.schema(fields, metadata={"renkei.label": label})
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, record: Any) -> None:  # noqa: ANN401 (a Tip or an Arrest)
        """Keep one record until its group is full."""
        self._rows.append({column.name: column.read(record) for column in self._columns})
        if len(self._rows) == _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write the last group and the end."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
