"""Watch records: what the log tells, joined with each record as it is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp

    from renkei_chassis.log.changes import Changes
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


async def watch(
    changes: Changes, reads: Reads, *, resume_token: str, from_start: bool
) -> AsyncIterator[tuple[Sequence[Change], str]]:
    """Yield (changes, token to resume after them) for ever. No changes: a checkpoint."""
    async for events, token in changes.watch(resume_token=resume_token, from_start=from_start):
        async with changes.turns:
            records = await reads.now({event.resource for event in events}) if events else {}
        waiting: list[Change] = []
        size = 0
        for index, event in enumerate(events):
            record = records.get(event.resource)
            size += record.ByteSize() if record is not None else 0
            if waiting and size > ANSWER_BYTES:
                yield waiting, changes.token(events[index - 1].sequence)
                waiting, size = [], record.ByteSize() if record is not None else 0
            name = event.type.rpartition(".")[2]
            waiting.append(Change(kind=name, name=event.resource, record=record, time=event.time))
        yield waiting, token
