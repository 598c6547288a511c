"""Learn what real records say, and compare the documents that are out with what is new of it.

What is learned: names of persons, every identifier, and the names, addresses and numbers that stand in any text of a
record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import events_pb2 as arrests
from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
from renkei.personas.v1.documents_pb2 import Legend
from renkei.tips.v1 import events_pb2 as tips

from renkei_personas.addresses import addresses_in, ends_in
from renkei_personas.collisions import plain
from renkei_personas.domain.case import Act
from renkei_personas.domain.decide import CLOCK_ROLE
from renkei_personas.domain.table import ROWS
from renkei_personas.mentions import names_in, numbers_in
from renkei_personas.store import cases, records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event
    from renkei.identifiers.v1.identifiers_pb2 import Identifier, Occurrence

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.follower.apply import Handler
    from renkei_personas.acts import Acts
    from renkei_personas.collisions import Collisions

_TIPS: Final = (tips.TipRecorded, tips.TipRevised, tips.TipRestored, tips.TipReleased)
_OPINIONS: Final = (tips.OpinionRecorded, tips.OpinionRevised, tips.OpinionRestored, tips.OpinionReleased)
_ARRESTS: Final = (
    arrests.ArrestRecorded,
    arrests.ArrestRevised,
    arrests.ArrestRestored,
    arrests.ArrestReleased,
    arrests.DispositionRecorded,
)
_SHORTEST: Final = 4
_COLLIDE: Final = ROWS["COLLIDE"]


class Learning:
    """What records of tips and arrests do here. Safe to repeat: what is known already does nothing."""

    def __init__(self, *, acts: Acts, collisions: Collisions) -> None:
        """Take what carries acts out, and what hashes and compares."""
        self._acts = acts
        self._collisions = collisions

    def handlers(self) -> Mapping[str, Handler]:
        """Give the handlers by event type: of our own records, and of those that the exchange brings."""
        of_tips = {kind.DESCRIPTOR.full_name: self._tip for kind in _TIPS}
        of_opinions = {kind.DESCRIPTOR.full_name: self._opinion for kind in _OPINIONS}
        of_arrests = {kind.DESCRIPTOR.full_name: self._arrest for kind in _ARRESTS}
        return {**of_tips, **of_opinions, **of_arrests}

    def _tip(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several)
        del event
        self._learn_identified(transaction, payload, payload.tip.identifiers)

    def _opinion(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several)
        del event
        self._learn_identified(transaction, payload, payload.opinion.identifiers)

    def _arrest(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several)
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
        for value in dict.fromkeys(values):  # a word that a record says ten times is learned once
            if value[1]:
                transaction.collect(self._store, self._collisions.hash(value))

    def _store(self, transaction: Transaction, hashes: Sequence[bytes]) -> None:
        fresh = records.remember_seen(transaction, hashes)
        if fresh:
            self._compare(transaction, fresh)

    def _compare(self, transaction: Transaction, fresh: Collection[bytes]) -> None:
        """Let each document that is out and says one of these values wait until somebody has looked at it."""
        for row in records.documents_at(transaction, _COLLIDE.papers or ()):
            if self._collisions.hit_among(Legend.FromString(row.legend), fresh):
                self._collide(transaction, bytes(row.persona), bytes(row.id))

    def _collide(self, transaction: Transaction, persona: bytes, document: bytes) -> None:
        self._acts.let_clocks_strike(transaction, persona)  # what ended meanwhile needs no look any more
        before = cases.load(transaction, persona)
        assert before is not None  # noqa: S101 (its document was found above)
        if before.case.state not in _COLLIDE.sources:
            return
        act = Act(action="COLLIDE", who="clock", roles=CLOCK_ROLE, now=transaction.now, document=document.hex())
        subject = self._acts.names.part(persona, "documents", document)
        self._acts.carry_out(transaction, before, act, subject=subject)


def _identified(identifiers: Iterable[Identifier]) -> Iterator[tuple[str, str]]:
    for identifier in identifiers:
        if identifier.normal_form:
            yield IdentifierType.Name(identifier.type), identifier.normal_form
        for number in {plain(identifier.normal_form), plain(identifier.original)}:  # as it is read, and as written
            if len(number) >= _SHORTEST:
                yield "number", number


def _written_in(message: Message) -> Iterator[tuple[str, str]]:
    """Find names, addresses and numbers in every text of a record."""
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if field.type == field.TYPE_MESSAGE:
                yield from _written_in(item)
            elif field.type == field.TYPE_STRING:
                yield from (("address", address) for address in addresses_in(item))
                yield from (("end", end) for end in ends_in(item))
                yield from (("name", plain(name)) for name in dict.fromkeys(names_in(item)))
                yield from (("number", plain(number)) for number in numbers_in(item))
