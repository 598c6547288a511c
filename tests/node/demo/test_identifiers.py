from __future__ import annotations

import random
import re

import pytest

from renkei_node.demo.identifiers import IdentifierSource, spell
from renkei_normalform import IdentifierType, normalize

# What makes each of them nobody's: pagers' numbers, no bank's code, plates that are not issued, our own handles.
NOBODYS = {
    IdentifierType.PHONE: re.compile(r"\+81204\d{7}"),
    IdentifierType.BANK_ACCOUNT: re.compile(r"099\d-\d{3}-[124]-\d{7}"),
    IdentifierType.VEHICLE_PLATE: re.compile(r".+-\d{3}-.-\d{2}4[29]"),
    IdentifierType.HANDLE: re.compile(r"(telegram|signal|x|instagram):enshu_.+"),
}


def source(seed: int) -> IdentifierSource:
    return IdentifierSource(random.Random(seed))


@pytest.mark.parametrize("kind", IdentifierType)
def test_an_invented_identifier_is_valid_and_nobodys(kind: IdentifierType) -> None:
    drawn = source(1)
    draw = {
        IdentifierType.PHONE: drawn.phone,
        IdentifierType.BANK_ACCOUNT: drawn.account,
        IdentifierType.VEHICLE_PLATE: drawn.plate,
        IdentifierType.HANDLE: drawn.handle,
    }[kind]

    found = [draw() for _ in range(300)]

    assert all(NOBODYS[kind].fullmatch(each.form) for each in found)
    assert len({each.form for each in found}) == len(found)  # what coincides does so on purpose


def test_every_spelling_has_the_same_normal_form() -> None:
    chance, drawn = random.Random(2), source(2)
    for _ in range(100):
        for invented in (drawn.phone(), drawn.account(), drawn.plate(), drawn.handle()):
            for _ in range(5):
                assert normalize(invented.type, spell(invented, chance)).value == invented.form


def test_numbers_of_address_books_have_a_stretch_of_their_own() -> None:
    drawn = source(3)

    assert all(drawn.phone(address_book=True).form.startswith("+812049") for _ in range(100))
    assert not any(drawn.phone().form.startswith("+812049") for _ in range(500))
