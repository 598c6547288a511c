"""What tips are to the outside: their kind, their events, and who receives which.

A tip is released to the agencies of its label at commit (`audience_of`), and each later event goes to
exactly those whom it concerns:

| event | to whom | what our own services do |
|---|---|---|
| TipRecorded | the label's agencies | take the tip |
| TipRevised | who had it and keeps it, at the new grade; perhaps nobody | take the new version |
| TipReleased | who gets it, or more of it, with an update | nothing: TipRevised came before |
| TipWithdrawn | who loses it with an update | nothing: TipRevised came before |
| TipDeleted | who had it | drop the tip |
| TipRestored | the label's agencies | take the tip |

Fields that stay in the agency stand in all of these: the exchange strips them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import events_pb2
from renkei.tips.v1.tips_pb2 import CreateTipRequest, Tip

from renkei_chassis.records.kind import Events, RecordKind
from renkei_chassis.resource_names import Pattern
from renkei_normalform import search_fragment
from renkei_tips import domain, store

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
    }
)


def _occurrences(tip: Tip) -> Iterator[tuple[str, Occurrence]]:
    for index, occurrence in enumerate(tip.identifiers):
        yield f"identifiers[{index}]", occurrence


def _anchor(tip: Tip) -> Timestamp | None:
    return tip.observe_time if tip.HasField("observe_time") else None


def _category(tip: Tip) -> int:
    return tip.source


def _complete(tip: Tip) -> None:
    tip.state = tip.state or Tip.STATE_RECEIVED


def _present(_tip: Tip, _now: datetime) -> None:
    """Nothing of a tip is computed when it is read."""


TIPS: Final = RecordKind(
    word="tip",
    names=Pattern("agencies/{agency}/tips/{tip}"),
    message=Tip,
    create_request=CreateTipRequest,
    tables=store.TABLES,
    events=Events(
        recorded=events_pb2.TipRecorded,
        revised=events_pb2.TipRevised,
        released=events_pb2.TipReleased,
        withdrawn=events_pb2.TipWithdrawn,
        deleted=events_pb2.TipDeleted,
        restored=events_pb2.TipRestored,
        received=events_pb2.TipReceived,
        removed=events_pb2.TipRemoved,
    ),
    output_only=_OUTPUT_ONLY,
    occurrences=_occurrences,
    normalize=domain.normal_form,
    search_key=domain.searchable,
    search_fragment=search_fragment,
    anchor=_anchor,
    category=_category,
    complete=_complete,
    present=_present,
)
