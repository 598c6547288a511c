"""What holds for every text, not only for the vectors."""

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_normalform import (
    MAX_CHARACTERS,
    VERSION,
    IdentifierType,
    NotAnIdentifier,
    Reason,
    Strength,
    normalize,
    strength_of,
)
from tests.normalform import spellings

_KINDS = st.sampled_from(IdentifierType)
_SENTENCES = {str(NotAnIdentifier(reason, kind)) for reason in Reason for kind in IdentifierType}
# Text made of what the readers look for, so that it comes far into them.
_NEARLY = st.text(
    st.sampled_from(
        "0123456789０一〇Ol+-－ー・.（）()@:/ 　品川横浜三重あしアY普通当座銀行支店"
        "xtme.com_aAtel内線東京都新宿区西大字丁目番地みずほ々#\u200b\u202e\x00\ud800\ue000"
    ),
    max_size=40,
)
_ANY = st.text(st.characters(), max_size=80) | _NEARLY


@given(_KINDS, _ANY)
def test_any_text_gives_a_form_or_a_refusal_in_fixed_words(kind: IdentifierType, text: str) -> None:
    """The error goes into logs and answers: it is one of a closed set of sentences, so no input can be in it."""
    try:
        form = normalize(kind, text)
    except NotAnIdentifier as refused:
        assert str(refused) in _SENTENCES  # noqa: PT017 (both outcomes are right)
        assert refused.__cause__ is None  # noqa: PT017
        assert refused.args == (refused.reason, kind)  # noqa: PT017
    else:
        assert form.version == VERSION


@given(_KINDS, _ANY)
def test_a_normal_form_reads_as_itself(kind: IdentifierType, text: str) -> None:
    try:
        form = normalize(kind, text)
    except NotAnIdentifier:
        return

    assert normalize(kind, form.value) == form


@given(st.integers(1, 999), st.text("0123456789", min_size=5, max_size=13))
def test_a_foreign_number_in_normal_form_reads_as_itself(country: int, digits: str) -> None:
    """Numbering plans drop prefixes as they are read; none may drop another from what is left."""
    try:
        form = normalize(IdentifierType.PHONE, f"+{country}{digits}")
    except NotAnIdentifier:
        return

    assert normalize(IdentifierType.PHONE, form.value) == form


@given(spellings.phones())
def test_a_phone_lands_on_one_form_however_it_is_spelled(case: tuple[str, str]) -> None:
    value, text = case

    assert normalize(IdentifierType.PHONE, text).value == value


@given(spellings.accounts())
def test_an_account_lands_on_one_form_however_it_is_spelled(case: tuple[str, str]) -> None:
    value, text = case

    assert normalize(IdentifierType.BANK_ACCOUNT, text).value == value


@given(spellings.plates())
def test_a_plate_lands_on_one_form_however_it_is_spelled(case: tuple[str, str]) -> None:
    value, text = case

    assert normalize(IdentifierType.VEHICLE_PLATE, text).value == value


@given(spellings.handles())
def test_a_handle_lands_on_one_form_however_it_is_spelled(case: tuple[str, str]) -> None:
    value, text = case

    assert normalize(IdentifierType.HANDLE, text).value == value


@given(spellings.imeis())
def test_a_device_lands_on_one_form_however_it_is_spelled(case: tuple[str, str]) -> None:
    value, text = case

    assert normalize(IdentifierType.IMEI, text).value == value


@given(spellings.imeis(), st.integers(0, 14), st.integers(1, 9))
def test_a_digit_of_a_device_that_was_misread_is_seen(case: tuple[str, str], place: int, shift: int) -> None:
    value, _ = case
    misread = value[:place] + str((int(value[place]) + shift) % 10) + value[place + 1 :]

    with pytest.raises(NotAnIdentifier):
        normalize(IdentifierType.IMEI, misread)


