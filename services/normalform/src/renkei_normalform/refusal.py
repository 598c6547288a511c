"""Say why a text is no identifier, without ever repeating the text: it may be personal data, and errors are logged."""

from enum import StrEnum
from typing import Final

from renkei_normalform.forms import IdentifierType


class Reason(StrEnum):
    """Name why a text was refused; programs branch on it, `NotAnIdentifier` turns it into words."""

    EMPTY = "EMPTY"
    TOO_LONG = "TOO_LONG"
    CONTROL_CHARACTER = "CONTROL_CHARACTER"
    BROKEN_TEXT = "BROKEN_TEXT"
    UNEXPECTED_CHARACTER = "UNEXPECTED_CHARACTER"
    WRONG_SHAPE = "WRONG_SHAPE"
    NO_PREFIX = "NO_PREFIX"
    NOT_A_NUMBER_IN_USE = "NOT_A_NUMBER_IN_USE"
    SPECIAL_NUMBER = "SPECIAL_NUMBER"
    HAS_EXTENSION = "HAS_EXTENSION"
    KIND_MISSING = "KIND_MISSING"
    KIND_UNKNOWN = "KIND_UNKNOWN"
    ALL_ZERO = "ALL_ZERO"
    PLATFORM_MISSING = "PLATFORM_MISSING"
    NOT_A_PROFILE = "NOT_A_PROFILE"
    PLACE_UNKNOWN = "PLACE_UNKNOWN"
    CLASS_UNKNOWN = "CLASS_UNKNOWN"
    KANA_UNKNOWN = "KANA_UNKNOWN"
    BANK_UNKNOWN = "BANK_UNKNOWN"
    BRANCH_UNKNOWN = "BRANCH_UNKNOWN"
    WRONG_CHECK_DIGIT = "WRONG_CHECK_DIGIT"
    CHAIN_UNKNOWN = "CHAIN_UNKNOWN"
    NOT_AN_INVITATION = "NOT_AN_INVITATION"
    MUNICIPALITY_UNKNOWN = "MUNICIPALITY_UNKNOWN"
    TOWN_UNKNOWN = "TOWN_UNKNOWN"
    TWO_PLACES = "TWO_PLACES"
    BLOCK_MISSING = "BLOCK_MISSING"
    TOO_COARSE = "TOO_COARSE"


_WORDS: Final = {
    Reason.EMPTY: "nothing is left once blanks and invisible characters are gone",
    Reason.TOO_LONG: "the text is longer than any identifier",
    Reason.CONTROL_CHARACTER: "the text holds a control character",
    Reason.BROKEN_TEXT: "the text holds a lone surrogate, an unassigned or a private-use (外字) character",
    Reason.UNEXPECTED_CHARACTER: "the text holds a character that no spelling of this type has",
    Reason.WRONG_SHAPE: "the parts are missing, in the wrong order or of the wrong length",
    Reason.NO_PREFIX: "without 0 or a country code the number could be of any country",
    Reason.NOT_A_NUMBER_IN_USE: "no numbering plan has such a number",
    Reason.SPECIAL_NUMBER: "a short service number such as 110 stands for no subscriber",
    Reason.HAS_EXTENSION: "a line with an extension or tones behind it is shared by many people",
    Reason.KIND_MISSING: "the kind of account (普通, 当座, 貯蓄) is missing",
    Reason.KIND_UNKNOWN: "the kind of account is none of 普通 1, 当座 2, 貯蓄 4",
    Reason.ALL_ZERO: "a field filled with zeros was left blank by somebody",
    Reason.PLATFORM_MISSING: "neither a platform nor an @ is written",
    Reason.NOT_A_PROFILE: "the link leads to a post, an invitation or a page of the platform, not to an account",
    Reason.PLACE_UNKNOWN: "the plate begins with no place name in use",
    Reason.CLASS_UNKNOWN: "no such classification number is issued",
    Reason.KANA_UNKNOWN: "no plate bears this kana or letter",
    Reason.BANK_UNKNOWN: "no bank has this name, or several have",
    Reason.BRANCH_UNKNOWN: "the bank has no branch of this name, or several",
    Reason.WRONG_CHECK_DIGIT: "the check digits do not fit: a sign was misread, or it is none",
    Reason.CHAIN_UNKNOWN: "without a check sum the chain must be written, and it is not",
    Reason.NOT_AN_INVITATION: "the link invites into no group and hides no account",
    Reason.MUNICIPALITY_UNKNOWN: "no municipality of Japan stands at the front",
    Reason.TOWN_UNKNOWN: "the municipality has no such town",
    Reason.TWO_PLACES: "several places have this name",
    Reason.BLOCK_MISSING: "a town without its block is an area and no address",
    Reason.TOO_COARSE: "the coordinates are too coarse to mean a place",
}


class NotAnIdentifier(ValueError):  # noqa: N818 (it says what the text is)
    """Refuse a text; `reason` is for programs, the message for people, and neither holds any of the text."""

    def __init__(self, reason: Reason, identifier_type: IdentifierType | None = None) -> None:
        """Take the reason and, where one was asked for, the type."""
        super().__init__(reason, identifier_type)
        self.reason = reason
        self.identifier_type = identifier_type

    def __str__(self) -> str:
        """Return one of a fixed set of sentences."""
        asked = self.identifier_type.value if self.identifier_type else "identifier"
        return f"not a normal {asked}: {_WORDS[self.reason]} ({self.reason.value})"
