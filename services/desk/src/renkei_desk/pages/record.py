"""The page of a tip or an arrest record: its label before its content, and every version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1.identifiers_pb2 import IdentifierType, Provenance, Relation
from renkei.policy.v1.policy_pb2 import GRADE_INDEX_ONLY
from renkei.tips.v1.tips_pb2 import Grading, Tip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.identifiers.v1.identifiers_pb2 import Occurrence
    from renkei.policy.v1.handling_pb2 import Handling

MOST_VERSIONS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An identifier of a record."""

    kind: str
    form: str
    provenance: str
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """What is shown of a record."""

    name: str
    is_tip: bool
    handling: Handling
    grade: int
    index_only: bool
    version: int
    versions: Sequence[int]
    title: str
    text: str
    source: str
    grading: str
    case: str
    contact_desk: str
    happened: Timestamp
    created: Timestamp
    updated: Timestamp
    received: Timestamp
    correction: str
    identifiers: Sequence[Found]


def view(record: Tip | Arrest, newest: int) -> RecordView:
    """Take what is shown; `newest` is the number of the last version."""
    is_tip = isinstance(record, Tip)
    occurrences: list[Occurrence] = list(record.identifiers)
    if isinstance(record, Arrest):
        occurrences += [each for item in record.seized_items for each in item.identifiers]
    return RecordView(
        name=record.name,
        is_tip=is_tip,
        handling=record.handling,
        grade=record.received_grade,
        index_only=record.received_grade == GRADE_INDEX_ONLY,
        version=record.version,
        # Of a copy only the version that was released is here.
        versions=range(newest, max(newest - MOST_VERSIONS, 0), -1) if not record.received_grade else (record.version,),
        title=record.display_name if isinstance(record, Tip) else record.offence,
        text=record.text,
        source=Tip.Source.Name(record.source) if isinstance(record, Tip) else "",
        grading=_grading(record) if isinstance(record, Tip) else "",
        case=record.case_reference,
        contact_desk=record.contact_desk,
        happened=record.observe_time if isinstance(record, Tip) else record.restraint_time,
        created=record.create_time,
        updated=record.update_time,
        received=record.receive_time,
        correction=record.correction_reason,
        identifiers=list(_identifiers(occurrences)),
    )


def title_of(record: Tip | Arrest) -> str:
    """Give a record's title."""
    return record.display_name if isinstance(record, Tip) else record.offence


def _grading(tip: Tip) -> str:
    if not tip.HasField("grading"):
        return ""
    reliability = Grading.Reliability.Name(tip.grading.reliability).rpartition("_")[2]
    accuracy = Grading.Accuracy.Name(tip.grading.accuracy).rpartition("_")[2]
    return f"{reliability}{accuracy}"


def _identifiers(occurrences: Iterable[Occurrence]) -> Iterable[Found]:
    for each in occurrences:
        yield Found(
            kind=IdentifierType.Name(each.identifier.type),
            form=each.identifier.original or each.identifier.normal_form,
            provenance=Provenance.Name(each.provenance),
            relation=Relation.Name(each.relation),
        )