@given(spellings.wallets(), st.data())
def test_a_sign_of_a_wallet_that_was_misread_is_seen(case: tuple[str, str], data: st.DataObject) -> None:
    """Base58 leaves out look-alikes because people read addresses aloud; the check sum finds the rest."""
    value, text = case
    place = data.draw(st.integers(1, len(text) - 1))
    other = data.draw(
        st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789").filter(lambda c: c != text[place])
    )

    assert normalize(IdentifierType.CRYPTO_WALLET, text).value == value
    with pytest.raises(NotAnIdentifier):
        normalize(IdentifierType.CRYPTO_WALLET, text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("kind", IdentifierType)
@pytest.mark.parametrize(
    "unit",
    [
        "0",
        "-",
        "(",
        "+",
        "a",
        "a_",
        "a.",
        "_",
        "あ",
        "・",
        "普",
        "銀行",
        "口座番号",
        "x",
        "x ",
        "@",
        "/",
        "https://",
        "m.",
        "品川",
        "0-",
        "新宿区",
        "新宿区西新宿",
        "北1条西",
        "大字",
        "みずほ銀行",
        "35.",
        "0x",
        "bc1q",
        "[.]",
        "(at)",
        "々",
    ],
)
def test_the_longest_hostile_text_is_answered_without_a_search_for_needles(kind: IdentifierType, unit: str) -> None:
    """A pattern that backtracks would never end on one of these; the time limit of the test is the judge."""
    longest = (unit * MAX_CHARACTERS)[: MAX_CHARACTERS - 1] + "!"

    if kind is IdentifierType.DISPLAY_NAME:
        longest += "\x00"  # almost any text is a name

    with pytest.raises(NotAnIdentifier):
        normalize(kind, longest)


def test_a_text_of_the_longest_length_is_read_and_one_longer_is_not() -> None:
    padded = "090-1234-5678".ljust(MAX_CHARACTERS)

    assert normalize(IdentifierType.PHONE, padded).value == "+819012345678"
    with pytest.raises(NotAnIdentifier, match=Reason.TOO_LONG):
        normalize(IdentifierType.PHONE, f"{padded} ")


def test_only_a_handle_without_platform_is_weaker_than_its_type() -> None:
    """The same name on two platforms is two people, so it may support a lead and never make one."""
    unknown = normalize(IdentifierType.HANDLE, "@renkei_demo_01")
    known = normalize(IdentifierType.HANDLE, "X @renkei_demo_01")

    assert unknown.strength is Strength.WEAK
    assert known.strength is Strength.MEDIUM
    assert strength_of(IdentifierType.HANDLE) is Strength.MEDIUM
    assert strength_of(IdentifierType.PHONE, "unknown:") is Strength.STRONG


@pytest.mark.parametrize(
    ("strength", "kinds"),
    [
        (Strength.STRONG, "PHONE BANK_ACCOUNT VEHICLE_PLATE IMEI ICCID IMSI PLATFORM_ACCOUNT_ID CRYPTO_WALLET"),
        (Strength.MEDIUM, "HANDLE INVITE_LINK PLACE"),
        (Strength.WEAK, "DISPLAY_NAME MODUS_OPERANDI"),
    ],
)
def test_every_type_is_as_strong_as_the_table_of_the_domain_says(strength: Strength, kinds: str) -> None:
    assert {kind.value for kind in IdentifierType if strength_of(kind) is strength} == set(kinds.split())


def test_a_refusal_survives_the_way_between_processes() -> None:
    refused = NotAnIdentifier(Reason.ALL_ZERO, IdentifierType.BANK_ACCOUNT)

    assert str(pickle.loads(pickle.dumps(refused))) == str(refused)  # noqa: S301 (our own bytes)


def test_importing_the_package_leaves_the_number_plans_unread() -> None:
    """A command that only prints its help must not pay for them."""
    code = "import sys, renkei_normalform; sys.exit('phonenumbers' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
