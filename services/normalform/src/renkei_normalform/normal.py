"""The one way in: admit the text, let its type read it, stamp the version and the strength."""

from collections.abc import Callable
from typing import Final

from renkei_normalform import (
    accounts,
    devices,
    handles,
    invitations,
    modus,
    names,
    phones,
    places,
    plates,
    platform_ids,
    wallets,
)
from renkei_normalform.forms import VERSION, IdentifierType, NormalForm, strength_of
from renkei_normalform.refusal import NotAnIdentifier
from renkei_normalform.text import admit

# A new type is a module with one such function, a line here, and vectors.
_READERS: Final[dict[IdentifierType, Callable[[str], str]]] = {
    IdentifierType.PHONE: phones.read,
    IdentifierType.BANK_ACCOUNT: accounts.read,
    IdentifierType.HANDLE: handles.read,
    IdentifierType.VEHICLE_PLATE: plates.read,
    IdentifierType.IMEI: devices.read_imei,
    IdentifierType.ICCID: devices.read_iccid,
    IdentifierType.IMSI: devices.read_imsi,
    IdentifierType.PLATFORM_ACCOUNT_ID: platform_ids.read,
    IdentifierType.INVITE_LINK: invitations.read,
    IdentifierType.PLACE: places.read,
    IdentifierType.CRYPTO_WALLET: wallets.read,
    IdentifierType.DISPLAY_NAME: names.read,
    IdentifierType.MODUS_OPERANDI: modus.read,
}


def normalize(identifier_type: IdentifierType, text: str) -> NormalForm:
    """Return the normal form of one identifier, or raise NotAnIdentifier and nothing else.

    The text is one identifier of that type in any usual spelling, not prose around it. A normal form reads as itself:
    `normalize(t, normalize(t, text).value) == normalize(t, text)`.
    """
    try:
        value = _READERS[identifier_type](admit(text))
    except NotAnIdentifier as refused:
        raise NotAnIdentifier(refused.reason, identifier_type) from None
    return NormalForm(type=identifier_type, value=value, version=VERSION, strength=strength_of(identifier_type, value))
