"""Read a force's export, cp932 CSV, row by row into rows of the bulk load.

Strict: what is not cp932, has other columns, or a word that means nothing here is an error that names
the file, the line and the column, and never repeats the cell: it may be personal data.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, TypeVar

from renkei.arrests.v1.arrests_pb2 import Arrest, ArrestRow, Person, SeizedItem
from renkei.identifiers.v1 import identifiers_pb2 as identifiers
from renkei.policy.v1.handling_pb2 import Handling
from renkei.tips.v1.tips_pb2 import Grading, Tip, TipRow

from renkei_node.demo import columns
from renkei_node.demo.agencies import BY_DISPLAY_NAME
from renkei_node.demo.wareki import NotADateError, read_date, read_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

V = TypeVar("V")
Row = dict[str, str]


class CsvError(ValueError):
    """A file or a line of it cannot be read. The message says where and why, without the cell's content."""


def read_tips(path: Path) -> Iterator[TipRow]:
    """Give the tips of an export; a row is named by its line. Raises CsvError at the first line that is wrong."""
    for line, row in _rows(path, columns.TIP_COLUMNS):
        yield TipRow(row=line, tip=_located(path, line, _tip, row))


def read_arrests(path: Path) -> Iterator[ArrestRow]:
    """Give the arrests of an export; a row is named by its line. Raises CsvError at the first line that is wrong."""
    for line, row in _rows(path, columns.ARREST_COLUMNS):
        yield ArrestRow(row=line, arrest=_located(path, line, _arrest, row))


class _CellError(ValueError):
    """What is wrong, and in which column."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(f"column {column}: {problem}")


def _rows(path: Path, expected: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    with path.open(encoding=columns.ENCODING, errors="strict", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, None)
            if header is None or tuple(header) != expected:
                raise CsvError(f"{path.name}, line 1: the columns must be {','.join(expected)}")
            for cells in reader:
                if len(cells) != len(expected):
                    raise CsvError(f"{path.name}, line {reader.line_num}: {len(cells)} cells, not {len(expected)}")
                yield reader.line_num, dict(zip(expected, cells, strict=True))
        except UnicodeDecodeError as error:
            raise CsvError(
                f"{path.name}: not {columns.ENCODING} from byte {error.start} of a block on, after line "
                f"{reader.line_num}; export the file as Shift_JIS (Windows-31J)"
            ) from None
        except csv.Error as error:
            raise CsvError(f"{path.name}, line {reader.line_num}: {error}") from None


def _located(path: Path, line: int, build: Callable[[Row], V], row: Row) -> V:
    try:
        return build(row)
    except _CellError as error:
        raise CsvError(f"{path.name}, line {line}, {error}") from None


def _tip(row: Row) -> Tip:
    tip = Tip(
        handling=_handling(row),
        source=_word(row, columns.SOURCE, columns.SOURCES),
        grading=Grading(
            reliability=_word(row, columns.RELIABILITY, columns.RELIABILITIES),
            accuracy=_word(row, columns.ACCURACY, columns.ACCURACIES),
        ),
        display_name=row[columns.TITLE],
        text=_marked(row),
        case_reference=row[columns.CASE],
        external_reference=row[columns.REFERENCE],
        identifiers=_occurrences(row, _word(row, columns.PROVENANCE, columns.PROVENANCES)),
    )
    try:
        tip.observe_time.FromDatetime(read_moment(row[columns.OBSERVED]))
    except NotADateError as error:
        raise _CellError(columns.OBSERVED, str(error)) from None
    return tip


def _arrest(row: Row) -> Arrest:
    arrest = Arrest(
        handling=_handling(row),
        kind=_word(row, columns.KIND, columns.KINDS),
        offence=row[columns.OFFENCE],
        text=_marked(row),
        role=_word(row, columns.ROLE, columns.ROLES),
        case_reference=row[columns.CASE],
        external_reference=row[columns.REFERENCE],
        person=Person(display_name=row[columns.PERSON], kana=row[columns.KANA]),
    )
    try:
        arrest.restraint_time.FromDatetime(read_moment(row[columns.RESTRAINED]))
    except NotADateError as error:
        raise _CellError(columns.RESTRAINED, str(error)) from None
    try:
        arrest.person.birth_date = read_date(row[columns.BIRTH]).isoformat() if row[columns.BIRTH] else ""
    except NotADateError as error:
        raise _CellError(columns.BIRTH, str(error)) from None
    found = _occurrences(row, identifiers.PROVENANCE_SEIZED_DEVICE)
    bystanders = [
        _occurrence(columns.PHONE, number, identifiers.PROVENANCE_SEIZED_DEVICE, identifiers.RELATION_ADDRESS_BOOK)
        for number in row[columns.ADDRESS_BOOK].split(";")
        if number
    ]
    if row[columns.ITEM]:
        item = SeizedItem(description=row[columns.ITEM], exhibit_number=row[columns.EXHIBIT])
        item.identifiers.extend([*found, *bystanders])
        arrest.seized_items.append(item)
    elif found or bystanders:
        raise _CellError(columns.ITEM, "identifiers stand in the row, but nothing that was seized")
    return arrest


def _handling(row: Row) -> Handling:
    release = row[columns.RELEASE]
    label = Handling(
        purpose_code=_word(row, columns.PURPOSE, columns.PURPOSES),
        permitted_action=_word(row, columns.RELEASE, columns.ACTIONS),
        caveat=row[columns.CAVEAT],
    )
    names = [name for name in row[columns.RELEASED_TO].split("、") if name]
    if bool(names) == (release == columns.NO_RELEASE):
        raise _CellError(columns.RELEASED_TO, f"does not agree with {columns.RELEASE}")
    for name in names:
        agency = BY_DISPLAY_NAME.get(name)
        if agency is None:
            raise _CellError(columns.RELEASED_TO, "names an agency that is not in the federation")
        label.releasable_to.append(agency.name)
    return label


def _marked(row: Row) -> str:
    if row[columns.REMARK] != columns.NOTE:
        raise _CellError(columns.REMARK, f"the demo takes nothing but {columns.NOTE}")
    return row[columns.TEXT]


def _occurrences(row: Row, provenance: identifiers.Provenance.ValueType) -> list[identifiers.Occurrence]:
    found = []
    for column in columns.IDENTIFIER_TYPES:
        if row[column]:
            relation = identifiers.RELATION_USED_BY_SUBJECT
            if column == columns.PHONE:
                relation = _word(row, columns.PHONE_RELATION, columns.RELATIONS)
            found.append(_occurrence(column, row[column], provenance, relation))
    return found


def _occurrence(
    column: str,
    original: str,
    provenance: identifiers.Provenance.ValueType,
    relation: identifiers.Relation.ValueType,
) -> identifiers.Occurrence:
    return identifiers.Occurrence(
        identifier=identifiers.Identifier(type=columns.IDENTIFIER_TYPES[column], original=original),
        provenance=provenance,
        relation=relation,
    )


def _word(row: Row, column: str, meanings: Mapping[str, V]) -> V:
    meaning = meanings.get(row[column])
    if meaning is None:
        raise _CellError(column, f"must be one of {'、'.join(meanings)}")
    return meaning
