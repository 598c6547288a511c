"""What makes an arrest record a record: its names, its tables, what is checked in it and computed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest, Clock, CreateArrestRequest, Person

from renkei_arrests import domain, store
from renkei_arrests.disposition import check_disposition
from renkei_arrests.release import EVENTS
from renkei_chassis.clock import from_us
from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.records.kind import RecordKind
from renkei_chassis.records.texts.query import Folding
from renkei_chassis.records.times import to_us
from renkei_chassis.resource_names import Pattern
from renkei_normalform import find_folded, fold_text, search_fragment, written_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.identifiers.v1.identifiers_pb2 import Occurrence

_OUTPUT_ONLY: Final = frozenset(
    {
        "name",
        "state",
        "version",
        "etag",
        "person.juvenile_class",
        "contact_desk",
        "clocks",
        "create_time",
        "update_time",
        "delete_time",
        "purge_time",
        "recorder",
        "correction_reason",
        "received_grade",
        "receive_time",
    }
)


def _occurrences(arrest: Arrest) -> Iterator[tuple[str, Occurrence]]:
    for index, occurrence in enumerate(arrest.identifiers):
        yield f"identifiers[{index}]", occurrence
    for number, item in enumerate(arrest.seized_items):
        for index, occurrence in enumerate(item.identifiers):
            yield f"seized_items[{number}].identifiers[{index}]", occurrence


def _texts(arrest: Arrest) -> Iterator[tuple[str, str]]:
    """Give what may be searched: nothing of the person's block."""
    yield "offence", arrest.offence
    yield "text", arrest.text
    for index, item in enumerate(arrest.seized_items):
        yield f"seized_items[{index}].description", item.description
    yield "disposition.reason", arrest.disposition.reason


def _anchor(arrest: Arrest) -> Timestamp:
    return arrest.restraint_time


def _category(arrest: Arrest) -> int:
    return arrest.kind


def _complete(arrest: Arrest) -> None:
    """Check the disposition, the order of times and the day of birth, and set state and juvenile class."""
    if arrest.HasField("disposition"):
        check_disposition(arrest.disposition, "arrest.disposition")
    facts = _facts(arrest)
    late = domain.first_too_early(
        (
            ("arrest.restraint_time", facts.restraint),
            ("arrest.prosecutor_receipt_time", facts.prosecutor_receipt),
            ("arrest.detention_request_time", facts.detention_request),
            ("arrest.disposition.time", facts.disposition),
        )
    )
    if late is not None:
        raise _refusal("TIMES_OUT_OF_ORDER", late, "lies before what comes first by law")
    arrest.state = Arrest.STATE_DISPOSED if arrest.HasField("disposition") else Arrest.STATE_OPEN
    if arrest.HasField("person"):
        arrest.person.juvenile_class = _juvenile_class(arrest.person.birth_date, facts.restraint)


def _juvenile_class(birth_date: str, restraint: datetime) -> Person.JuvenileClass.ValueType:
    if not birth_date:
        return Person.JUVENILE_CLASS_UNSPECIFIED
    try:
        birth = domain.read_birth_date(birth_date, restraint=restraint)
    except ValueError:
        raise _refusal("BIRTH_DATE_INVALID", "arrest.person.birth_date", "is no day up to the restraint") from None
    found = domain.juvenile_class(birth, at=restraint)
    return Person.JuvenileClass.Value(f"JUVENILE_CLASS_{found.value}")


def _present(arrest: Arrest, now: datetime) -> None:
    """Set the clocks of an own record as they stand now."""
    for clock in domain.clocks(_facts(arrest), now=now):
        shown = arrest.clocks.add(kind=Clock.Kind.Value(f"KIND_{clock.kind.value}"), overdue=clock.overdue)
        shown.start_time.FromDatetime(clock.start)
        shown.due_time.FromDatetime(clock.due)
        if clock.met is not None:
            shown.met_time.FromDatetime(clock.met)


def _facts(arrest: Arrest) -> domain.Facts:
    disposed = arrest.disposition.HasField("time")
    return domain.Facts(
        restraint=_moment(arrest.restraint_time),
        prosecutor_receipt=(
            _moment(arrest.prosecutor_receipt_time) if arrest.HasField("prosecutor_receipt_time") else None
        ),
        detention_request=_moment(arrest.detention_request_time) if arrest.HasField("detention_request_time") else None,
        disposition=_moment(arrest.disposition.time) if disposed else None,
    )


def _moment(time: Timestamp) -> datetime:
    return from_us(to_us(time))


def _refusal(reason: str, field: str, what: str) -> InvalidArgument:
    return InvalidArgument(
        reason,
        f"{field} {what}",
        metadata={"field": field},
        violations=[FieldViolation(field=field, description=what)],
    )


ARRESTS: Final = RecordKind(
    word="arrest",
    names=Pattern("agencies/{agency}/arrests/{arrest}"),
    message=Arrest,
    create_request=CreateArrestRequest,
    tables=store.TABLES,
    events=EVENTS,
    output_only=_OUTPUT_ONLY,
    recorded_later={"disposition": "NOT_DISPOSED"},
    occurrences=_occurrences,
    normalize=domain.normal_form,
    search_key=domain.searchable,
    search_fragment=search_fragment,
    texts=_texts,
    folding=Folding(fold=fold_text, words=written_words, find=find_folded),
    anchor=_anchor,
    category=_category,
    complete=_complete,
    present=_present,
)
