"""The page about personas is made from the table of transitions, and says everything that is in it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from renkei_chassis.errors import _MAX_TEXT_BYTES
from renkei_personas import page as page_module
from renkei_personas.domain.reasons import REASONS
from renkei_personas.domain.states import ClockKind, State
from renkei_personas.domain.table import ROWS, STRIKES
from renkei_personas.page import CLOCKS, PARTS, STATES_JA, renewed, words_of

PAGE = Path(__file__).parents[2] / "docs" / "personas.md"
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")


def test_the_page_is_what_the_table_says() -> None:
    """Else: `python -m renkei_personas.page docs/personas.md`."""
    page = PAGE.read_text()

    assert renewed(page) == page
    assert set(re.findall(r"<!-- made: (\w+) -->", page)) == set(PARTS)


@pytest.mark.parametrize("part", ["diagram", "table", "clocks", "refusals"])
def test_a_stale_part_is_found(part: str) -> None:
    page = PAGE.read_text()
    spoiled = page.replace(f"<!-- made: {part} -->\n", f"<!-- made: {part} -->\nby hand\n")

    assert spoiled != page
    assert renewed(spoiled) == page


def test_a_changed_table_makes_the_page_stale() -> None:
    with mock.patch.object(page_module, "ROWS", {**ROWS, "SUSPEND": replace(ROWS["SUSPEND"], parts=frozenset())}):
        assert renewed(PAGE.read_text()) != PAGE.read_text()


def test_every_transition_state_clock_and_refusal_is_on_the_page() -> None:
    page = PAGE.read_text()

    assert all(f"`{action}`" in page for action in ROWS)
    assert all(f"`{reason}`" in page for reason in REASONS)
    assert all(f"`{clock.name}`" in page for clock in ClockKind)
    assert set(STATES_JA) == set(State)
    assert set(CLOCKS) == set(STRIKES) == set(ClockKind)


def test_every_condition_is_said_in_both_languages() -> None:
    words = {words_of(guard) for row in ROWS.values() for guard in row.guards}

    assert len(words) >= 25
    for text in words:
        japanese, _, english = text.partition(" · ")
        assert JAPANESE.search(japanese), text
        assert re.search(r"[a-z]{3}", english), text
        assert not JAPANESE.search(english), text


def test_every_row_says_itself_in_both_languages() -> None:
    for row in ROWS.values():
        assert JAPANESE.search(row.ja + row.records[0])
        assert not JAPANESE.search(row.en + row.records[1])


def test_every_rule_in_japanese_fits_into_a_refusal() -> None:
    """A status cuts what is too long."""
    assert [name for name, reason in REASONS.items() if len(reason.ja.encode()) > _MAX_TEXT_BYTES] == []
    assert [name for name, reason in REASONS.items() if len(reason.en.encode()) > _MAX_TEXT_BYTES] == []
