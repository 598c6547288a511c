"""What a normal form is: its type, its value, the version of the rules that made it, and how much it proves."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Two agencies compare values only when their versions are equal: skew would miss links without a sign.
# Raise it with every change that gives any accepted text another value, refuses it, or accepts what was refused
# (a new version of phonenumbers that moves a Japanese range, or of a table in hatch_build.py, counts as such a change).
VERSION: Final = 2

UNKNOWN_PLATFORM: Final = "unknown"


class IdentifierType(StrEnum):
    """Name the kinds of identifier that have a normal form, as the contract's enum does without its prefix."""

    PHONE = "PHONE"
    BANK_ACCOUNT = "BANK_ACCOUNT"
    HANDLE = "HANDLE"
    VEHICLE_PLATE = "VEHICLE_PLATE"
    IMEI = "IMEI"
    ICCID = "ICCID"
    IMSI = "IMSI"
    PLATFORM_ACCOUNT_ID = "PLATFORM_ACCOUNT_ID"
    INVITE_LINK = "INVITE_LINK"
    PLACE = "PLACE"
    CRYPTO_WALLET = "CRYPTO_WALLET"
    DISPLAY_NAME = "DISPLAY_NAME"
    MODUS_OPERANDI = "MODUS_OPERANDI"


class Strength(StrEnum):
    """Say what one shared identifier may do: STRONG links, MEDIUM links inside its time span, WEAK only supports."""

    STRONG = "STRONG"
    MEDIUM = "MEDIUM"
    WEAK = "WEAK"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalForm:
    """Hold one identifier in normal form; two forms are the same identifier if and only if they are equal."""

    type: IdentifierType
    value: str
    version: int
    strength: Strength


_STRENGTHS: Final = {
    IdentifierType.PHONE: Strength.STRONG,
    IdentifierType.BANK_ACCOUNT: Strength.STRONG,
    IdentifierType.HANDLE: Strength.MEDIUM,
    IdentifierType.VEHICLE_PLATE: Strength.STRONG,
    IdentifierType.IMEI: Strength.STRONG,
    IdentifierType.ICCID: Strength.STRONG,
    IdentifierType.IMSI: Strength.STRONG,
    IdentifierType.PLATFORM_ACCOUNT_ID: Strength.STRONG,
    # A link is revoked and the group behind it changes; a house gets other tenants.
    IdentifierType.INVITE_LINK: Strength.MEDIUM,
    IdentifierType.PLACE: Strength.MEDIUM,
    IdentifierType.CRYPTO_WALLET: Strength.STRONG,
    IdentifierType.DISPLAY_NAME: Strength.WEAK,
    IdentifierType.MODUS_OPERANDI: Strength.WEAK,
}


def strength_of(identifier_type: IdentifierType, value: str = "") -> Strength:
    """Return the strength of a type or, when its normal form `value` is given, of that very identifier.

    Give the value wherever there is one: a handle whose platform nobody wrote down is WEAK, since the same name on two
    platforms is two people. Only the caller knows a plate to be stolen, and lowers it to MEDIUM.
    """
    if identifier_type is IdentifierType.HANDLE and value.startswith(f"{UNKNOWN_PLATFORM}:"):
        return Strength.WEAK
    return _STRENGTHS[identifier_type]
