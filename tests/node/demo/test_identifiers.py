from __future__ import annotations

import random

import phonenumbers
import pytest

from renkei_node.demo.identifiers import IdentifierSource, spell
from renkei_normalform import IdentifierType, normalize
from renkei_normalform.plate_places import PLACES

MANY = 200


@pytest.fixture
def source() -> IdentifierSource:
    return IdentifierSource(random.Random(5))


def test_every_number_is_valid_and_of_the_pagers_range_that_nobody_has(source: IdentifierSource) -> None:
    for _ in range(MANY):
        number = phonenumbers.parse(source.phone().form, "JP")

        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.PAGER


def test_numbers_of_address_books_have_a_stretch_of_their_own(source: IdentifierSource) -> None:
    assert all(source.phone(address_book=True).form.startswith("+812049") for _ in range(MANY))
    assert not any(source.phone().form.startswith("+812049") for _ in range(MANY))


def test_every_bank_code_is_one_that_no_bank_has(source: IdentifierSource) -> None:
    assert all("0990" <= source.account().form.split("-")[0] <= "0999" for _ in range(MANY))


def test_every_plate_is_of_a_real_place_and_ends_as_no_plate_does(source: IdentifierSource) -> None:
    for _ in range(MANY):
        place, _, _, serial = source.plate().form.split("-")

        assert place in PLACES
        assert serial.endswith(("42", "49"))


def test_every_spelling_has_the_normal_form_of_its_identifier(source: IdentifierSource) -> None:
    chance = random.Random(6)
    for draw in (source.phone, source.account, source.handle, source.plate):
        for _ in range(MANY):
            invented = draw()

            assert normalize(IdentifierType(invented.type), spell(invented, chance)).value == invented.form


def test_nothing_is_drawn_twice(source: IdentifierSource) -> None:
    drawn = [source.plate().form for _ in range(2_000)]

    assert len(set(drawn)) == len(drawn)
