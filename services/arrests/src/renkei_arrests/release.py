"""What arrest records tell, and whom.

A record is released to the agencies of its label at commit (`audience_of`), and each later event goes
to exactly those whom it concerns:

| event | to whom | what our own services do |
|---|---|---|
| ArrestRecorded | the label's agencies | take the record |
| ArrestRevised | who had it and keeps it, at the new grade; perhaps nobody | take the new version |
| ArrestReleased | who gets it, or more of it, with an update | nothing: ArrestRevised came before |
| ArrestWithdrawn | who loses it with an update | nothing: ArrestRevised came before |
| DispositionRecorded | who has it | take the new version |
| ArrestDeleted | who had it | drop the record |
| ArrestRestored | the label's agencies | take the record |
| ArrestPurged | whoever ever had it | erase what is left of the record |

Fields that stay in the agency, the person first of all, stand in all of these: the exchange strips them.
Clocks stand in none: they are computed when a record is read. What is told of them (ClockWarned, ClockAcknowledged,
ClockEscalated) goes to nobody.
"""

from __future__ import annotations

from typing import Final

from renkei.arrests.v1 import events_pb2

from renkei_chassis.records.kind import Events

EVENTS: Final = Events(
    recorded=events_pb2.ArrestRecorded,
    revised=events_pb2.ArrestRevised,
    released=events_pb2.ArrestReleased,
    withdrawn=events_pb2.ArrestWithdrawn,
    deleted=events_pb2.ArrestDeleted,
    restored=events_pb2.ArrestRestored,
    received=events_pb2.ArrestReceived,
    removed=events_pb2.ArrestRemoved,
    purged=events_pb2.ArrestPurged,
    more=(events_pb2.DispositionRecorded,),
)
