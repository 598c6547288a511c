"""What makes an opinion or a sighting a record: its names, its tables, and what is read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.tips.v1.opinions_pb2 import CreateOpinionRequest, Opinion

from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.records.kind import RecordKind
from renkei_chassis.resource_names import Pattern
from renkei_normalform import search_fragment
from renkei_tips import store
from renkei_tips.domain.identifiers import normal_form, searchable, serves_all
from renkei_tips.grading import check_grading
from renkei_tips.record import FOLDING, TIPS
from renkei_tips.release import OPINION_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.identifiers.v1.identifiers_pb2 import Occurrence

_OUTPUT_ONLY: Final = frozenset(
    {
        "name",
        "version",
        "etag",
        "contact_desk",
        "create_time",
        "update_time",
        "delete_time",
        "purge_time",
        "recorder",
        "correction_reason",
        "received_grade",
        "receive_time",
        "review",
        "tip_purge_time",
    }
)


def originator_of(opinion: Opinion) -> str:
    """Name the agency whose tip an opinion is about."""
    return TIPS.parse(opinion.tip, field="opinion.tip")[0]


def _occurrences(opinion: Opinion) -> Iterator[tuple[str, Occurrence]]:
    for index, occurrence in enumerate(opinion.identifiers):
        yield f"identifiers[{index}]", occurrence


def _texts(opinion: Opinion) -> Iterator[tuple[str, str]]:
    yield "text", opinion.text
    yield "place", opinion.place


def _anchor(opinion: Opinion) -> Timestamp | None:
    return opinion.observe_time if opinion.HasField("observe_time") else None


def _state(_opinion: Opinion) -> int:
    """Give none: an opinion is given, corrected and taken back, and has no life beside that."""
    return 0


def _category(opinion: Opinion) -> int:
    return opinion.stance


def _reference(opinion: Opinion) -> str:
    return opinion.tip


def _complete(opinion: Opinion) -> None:
    originator = originator_of(opinion)
    if opinion.handling.releasable_to and originator not in opinion.handling.releasable_to:
        raise FailedPrecondition(
            "ORIGINATOR_MISSING",
            "an opinion that goes to anybody goes to the originator of the tip",
            metadata={"field": "opinion.handling.releasable_to", "agency": originator},
        )
    if opinion.HasField("grading"):
        check_grading(opinion.grading, field="opinion.grading")


def _succeed(before: Opinion, after: Opinion) -> None:
    sightings = [one.stance == Opinion.STANCE_SIGHTED for one in (before, after)]
    fixed = {"tip": before.tip == after.tip, "stance": sightings[0] == sightings[1]}
    for field, same in fixed.items():
        if not same:
            raise FailedPrecondition(
                "OPINION_FIXED",
                "what an opinion is about, and whether it is a sighting, never changes",
                metadata={"field": f"opinion.{field}"},
            )


def _present(_opinion: Opinion, _now: datetime) -> None:
    """Nothing of an opinion is computed when it is read."""


OPINIONS: Final = RecordKind(
    word="opinion",
    names=Pattern("agencies/{agency}/opinions/{opinion}"),
    message=Opinion,
    create_request=CreateOpinionRequest,
    tables=store.OPINIONS,
    events=OPINION_EVENTS,
    output_only=_OUTPUT_ONLY,
    recorded_later={},
    occurrences=_occurrences,
    normalize=normal_form,
    serves_all=serves_all,
    search_key=searchable,
    search_fragment=search_fragment,
    texts=_texts,
    folding=FOLDING,
    anchor=_anchor,
    state=_state,
    category=_category,
    reference=_reference,
    complete=_complete,
    present=_present,
    succeed=_succeed,
)
