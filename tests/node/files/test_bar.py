"""The progress bar of an import: the time that is left goes by the rate of this try alone."""

from __future__ import annotations

import time

import pytest

from renkei_node.commands.files.bar import Bar


@pytest.mark.parametrize(
    ("rows", "done", "told", "says"),
    [
        (200_000, 0, 10_000, "0:03:10  1,000 rows/s"),
        (200_000, 150_000, 10_000, "0:00:40  1,000 rows/s"),
        (200_000, 0, 0, "0 rows/s"),
        (0, 0, 10_000, "1,000 rows/s"),
        (50_000, 0, 50_010, "0:00:00  5,001 rows/s"),
        (100_000_000, 0, 10_000, "1 day, 3:46:30  1,000 rows/s"),
    ],
)
def test_what_an_earlier_try_did_makes_this_one_no_faster(
    monkeypatch: pytest.MonkeyPatch, rows: int, done: int, told: int, says: str
) -> None:
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began)
    bar = Bar()
    with bar:
        bar.begin(rows, done)
        monkeypatch.setattr(time, "monotonic", lambda: began + 10)
        bar.tell(told)

        assert bar.told() == says
