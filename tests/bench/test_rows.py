"""Each of the larger figures runs."""

from __future__ import annotations

import json

import pytest

from tests.bench.briefly import BRIEFLY, FIGURES
from tests.bench.processes import python

_SLOW = {"creates-postgresql", "growth", "growth-lanes", "rivals"}  # each starts up to ten processes


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else []) for name in BRIEFLY]
)
async def test_a_figure_fills_all_its_rows(name: str) -> None:
    rows = json.loads(await python("tests.bench.briefly", name))

    assert rows.keys() == {line.name for line in FIGURES[name].lines}
    assert all(value > 0 for value, _, _ in rows.values())
