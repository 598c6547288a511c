from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from renkei_chassis.clock import from_us
from renkei_node.demo.agencies import AGENCIES
from renkei_node.demo.loading import demo_plan
from renkei_node.demo.markers import find_markers
from renkei_node.demo.synthetic import write_exports
from renkei_node.demo.timeline import read_cases
from renkei_node.files.reading import ReadRow, opened

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 210


def read(path: Path, collection: str) -> list[ReadRow]:
    with opened(path) as file:
        return list(file.rows(demo_plan(collection), {agency.display_name: agency.name for agency in AGENCIES}))


def records(path: Path, collection: str) -> list[Any]:
    rows = read(path, collection)
    assert [row.row.problems for row in rows] == [()] * len(rows)
    return [row.record for row in rows]


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
        rows = records(export.path, "tips") if export.collection == "tips" else []
        days = {from_us(tip.observe_time.ToMicroseconds()).date() for tip in rows}
        assert days.isdisjoint(real_days)
        assert all(tip.case_reference.startswith("演習") for tip in rows)


def test_every_row_is_read_back_with_two_markers_of_its_own(tmp_path: Path) -> None:
    exports = write_exports(tmp_path, records=RECORDS)

    found = [find_markers(record) for export in exports for record in records(export.path, export.collection)]

    assert len(found) == RECORDS
    assert len({marker for pair in found for marker in (pair.text, pair.home)}) == 2 * RECORDS


def test_a_row_that_is_not_marked_as_training_data_is_refused_without_being_repeated(tmp_path: Path) -> None:
    export = next(export for export in write_exports(tmp_path, records=RECORDS) if export.collection == "tips")
    rows = list(csv.reader(export.path.read_text(encoding="cp932").splitlines()))
    rows[1][-1] = "MARKERxSECRET"
    with export.path.open("w", encoding="cp932", newline="") as file:
        csv.writer(file).writerows(rows)

    first, *others = read(export.path, "tips")

    assert first.record is None
    assert [(problem.row, problem.column, problem.reason.value) for problem in first.row.problems] == [
        (2, "備考", "NOT_A_CHOICE")
    ]
    assert "MARKERxSECRET" not in str(first.row.problems[0])
    assert all(row.record is not None for row in others)
