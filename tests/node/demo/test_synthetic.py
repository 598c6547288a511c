from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.clock import from_us
from renkei_node.demo.csv_reader import CsvError, read_arrests, read_tips
from renkei_node.demo.markers import find_markers
from renkei_node.demo.synthetic import write_exports
from renkei_node.demo.timeline import read_cases

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 210


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_exports(tmp_path / name, records=RECORDS)

    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_no_invented_record_cites_a_real_case(tmp_path: Path) -> None:
    exports = write_exports(tmp_path, records=RECORDS)
    real_days, real_places = {case.date for case in read_cases()}, {case.place for case in read_cases()}
    assert real_days

    for export in exports:
        assert not any(place in export.path.read_text(encoding="cp932") for place in real_places)
        rows = [row.tip for row in read_tips(export.path)] if export.collection == "tips" else []
        days = {from_us(tip.observe_time.ToMicroseconds()).date() for tip in rows}
        assert days.isdisjoint(real_days)
        assert all(tip.case_reference.startswith("演習") for tip in rows)


def test_every_row_is_read_back_with_two_markers_of_its_own(tmp_path: Path) -> None:
    exports = write_exports(tmp_path, records=RECORDS)

    found = []
    for export in exports:
        if export.collection == "tips":
            found += [find_markers(row.tip) for row in read_tips(export.path)]
        else:
            found += [find_markers(row.arrest) for row in read_arrests(export.path)]

    assert len(found) == RECORDS
    assert len({marker for pair in found for marker in (pair.text, pair.home)}) == 2 * RECORDS


def test_a_row_that_is_not_marked_as_training_data_is_refused_without_being_repeated(tmp_path: Path) -> None:
    export = next(export for export in write_exports(tmp_path, records=RECORDS) if export.collection == "tips")
    rows = list(csv.reader(export.path.read_text(encoding="cp932").splitlines()))
    rows[1][-1] = "MARKERxSECRET"
    with export.path.open("w", encoding="cp932", newline="") as file:
        csv.writer(file).writerows(rows)

    with pytest.raises(CsvError, match="line 2") as refused:
        list(read_tips(export.path))

    assert "MARKERxSECRET" not in str(refused.value)


def test_a_file_in_another_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "utf-16.csv"
    path.write_text("管理番号,内容\n", encoding="utf-16")

    with pytest.raises(CsvError):
        list(read_tips(path))
