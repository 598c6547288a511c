"""What makes an arrest record a record: its names, its tables, what is checked in it and computed from it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest, CreateArrestRequest, Person
from renkei.arrests.v1.custody_pb2 import CustodyNotice

from renkei_arrests import beside, clock_rows, custody, domain, money_trail, purge_reviews, roles, store
from renkei_arrests.clock_rows import KIND_NUMBERS
from renkei_arrests.disposition import check_disposition, take_back
from renkei_arrests.exhibits import telling
from renkei_arrests.facts import birth_of, facts_of, moment_of
from renkei_arrests.recruitment import check_path
from renkei_arrests.release import EVENTS
from renkei_chassis.clock import to_us
from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.records.kind import RecordKind
from renkei_chassis.records.texts.query import Folding
from renkei_chassis.records.times import set_us
from renkei_chassis.resource_names import Pattern
from renkei_normalform import find_folded, fold_text, search_fragment, written_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime, timedelta

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
        "notices",
        "money.totals",
        "earlier_dispositions",
        "create_time",
        "update_time",
        "delete_time",
        "purge_time",
        "recorder",
        "correction_reason",
        "received_grade",
        "receive_time",
        "review",
    }
)

_NOTICES: Final = {notice: CustodyNotice.Value(f"CUSTODY_NOTICE_{notice.value}") for notice in custody.Notice}


def _occurrences(arrest: Arrest) -> Iterator[tuple[str, Occurrence]]:
    for index, occurrence in enumerate(arrest.identifiers):
        yield f"identifiers[{index}]", occurrence
    for number, item in enumerate(arrest.seized_items):
        for index, occurrence in enumerate(item.identifiers):
            yield f"seized_items[{number}].identifiers[{index}]", occurrence
    for number, step in enumerate(arrest.recruitment.steps):
        for index, occurrence in enumerate(step.recruiter_identifiers):
            yield f"recruitment.steps[{number}].recruiter_identifiers[{index}]", occurrence
    yield from money_trail.occurrences(arrest.money)


def _texts(arrest: Arrest) -> Iterator[tuple[str, str]]:
    """Give what may be searched: nothing of the person's block."""
    yield "offence", arrest.offence
    yield "text", arrest.text
    for index, item in enumerate(arrest.seized_items):
        yield f"seized_items[{index}].description", item.description
    for index, step in enumerate(arrest.recruitment.steps):
        yield f"recruitment.steps[{index}].text", step.text
    for index, movement in enumerate(arrest.money.movements):
        yield f"money.movements[{index}].text", movement.text
    yield "disposition.reason", arrest.disposition.reason


def _anchor(arrest: Arrest) -> Timestamp:
    return arrest.restraint_time


def _category(arrest: Arrest) -> int:
    return arrest.kind


def _complete(arrest: Arrest) -> None:
    """Check all that hangs together in a record, and set state, role and juvenile class."""
    take_back(arrest)
    if arrest.HasField("disposition"):
        check_disposition(arrest.disposition, "arrest.disposition")
    roles.check(arrest)
    check_path(arrest.recruitment)
    money_trail.add_up(arrest)
    facts = facts_of(arrest, birth=_birth(arrest), last=True)
    contradiction = custody.contradiction(facts) if arrest.HasField("custody") else None
    if contradiction is not None:
        field, what = contradiction
        raise _refusal("CUSTODY_CONTRADICTORY", f"arrest.custody.{field}", what)
    _check_order(facts, [moment_of(each) for each in arrest.earlier_dispositions])
    reason = custody.forbidden(facts)
    if reason is not None:
        raise _forbidden(reason)
    arrest.state = Arrest.STATE_DISPOSED if arrest.HasField("disposition") else Arrest.STATE_OPEN
    if arrest.HasField("person"):
        found = custody.class_of(facts)
        arrest.person.juvenile_class = (
            Person.JUVENILE_CLASS_UNSPECIFIED
            if found is None
            else Person.JuvenileClass.Value(f"JUVENILE_CLASS_{found.value}")
        )


