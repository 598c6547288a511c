"""An identifier in normal form: what two records are compared by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from renkei_normalform import VERSION, IdentifierType, NotAnIdentifier, Strength, normalize, strength_of

# By the numbers of the contract's enum, which the rules must not import. A test compares the two.
TYPES: Final = {
    1: IdentifierType.PHONE,
    2: IdentifierType.BANK_ACCOUNT,
    3: IdentifierType.HANDLE,
    4: IdentifierType.VEHICLE_PLATE,
    5: IdentifierType.IMEI,
    6: IdentifierType.ICCID,
    7: IdentifierType.IMSI,
    8: IdentifierType.PLATFORM_ACCOUNT_ID,
    9: IdentifierType.INVITE_LINK,
    10: IdentifierType.PLACE,
    11: IdentifierType.CRYPTO_WALLET,
    12: IdentifierType.DISPLAY_NAME,
    13: IdentifierType.MODUS_OPERANDI,
}


def normal_form(kind: str, original: str) -> tuple[str, int]:
    """Give the normal form of an identifier and the version of the rules; "" where it cannot be read as its kind."""
    try:
        form = normalize(IdentifierType(kind), original)
    except NotAnIdentifier:
        return "", VERSION
    return form.value, form.version


@dataclass(frozen=True, slots=True)
class Identifier:
    """A normal form with its type and the version of the rules that made it; equal only if all three are."""

    type: int
    """The contract's number, perhaps of a type that this program does not know yet."""
    version: int
    form: str

    @property
    def key(self) -> str:
        """Write it as one text, by which it is stored and looked up."""
        return f"{self.type}:{self.version}:{self.form}"

    @classmethod
    def from_key(cls, key: str) -> Identifier:
        """Read what `key` wrote."""
        kind, version, form = key.split(":", 2)
        return cls(int(kind), int(version), form)

    @property
    def strength(self) -> Strength | None:
        """Say how well it links; None for a type that is not known yet: it links and supports nothing."""
        known = TYPES.get(self.type)
        return strength_of(known, self.form) if known is not None else None
