"""Check whether an invented value hits a real record that this agency can see.

The values of real records are kept here as keyed hashes, out of the logs that this service follows. So the check asks
nobody, works when cut off, and no invented value is ever told to another service. What was once seen stays: an
invented value that hits a deleted record is refused too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from renkei_normalform import IdentifierType as Kind
from renkei_normalform import NotAnIdentifier, folded_name, normalize
from renkei_personas.addresses import addresses_in, ends_in, one_way
from renkei_personas.mentions import numbers_in
from renkei_personas.store.tables import seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from renkei.personas.v1.documents_pb2 import Legend
    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction

_TAG: Final = b"renkei-collision-v1\0"
_HASH_BYTES: Final = 16
_JAPAN: Final = "81"
_BETWEEN_NAMES: Final = re.compile(r"[\s・,、=]+")


class Collisions:
    """Invented values beside those of real records, all as keyed hashes."""

    def __init__(self, secret: bytes) -> None:
        """Take the database's secret: without it the hashes tell nothing."""
        self._keyed = hmac.new(hashlib.sha256(_TAG + secret).digest(), digestmod="sha256")

    def hit(self, connection: Connection | Transaction, legend: Legend) -> str:
        """Name the field of a legend that hits a real record; empty if none does."""
        hashes = {value for values in self._hashes(legend).values() for value in values}
        found = connection.execute(select(seen.c.hash).where(seen.c.hash.in_(sorted(hashes))))
        return self.hit_among(legend, {bytes(row.hash) for row in found})

    def hit_among(self, legend: Legend, hashes: Collection[bytes]) -> str:
        """Name the field of a legend that hits one of some values; empty if none does."""
        return next((field for field, own in self._hashes(legend).items() if not own.isdisjoint(hashes)), "")

    def hash(self, value: tuple[str, str]) -> bytes:
        """Hash a value of a kind."""
        kind, text = value
        keyed = self._keyed.copy()  # a key costs more than a word
        keyed.update(f"{kind}\0{text}".encode())
        return keyed.digest()[:_HASH_BYTES]

    def _hashes(self, legend: Legend) -> dict[str, set[bytes]]:
        return {field: {self.hash(value) for value in values} for field, values in _invented(legend)}


def plain(text: str) -> str:
    """Make two spellings of a name or number equal: letters and digits alone, one kana, variant characters as one."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded_name(folded if folded.isalnum() else "".join(filter(str.isalnum, folded)))


def spellings(name: str) -> set[str]:
    """Give a name as it is, and with its two parts the other way round: whoever wrote it down may have turned them."""
    parts = _BETWEEN_NAMES.split(name.strip())
    turned = "".join(parts[::-1]) if len(parts) == len(("family", "given")) else ""
    return {plain(name), plain(turned)} - {""}


def _written(address: str) -> set[str]:
    return {one_way(address), *addresses_in(address)} - {""}


def _invented(legend: Legend) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "document.legend.display_name", [("name", name) for name in spellings(legend.display_name)]
    yield (
        "document.legend.address",
        [
            *(("address", text) for text in _written(legend.address)),
            *(("end", text) for text in ends_in(legend.address)),
        ],
    )
    yield "document.legend.number", _numbers(legend.number)
    phone = _normal(Kind.PHONE, legend.phone)
    abroad = [plain(value) for _, value in phone]
    at_home = [f"0{value.removeprefix(_JAPAN)}" for value in abroad if value.startswith(_JAPAN)]
    yield "document.legend.phone", [*_numbers(legend.phone, *abroad, *at_home), *phone]
    yield "document.legend.account", [*_numbers(legend.account), *_normal(Kind.BANK_ACCOUNT, legend.account)]


def _numbers(*texts: str) -> list[tuple[str, str]]:
    """Give numbers as they are, and what of them would be found in words."""
    values = {plain(run) for text in texts for run in (text, *numbers_in(text))}
    return [("number", value) for value in sorted(values - {""})]


def _normal(kind: Kind, text: str) -> list[tuple[str, str]]:
    try:
        form = normalize(kind, text)
    except NotAnIdentifier:
        return []
    return [(f"IDENTIFIER_TYPE_{kind.name}", form.value)]