def _birth(arrest: Arrest) -> date | None:
    try:
        return birth_of(arrest)
    except ValueError:
        raise _refusal("BIRTH_DATE_INVALID", "arrest.person.birth_date", "is no day up to the restraint") from None


def _check_order(facts: custody.Facts, earlier_dispositions: Sequence[datetime]) -> None:
    late = domain.first_too_early(
        (
            ("arrest.restraint_time", facts.restraint),
            ("arrest.prosecutor_receipt_time", facts.prosecutor_receipt),
            ("arrest.detention_request_time", facts.detention_request),
            ("arrest.custody.detention.grant_time", facts.detention_granted),
            ("arrest.custody.detention.refuse_time", facts.detention_refused),
            ("arrest.custody.detention.extension_grant_time", facts.extended),
            *(("arrest.earlier_dispositions", moment) for moment in earlier_dispositions),
            ("arrest.disposition.time", facts.disposition),
        )
    ) or domain.first_too_early(
        (
            ("arrest.custody.warrant.request_time", facts.warrant_requested),
            ("arrest.custody.warrant.issue_time", facts.warrant_issued),
            ("arrest.custody.warrant.refuse_time", facts.warrant_refused),
            # Only an arrest on a warrant comes after it (刑訴法199条).
            ("arrest.restraint_time", facts.restraint if facts.kind == custody.WARRANT else None),
        )
    )
    if late is not None:
        raise _refusal("TIMES_OUT_OF_ORDER", late, "lies before what comes first by law")


def _forbidden(reason: str) -> InvalidArgument:
    if reason == "EXTENSION_FORBIDDEN":
        what = "cannot follow a measure in place of detention (少年法44条3項)"
        return _refusal("EXTENSION_FORBIDDEN", "arrest.custody.detention.extension_days", what)
    if reason == "MEASURE_FORBIDDEN":
        return _refusal(
            "MEASURE_FORBIDDEN", "arrest.custody.detention.juvenile_measure", "is for juveniles alone (少年法43条)"
        )
    return _refusal(
        "INDICTMENT_FORBIDDEN", "arrest.disposition.kind", "cannot be an indictment by the age (刑法41条, 少年法42条)"
    )


def present(arrest: Arrest, now: datetime, *, terms: custody.Terms) -> None:
    """Set the clocks of an own record as they stand now, and what the law says beside them."""
    facts = facts_of(arrest, birth=birth_of(arrest))
    delays: dict[custody.ClockKind, str] = {}
    if arrest.HasField("custody"):
        delays[custody.ClockKind.TO_PROSECUTOR] = arrest.custody.prosecutor_delay_reason
        delays[custody.ClockKind.DETENTION_REQUEST] = arrest.custody.detention_request_delay_reason
    for clock in custody.clocks(facts, now=now, terms=terms):
        shown = arrest.clocks.add(kind=KIND_NUMBERS[clock.kind], overdue=clock.overdue)
        if delays and clock.kind in delays:
            shown.delay_reason = delays[clock.kind]
        set_us(shown.start_time, to_us(clock.start))
        set_us(shown.due_time, to_us(clock.due))
        if clock.met is not None:
            set_us(shown.met_time, to_us(clock.met))
    arrest.notices.extend(_NOTICES[notice] for notice in custody.notices(facts))


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
    serves_all=domain.serves_all,
    search_key=domain.searchable,
    search_fragment=search_fragment,
    texts=_texts,
    folding=Folding(fold=fold_text, words=written_words, find=find_folded),
    anchor=_anchor,
    category=_category,
    complete=_complete,
    present=partial(present, terms=custody.Terms()),
    succeed=roles.succeed,
    on_stored=partial(beside.stored, terms=custody.Terms(), purge_review=purge_reviews.DEFAULT_TERM),
    on_deleted=clock_rows.hidden,
    on_released=telling.released,
)


def arrests_under(terms: custody.Terms, *, purge_review: timedelta) -> RecordKind:
    """Give the kind for an agency that decided something of its own about its clocks and purge reviews."""
    return replace(
        ARRESTS,
        present=partial(present, terms=terms),
        on_stored=partial(beside.stored, terms=terms, purge_review=purge_review),
    )
