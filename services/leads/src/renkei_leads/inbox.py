"""What events of tips, arrests and the exchange say about records, in the words of leads.

From the own logs come own records; from the exchange's log come those of others, each in an event
that its agency's lane brought: a record that names another agency is set aside. An own …Released or
…Withdrawn is meant for others and says nothing new here; one of exhibits is meant for us too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1.events_pb2 import (
    ArrestDeleted,
    ArrestPurged,
    ArrestRecorded,
    ArrestReleased,
    ArrestRestored,
    ArrestRevised,
    ArrestWithdrawn,
    DispositionRecorded,
    ExhibitsRecorded,
    ExhibitsReleased,
    ExhibitsRevised,
    ExhibitsWithdrawn,
)
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY, GRADE_UNSPECIFIED
from renkei.tips.v1.events_pb2 import (
    OpinionDeleted,
    OpinionPurged,
    OpinionRecorded,
    OpinionReleased,
    OpinionRestored,
    OpinionRevised,
    OpinionWithdrawn,
    TipDeleted,
    TipPurged,
    TipRecorded,
    TipReleased,
    TipRestored,
    TipRevised,
    TipWithdrawn,
)

from renkei_chassis.follower.apply import Handler, SetAside
from renkei_chassis.resource_names import Pattern
from renkei_leads.domain import TYPES, Identifier, Record, Site, links
from renkei_leads.matching import Beside, Gone, Matching, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.arrests.v1.arrests_pb2 import Arrest
    from renkei.event.v1.event_pb2 import Event
    from renkei.identifiers.v1.identifiers_pb2 import Occurrence
    from renkei.policy.v1.policy_pb2 import Grade
    from renkei.tips.v1.opinions_pb2 import Opinion
    from renkei.tips.v1.tips_pb2 import Tip

    from renkei_chassis.database.transaction import Transaction

    Form = tuple[str, str]  # name of the type, normal form

TIP: Final = Pattern("agencies/{agency}/tips/{tip}")
OPINION: Final = Pattern("agencies/{agency}/opinions/{opinion}")
ARREST: Final = Pattern("agencies/{agency}/arrests/{arrest}")
EXHIBIT: Final = Pattern("agencies/{agency}/arrests/{arrest}/exhibits/{exhibit}")
FOREIGN_ORIGINATOR: Final = "FOREIGN_ORIGINATOR"
MALFORMED_RECORD: Final = "MALFORMED_RECORD"
GRADE_MISSING: Final = "GRADE_MISSING"

# What the contract allows, and what our columns hold.
_MAX_NAME: Final = 128
_MAX_PART: Final = 36
_MAX_FORM: Final = 256
_MAX_DESK: Final = 200
_MAX_CAVEAT: Final = 500
_FIRST_US: Final = -62_135_596_800_000_000  # the year 1, where a Timestamp begins
_LAST_US: Final = 253_402_300_799_999_999

_TIP_SEEN: Final = (TipRecorded, TipRevised, TipRestored)
_OPINION_SEEN: Final = (OpinionRecorded, OpinionRevised, OpinionRestored)
_ARREST_SEEN: Final = (ArrestRecorded, ArrestRevised, ArrestRestored, DispositionRecorded)
_EXHIBITS_SEEN: Final = (ExhibitsRecorded, ExhibitsRevised, ExhibitsReleased)


def handlers(
    matching: Matching, *, agency: str, protected: Collection[Form] = ()
) -> Mapping[str, Mapping[str, Handler]]:
    """Make the handlers of the three logs. What is `protected` links nothing, whoever recorded it."""
    own = _Inbox(matching, protected, originator=lambda _: agency, grade=lambda _: GRADE_UNSPECIFIED)
    received = _Inbox(matching, protected, originator=lambda event: _sender(event, agency), grade=_grade)
    return {
        "tips": {
            **own.tips(seen=_TIP_SEEN, gone=(TipDeleted, TipPurged)),
            **own.opinions(seen=_OPINION_SEEN, gone=(OpinionDeleted, OpinionPurged)),
        },
        "arrests": own.arrests(seen=_ARREST_SEEN, gone=(ArrestDeleted, ArrestPurged)),
        "exchange": {
            **received.tips(seen=(*_TIP_SEEN, TipReleased), gone=(TipDeleted, TipWithdrawn, TipPurged)),
            **received.opinions(
                seen=(*_OPINION_SEEN, OpinionReleased), gone=(OpinionDeleted, OpinionWithdrawn, OpinionPurged)
            ),
            **received.arrests(
                seen=(*_ARREST_SEEN, ArrestReleased), gone=(ArrestDeleted, ArrestWithdrawn, ArrestPurged)
            ),
        },
    }


class _Inbox:
    """Handlers for the records of one kind of log."""

    def __init__(
        self,
        matching: Matching,
        protected: Collection[Form],
        *,
        originator: Callable[[Event], str],
        grade: Callable[[Event], Grade.ValueType],
    ) -> None:
        self._matching = matching
        self._protected = protected
        self._originator = originator
        self._grade = grade

    def tips(self, *, seen: Iterable[type[Message]], gone: Iterable[type[Message]]) -> dict[str, Handler]:
        return {**_by_name(seen, self._tip), **_by_name(gone, self._gone(TIP))}

    def opinions(self, *, seen: Iterable[type[Message]], gone: Iterable[type[Message]]) -> dict[str, Handler]:
        return {**_by_name(seen, self._opinion), **_by_name(gone, self._gone(OPINION))}

    def arrests(self, *, seen: Iterable[type[Message]], gone: Iterable[type[Message]]) -> dict[str, Handler]:
        return {
            **_by_name(seen, self._arrest),
            **_by_name(gone, self._gone(ARREST)),
            **_by_name(_EXHIBITS_SEEN, self._exhibits),
            **_by_name((ExhibitsWithdrawn,), self._exhibits_gone),
        }

    def _tip(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        tip: Tip = payload.tip
        self._check(event, tip.name, tip.version, TIP)
        self._seen(transaction, event, tip, tip.identifiers)

    def _opinion(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        opinion: Opinion = payload.opinion
        self._check(event, opinion.name, opinion.version, OPINION)
        self._seen(transaction, event, opinion, opinion.identifiers)

    def _arrest(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        arrest: Arrest = payload.arrest
        self._check(event, arrest.name, arrest.version, ARREST)
        self._seen(transaction, event, arrest, _in_arrest(arrest))

    def _exhibits(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        """Take exhibits as parts of their arrest: what is on two phones of one arrest links nothing."""
        self._check(event, payload.name, 1, ARREST)
        self._grade(event)
        parts = {
            _part(exhibit.name, payload.name): tuple(dict.fromkeys(self._sites(payload.name, exhibit.identifiers)))
            for exhibit in payload.exhibits
        }
        self._matching.note(transaction, Beside(name=payload.name, parts=parts))

    def _exhibits_gone(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
        self._check(event, payload.name, 1, ARREST)
        parts: dict[str, tuple[Site, ...]] = {_part(name, payload.name): () for name in payload.exhibits}
        self._matching.note(transaction, Beside(name=payload.name, parts=parts))

    def _seen(
        self, transaction: Transaction, event: Event, message: Tip | Opinion | Arrest, occurrences: Iterable[Occurrence]
    ) -> None:
        grade = self._grade(event)
        record = Record(
            name=message.name,
            version=message.version,
            grade=grade,
            contact_desk=_stored(message.contact_desk, _MAX_DESK),
            # A caveat does not leave with an index entry; where one came all the same it is not shown.
            caveat="" if grade == GRADE_INDEX_ONLY else _stored(message.handling.caveat, _MAX_CAVEAT),
        )
        sites = tuple(dict.fromkeys(self._sites(message.name, occurrences)))
        self._matching.note(transaction, Seen(record=record, sites=sites))

    def _sites(self, record: str, occurrences: Iterable[Occurrence]) -> Iterator[Site]:
        """Give the sites that may ever link: bystanders in an address book are not even stored here."""
        for occurrence in occurrences:
            identifier = occurrence.identifier
            form = identifier.normal_form
            if not form or len(form) > _MAX_FORM or "\0" in form or not links(occurrence.relation):
                continue
            if self._protected and (TYPES.get(identifier.type, ""), form) in self._protected:
                continue
            yield Site(
                record,
                Identifier(identifier.type, identifier.normal_form_version, form),
                occurrence.provenance,
                occurrence.relation,
                _moment(occurrence.valid_from) if occurrence.HasField("valid_from") else None,
                _moment(occurrence.valid_until) if occurrence.HasField("valid_until") else None,
            )

    def _gone(self, pattern: Pattern) -> Handler:
        def handle(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401
            self._check(event, payload.name, payload.version, pattern)
            self._matching.note(transaction, Gone(name=payload.name, version=payload.version))

        return handle

    def _check(self, event: Event, name: str, version: int, pattern: Pattern) -> None:
        """Only its originator speaks of a record."""
        if version < 1 or len(name) > _MAX_NAME or not pattern.matches(name):
            raise SetAside(MALFORMED_RECORD)
        if not name.startswith(f"{self._originator(event)}/"):
            raise SetAside(FOREIGN_ORIGINATOR)


def _part(exhibit: str, arrest: str) -> str:
    """Name an exhibit within its arrest."""
    above, _, part = exhibit.rpartition("/exhibits/")
    if above != arrest or len(part) > _MAX_PART or not EXHIBIT.matches(exhibit):
        raise SetAside(MALFORMED_RECORD)
    return part


def _sender(event: Event, agency: str) -> str:
    """Tell whose lane brought an event. Nobody brings us our own records."""
    sender = event.origin.agency
    if not sender or sender == agency:
        raise SetAside(FOREIGN_ORIGINATOR)
    return sender


def _grade(event: Event) -> Grade.ValueType:
    """Tell how much a copy holds."""
    if event.grade not in {GRADE_FULL, GRADE_INDEX_ONLY}:
        raise SetAside(GRADE_MISSING)
    return event.grade


def _in_arrest(arrest: Arrest) -> Iterator[Occurrence]:
    yield from arrest.identifiers
    for item in arrest.seized_items:
        yield from item.identifiers
    for step in arrest.recruitment.steps:
        yield from step.recruiter_identifiers
    for movement in arrest.money.movements:
        yield movement.source.identifier
        yield movement.destination.identifier


def _moment(timestamp: Timestamp) -> int:
    """Give microseconds, cut to what a Timestamp may be: another agency's bytes may say anything."""
    return min(max(timestamp.seconds * 1_000_000 + timestamp.nanos // 1000, _FIRST_US), _LAST_US)


def _stored(text: str, longest: int) -> str:
    return text.replace("\0", "")[:longest]


def _by_name(types: Iterable[type[Message]], handler: Handler) -> dict[str, Handler]:
    return {kind.DESCRIPTOR.full_name: handler for kind in types}
