"""Check whether an invented value hits a real record that this agency can see.

The values of real records are kept here as keyed hashes, out of the logs that this service follows. So the check asks
nobody, works when cut off, and no invented value is ever told to another service. What was once seen stays: an
invented value that hits a deleted record is refused too. What is compared: names of persons, every identifier, and the
names and addresses that stand in any text of a record.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
from sqlalchemy import select

from renkei_normalform import IdentifierType as Kind
from renkei_normalform import NotAnIdentifier, normalize
from renkei_personas.addresses import addresses_in, ends_in, one_way
from renkei_personas.mentions import names_in
from renkei_personas.store.tables import seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event
    from renkei.identifiers.v1.identifiers_pb2 import Identifier, Occurrence
    from renkei.personas.v1.documents_pb2 import Legend
    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction

_TAG: Final = b"renkei-collision-v1\0"
_HASH_BYTES: Final = 16
_SHORTEST: Final = 4
_BATCH: Final = 500
_BETWEEN_NAMES: Final = re.compile(r"[\s・,、=]+")


class Collisions:
    """The values of real records, as keyed hashes."""

    def __init__(self, secret: bytes) -> None:
        """Take the database's secret: without it the hashes tell nothing."""
        self._key = hashlib.sha256(_TAG + secret).digest()

    def hit(self, connection: Connection | Transaction, legend: Legend) -> str:
        """Name the field of a legend that hits a real record; empty if none does."""
        for field, values in _invented(legend):
            hashes = [self._hash(value) for value in values]
            if hashes and connection.execute(select(seen.c.hash).where(seen.c.hash.in_(hashes))).first() is not None:
                return field
        return ""

    def learn_tip(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several)
        """Note the values of a tip."""
        del event
        self._learn_identified(transaction, payload, payload.tip.identifiers)

    def learn_opinion(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several)
        """Note the values of an opinion or a sighting."""
        del event
        self._learn_identified(transaction, payload, payload.opinion.identifiers)

    def learn_arrest(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several)
        """Note the values of an arrest, and the person's names where they are told."""
        del event
        arrest = payload.arrest
        items = (one.identifier for item in arrest.seized_items for one in item.identifiers)
        names = [("name", text) for text in (arrest.person.display_name, arrest.person.kana) if text]
        found = [*_identified(items), *((kind, plain(text)) for kind, text in names), *_written_in(payload)]
        self._learn(transaction, found)

    def _learn_identified(self, transaction: Transaction, payload: Message, occurrences: Iterable[Occurrence]) -> None:
        identified = _identified(one.identifier for one in occurrences)
        self._learn(transaction, [*identified, *_written_in(payload)])

    def _learn(self, transaction: Transaction, values: Iterable[tuple[str, str]]) -> None:
        for value in values:
            if value[1]:
                transaction.collect(_store, self._hash(value))

    def _hash(self, value: tuple[str, str]) -> bytes:
        kind, text = value
        return hmac.digest(self._key, f"{kind}\0{text}".encode(), "sha256")[:_HASH_BYTES]


def plain(text: str) -> str:
    """Make two spellings of a name, address or number equal: NFKC, no case, letters and digits alone."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def _store(transaction: Transaction, hashes: Sequence[bytes]) -> None:
    fresh = list(dict.fromkeys(hashes))
    for start in range(0, len(fresh), _BATCH):
        part = fresh[start : start + _BATCH]
        known = {bytes(row.hash) for row in transaction.execute(select(seen.c.hash).where(seen.c.hash.in_(part)))}
        for value in part:
            if value not in known:
                transaction.insert(seen, {"hash": value})


def _identified(identifiers: Iterable[Identifier]) -> Iterator[tuple[str, str]]:
    for identifier in identifiers:
        if identifier.normal_form:
            yield IdentifierType.Name(identifier.type), identifier.normal_form
        for number in {plain(identifier.normal_form), plain(identifier.original)}:  # as it is read, and as written
            if len(number) >= _SHORTEST:
                yield "number", number


def _written_in(message: Message) -> Iterator[tuple[str, str]]:
    """Find names and addresses in every text of a record."""
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if field.type == field.TYPE_MESSAGE:
                yield from _written_in(item)
            elif field.type == field.TYPE_STRING:
                yield from (("address", address) for address in addresses_in(item))
                yield from (("end", end) for end in ends_in(item))
                yield from (("name", plain(name)) for name in names_in(item))


def _written(address: str) -> set[str]:
    return {one_way(address), *addresses_in(address)} - {""}


def _invented(legend: Legend) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "document.legend.display_name", _names(legend.display_name)
    yield (
        "document.legend.address",
        [
            *(("address", text) for text in _written(legend.address)),
            *(("end", text) for text in ends_in(legend.address)),
        ],
    )
    yield "document.legend.number", _given("number", legend.number)
    yield "document.legend.phone", [*_given("number", legend.phone), *_normal(Kind.PHONE, legend.phone)]
    yield "document.legend.account", [*_given("number", legend.account), *_normal(Kind.BANK_ACCOUNT, legend.account)]


def _names(text: str) -> list[tuple[str, str]]:
    """Give a name as it is, and with its two parts the other way round: whoever wrote it down may have turned them."""
    parts = _BETWEEN_NAMES.split(text.strip())
    turned = "".join(parts[::-1]) if len(parts) == len(("family", "given")) else ""
    return [*_given("name", text), *_given("name", turned)]


def _given(kind: str, text: str) -> list[tuple[str, str]]:
    value = plain(text)
    return [(kind, value)] if value else []


def _normal(kind: Kind, text: str) -> list[tuple[str, str]]:
    try:
        form = normalize(kind, text)
    except NotAnIdentifier:
        return []
    return [(f"IDENTIFIER_TYPE_{kind.name}", form.value)]
