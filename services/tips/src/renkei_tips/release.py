"""What tips and opinions tell, and whom.

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
| TipPurged | whoever ever had it | erase what is left of the tip |

Opinions tell the same of themselves, each to the agencies of its own label; the originator of the tip is one of
them where there are any.

Fields that stay in the agency stand in all of these: the exchange strips them.
"""

from __future__ import annotations

from typing import Final

from renkei.tips.v1 import events_pb2

from renkei_chassis.records.kind import Events

EVENTS: Final = Events(
    recorded=events_pb2.TipRecorded,
    revised=events_pb2.TipRevised,
    released=events_pb2.TipReleased,
    withdrawn=events_pb2.TipWithdrawn,
    deleted=events_pb2.TipDeleted,
    restored=events_pb2.TipRestored,
    received=events_pb2.TipReceived,
    removed=events_pb2.TipRemoved,
    purged=events_pb2.TipPurged,
)
OPINION_EVENTS: Final = Events(
    recorded=events_pb2.OpinionRecorded,
    revised=events_pb2.OpinionRevised,
    released=events_pb2.OpinionReleased,
    withdrawn=events_pb2.OpinionWithdrawn,
    deleted=events_pb2.OpinionDeleted,
    restored=events_pb2.OpinionRestored,
    received=events_pb2.OpinionReceived,
    removed=events_pb2.OpinionRemoved,
    purged=events_pb2.OpinionPurged,
)
