"""What makes a tip a record: its names, its tables, and what is read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1.identifiers_pb2 import PROVENANCE_WITHHELD_ASK_ORIGINATOR
from renkei.policy.v1.handling_pb2 import JUDICIAL_USE_FREE
from renkei.tips.v1.tips_pb2 import CreateTipRequest, Tip

from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.records.kind import RecordKind
from renkei_chassis.records.texts.query import Folding
from renkei_chassis.resource_names import Pattern
from renkei_normalform import find_folded, fold_text, search_fragment, written_words
from renkei_tips import store
from renkei_tips.domain.identifiers import normal_form, searchable, serves_all
from renkei_tips.grading import check_grading
from renkei_tips.release import EVENTS

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
        "contact_desk",
        "create_time",
        "update_time",
        "delete_time",
        "purge_time",
        "recorder",
        "correction_reason",
        "received_grade",
        "receive_time",
        "unit",
        "merged_into",
        "state_before_merge",
        "review",
    }
)


def _occurrences(tip: Tip) -> Iterator[tuple[str, Occurrence]]:
    for index, occurrence in enumerate(tip.identifiers):
        yield f"identifiers[{index}]", occurrence


def _texts(tip: Tip) -> Iterator[tuple[str, str]]:
    yield "display_name", tip.display_name
    yield "text", tip.text


def _anchor(tip: Tip) -> Timestamp | None:
    return tip.observe_time if tip.HasField("observe_time") else None


def _category(tip: Tip) -> int:
    return tip.source


def _complete(tip: Tip) -> None:
    if _is_withheld(tip) and tip.handling.judicial_use == JUDICIAL_USE_FREE:
        raise FailedPrecondition(
            "JUDICIAL_USE_WITHHELD",
            "a tip whose source is withheld is for asking the originator before any use in court",
            metadata={"field": "tip.handling.judicial_use"},
        )
    check_grading(tip.grading, field="tip.grading")
    tip.state = tip.state or Tip.STATE_RECEIVED


def _succeed(before: Tip, after: Tip) -> None:
    """Keep a withheld source withheld: no later version may name one, or another kind of one."""
    if _is_withheld(before) and (not _is_withheld(after) or after.source != before.source):
        raise FailedPrecondition(
            "SOURCE_WITHHELD",
            "a tip whose source is withheld stays so, and is never described as another source's",
            metadata={"field": "tip.identifiers" if after.source == before.source else "tip.source"},
        )


def _is_withheld(tip: Tip) -> bool:
    return any(one.provenance == PROVENANCE_WITHHELD_ASK_ORIGINATOR for one in tip.identifiers)


def unmerge(tip: Tip) -> None:
    """Make of a merged tip what it was before; of any other nothing."""
    if tip.state == Tip.STATE_MERGED:
        tip.state = tip.state_before_merge
    tip.ClearField("merged_into")
    tip.ClearField("state_before_merge")


def _present(_tip: Tip, _now: datetime) -> None:
    """Nothing of a tip is computed when it is read."""


FOLDING: Final = Folding(fold=fold_text, words=written_words, find=find_folded)
TIPS: Final = RecordKind(
    word="tip",
    names=Pattern("agencies/{agency}/tips/{tip}"),
    message=Tip,
    create_request=CreateTipRequest,
    tables=store.TABLES,
    events=EVENTS,
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
    category=_category,
    complete=_complete,
    present=_present,
    succeed=_succeed,
    restore=unmerge,
)
