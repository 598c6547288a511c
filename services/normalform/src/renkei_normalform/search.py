"""Search by a part of an identifier: fold query and stored form alike, then look for the one inside the other."""

import re
from typing import Final

from renkei_normalform import accounts, handles, invitations, places, platform_ids, wallets
from renkei_normalform.accounts import KINDS
from renkei_normalform.forms import UNKNOWN_PLATFORM
from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES, DIGITS, HIRAGANA, KANJI_DIGITS, LOOK_ALIKES, admit
from renkei_normalform.variants import fold_variants

_KIND_WORDS: Final = re.compile("普通|当座|貯蓄")
_BLOCK_WORDS: Final = re.compile("(?<=[0-9])(?:丁目?|番地?|号)")
_ZEROS_OF_A_PLATE: Final = re.compile(r"(?<=[ぁ-ん])0+(?=[1-9])")
_LENGTH_MARKS: Final = str.maketrans("", "", DASHES)
_CALLER_ID: Final = re.compile(r"18[46]0(?=.)")
_ENOUGH_DIGITS: Final = 2


def search_key(value: str) -> str:
    """Return what partial search looks into, for a value in normal form: +819012345678 gives 819012345678."""
    return _fold(value)


def search_fragment(text: str) -> str:
    """Return what to look for: a part of any identifier matches when `search_fragment(text) in search_key(value)`.

    The type need not be known. A number that begins with 0 loses that one 0, because Japanese numbers are stored
    behind +81 without it: 090-1234 gives 901234. As only the front is cut, parts of other types still match: 0999-001
    gives 999001. Short fragments match much, so the caller sets a minimum.
    Raises NotAnIdentifier for a text that holds nothing to look for.
    """
    admitted = admit(text)
    if whole := _whole(admitted):
        return whole
    folded = _fold(admitted)
    if not folded:
        raise NotAnIdentifier(Reason.EMPTY)
    digits = _as_digits(folded)
    return _without_dialling(digits, plus=admitted.lstrip("( ").startswith("+")) if digits else folded


def _fold(text: str) -> str:
    # A length mark between digits is a dash; no normal form holds one.
    text = _KIND_WORDS.sub(lambda kind: KINDS[kind[0]], text).translate(_LENGTH_MARKS)
    text = fold_variants(text).translate(KANJI_DIGITS).lower().translate(HIRAGANA)
    text = _BLOCK_WORDS.sub("-", text)
    return _ZEROS_OF_A_PLATE.sub("", "".join(filter(str.isalnum, text)))


def _whole(text: str) -> str:
    """Return the key of an identifier that is whole and written otherwise than its form: a link, an address, a bank."""
    # What begins with a digit is a number or a part of one, and those fold without being read.
    if "0" <= text[0] <= "9" and not text.startswith(("0x", "0X")):
        return ""
    for read in (handles.read, invitations.read, platform_ids.read, wallets.read, places.read, accounts.read):
        try:
            value = read(text)
        except NotAnIdentifier:
            continue
        if not value.startswith(UNKNOWN_PLATFORM):
            return search_key(value)
    return ""


def _as_digits(folded: str) -> str:
    """Return a query that can only be a number, else nothing; look-alike letters count where digits prevail."""
    digits = sum(character in "0123456789" for character in folded)
    look_alikes = sum(character in LOOK_ALIKES for character in folded)
    prevail = not look_alikes or (digits >= _ENOUGH_DIGITS and digits > look_alikes)
    return folded.translate(DIGITS) if prevail and digits + look_alikes == len(folded) else ""


def _without_dialling(digits: str, *, plus: bool) -> str:
    """Cut what is dialled but not stored; what remains is the end of what was written, save behind an explicit +81."""
    if plus:
        return "81" + digits[3:] if digits.startswith("810") else digits
    for abroad in ("01081", "0081"):
        if digits.startswith(abroad):
            national = digits.removeprefix(abroad)
            return national[1:] if national.startswith("0") and national[1:] else "81" + national
    if digits.startswith("010") and digits[3:]:
        return digits[3:]
    if _CALLER_ID.match(digits):
        return digits[4:]
    return digits[1:] if digits.startswith("0") and digits[1:] else digits
