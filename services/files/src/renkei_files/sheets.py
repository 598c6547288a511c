"""Read the two older formats of workbooks, xls and ods, whole: their parser knows no other way."""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import IO, Final, NoReturn

from renkei_files.limits import Limits
from renkei_files.problems import FileError, Reason
from renkei_files.rows import Row
from renkei_files.workbook import Archive
from renkei_files.xlsx import plain_number

_DIGITS_KEPT: Final = 15
_MOST_CELLS: Final = 5_000_000
_NO_TIME: Final = dt.time()


def read_sheet(file: IO[bytes], *, sheet: str, limits: Limits) -> Iterator[Row]:
    """Give every row of a sheet that is not empty; "" is the first one. Formulas and merged cells are not marked."""
    if file.seek(0, 2) > limits.whole_workbook_bytes:
        raise FileError(Reason.ARCHIVE_TOO_LARGE)
    file.seek(0)
    rows = _all_rows(file, sheet)
    if len(rows) > limits.rows:
        raise FileError(Reason.TOO_MANY_ROWS, row=limits.rows)
    for number, cells in enumerate(rows, 1):
        if len(cells) > limits.columns and any(cells[limits.columns :]):
            raise FileError(Reason.TOO_MANY_COLUMNS, row=number)
        broken: dict[int, Reason] = {}
        texts = [_text(cell, place, broken) for place, cell in enumerate(cells[: limits.columns])]
        while texts and not texts[-1] and len(texts) - 1 not in broken:
            texts.pop()
        if texts:
            yield Row(number, texts, {}, broken)


def _all_rows(file: IO[bytes], sheet: str) -> Sequence[Sequence[object]]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415 (only who needs it pays)

    try:
        workbook = CalamineWorkbook.from_filelike(file)
        names = workbook.sheet_names
        wanted = sheet or next(iter(names), "")
        return workbook.get_sheet_by_name(wanted).to_python(skip_empty_area=False) if wanted in names else _no_sheet()
    except PasswordError:
        raise FileError(Reason.ENCRYPTED) from None
    except FileError:
        raise
    except (CalamineError, ValueError, OSError):
        raise FileError(Reason.NOT_A_TABLE) from None
    except BaseException as error:
        # A panic of the parser is no Exception, so that nobody catches it by accident. Here it is meant.
        if type(error).__name__ != "PanicException":
            raise
        raise FileError(Reason.NOT_A_TABLE) from None


def _no_sheet() -> NoReturn:
    raise FileError(Reason.SHEET_MISSING)


def check_ods(archive: Archive) -> None:
    """Refuse an ods whose few bytes stand for many cells: a row and a cell may each be repeated a million times."""
    state = {"rows": 1, "cells": 0}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table-row":
            state["rows"] = int(attributes.get("table:number-rows-repeated", "1"))
        elif tag.startswith("table:") and "office:value-type" in attributes:
            state["cells"] += state["rows"] * int(attributes.get("table:number-columns-repeated", "1"))
            if state["cells"] > _MOST_CELLS:
                raise FileError(Reason.ARCHIVE_TOO_LARGE)

    archive.parse("content.xml", {"StartElementHandler": start})


def _text(cell: object, place: int, broken: dict[int, Reason]) -> str:  # noqa: PLR0911 (one for each type)
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            if abs(cell) >= 10**_DIGITS_KEPT:
                broken[place] = Reason.ROUNDED_NUMBER
                return ""
            return plain_number(Decimal(repr(cell)))
        case dt.datetime():
            return cell.strftime("%Y-%m-%d" if cell.time() == _NO_TIME else "%Y-%m-%d %H:%M:%S")
        case dt.date():
            return cell.isoformat()
        case dt.time():
            return cell.strftime("%H:%M")
        case _:
            return ""
