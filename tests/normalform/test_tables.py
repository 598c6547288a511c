"""The tables of others, as this build made them: every row can be reached, and nothing rests on what they lack."""

import random
from typing import Final

import pytest

from renkei_normalform import IdentifierType, NotAnIdentifier, normalize
from renkei_normalform.tables.banks import BANKS, BRANCHES
from renkei_normalform.tables.towns import MUNICIPALITIES, TOWNS

_SAMPLE: Final = 4000
_PREFECTURES: Final = 47


def _value(kind: IdentifierType, text: str) -> str:
    try:
        return normalize(kind, text).value
    except NotAnIdentifier as refused:
        return refused.reason.value


def test_the_tables_are_whole() -> None:
    assert len({code[:2] for code in MUNICIPALITIES}) == _PREFECTURES
    assert len(MUNICIPALITIES) > 1890
    assert sum(towns.count("\n") + 1 for towns in TOWNS.values()) > 110_000
    assert len(BANKS) > 1000
    assert sum(branches.count("\n") + 1 for branches in BRANCHES.values()) > 20_000


def test_the_towns_of_the_table_read_as_themselves() -> None:
    """Else a town that somebody wrote as Japan Post does would have another form, or none."""
    rows = [
        (code, *row.split("\t")[:3])
        for code, towns in TOWNS.items()
        for row in towns.split("\n")
        if row.count("\t") == 1  # those of Kyoto have a row of their own below
    ]
    sample = random.Random(1).sample(rows, _SAMPLE)

    wrong = []
    for code, name, chome in sample:
        written = f"{MUNICIPALITIES[code].replace(' ', '')}{name}{'3丁目' if chome == '1' else ''}12番地"
        form = f"{code}-{name}-{'3-' if chome == '1' else ''}12"
        # Two rows may be two spellings of one name: whoever writes it means either.
        if (read := _value(IdentifierType.PLACE, written)) not in (form, "TWO_PLACES"):
            wrong.append((written, form, read))

    assert wrong == []


def test_the_crossings_of_kyoto_lead_to_their_towns() -> None:
    """Several towns of a ward have one name, and only the crossing tells which."""
    rows = [
        (code, name, post, crossing)
        for code, towns in TOWNS.items()
        if code.startswith("261")
        for name, _, post, streets in (row.split("\t") for row in towns.split("\n") if row.count("\t") == 3)
        for crossing in streets.split("、")
        if crossing.endswith(("上る", "下る", "東入", "西入"))
    ]
    assert len(rows) > 1000

    wrong = []
    for code, name, post, crossing in rows:
        written = f"{MUNICIPALITIES[code].replace(' ', '')}{crossing}{name}12番地"
        if _value(IdentifierType.PLACE, written) not in (f"{code}-{name}-12", f"{code}-{name}@{post}-12", "TWO_PLACES"):
            wrong.append((written, _value(IdentifierType.PLACE, written)))

    assert wrong == []


def test_most_branches_are_found_by_the_names_of_the_table() -> None:
    """A name that two branches have is refused; whatever is read must be the branch of the table."""
    rows = [
        (bank, *branch.split("\t")) for bank, branches in BRANCHES.items() for branch in branches.split("\n") if branch
    ]
    sample = random.Random(2).sample(rows, _SAMPLE)

    read = [
        (
            f"{bank}-{branch}-1-0000001",
            _value(IdentifierType.BANK_ACCOUNT, f"{BANKS[bank].split(chr(9))[0]} {name} 普通 1"),
        )
        for bank, branch, name, _ in sample
    ]

    assert [pair for pair in read if pair[1][0].isdecimal() and pair[0] != pair[1]] == []
    assert sum(wanted == found for wanted, found in read) > 0.98 * _SAMPLE


@pytest.mark.parametrize("code", [f"099{digit}" for digit in range(10)])
def test_the_invented_bank_codes_belong_to_no_bank(code: str) -> None:
    """Synthetic accounts use them, so no real account may."""
    assert code not in BANKS
