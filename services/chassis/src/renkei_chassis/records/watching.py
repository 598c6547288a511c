"""Watch records: what the log tells, joined with each record as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.records.kind import Record
    from renkei_chassis.records.reads import Reads

# Each watcher who does not read holds an answer or two; one record has at most some 300 KiB.
ANSWER_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event of the log, and the record as it is now; None where it is gone."""

    kind: str
    name: str
    record: Record | None
    time: Timestamp


async def changed(reads: Reads, events: Sequence[Event]) -> Sequence[tuple[int, Sequence[Change]]]:
    """Give the changes of events in parts that fit into an answer, each with the sequence of its last event."""
    records = await reads.now({event.resource for event in events})
    parts: list[tuple[int, Sequence[Change]]] = []
    waiting: list[Change] = []
    size = through = 0
    for event in events:
        record = records.get(event.resource)
        more = record.ByteSize() if record is not None else 0
        if waiting and size + more > ANSWER_BYTES:
            parts.append((through, waiting))
            waiting, size = [], 0
        name = event.type.rpartition(".")[2]
        waiting.append(Change(kind=name, name=event.resource, record=record, time=event.time))
        size, through = size + more, event.sequence
    return [*parts, (through, waiting)]
