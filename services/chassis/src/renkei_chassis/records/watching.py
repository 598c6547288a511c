"""Watch records: what the log tells, joined with each record as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei_chassis.log.watch import Watch, in_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.log.changes import Changes
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.records.reads import Reads

# Each watcher who does not read holds an answer or two; one record has at most some 300 KiB.
ANSWER_BYTES: Final = 256 * 1024


def watch_of(
    kind: RecordKind, changes: Changes, reads: Reads, *, answer: type[Message], change: Callable[..., Any]
) -> Watch:
    """Make what answers the watchers of a kind. An `answer` has `changes`, and a `change` the record by its word.

    Each change is one event of the log with the record as it is now, or without where that is gone.
    """

    async def make(events: Sequence[Event]) -> Sequence[tuple[int, Message]]:
        records = await reads.now({event.resource for event in events})
        parts = in_parts(told(events, records), most=ANSWER_BYTES)
        return [(through, answer(changes=part)) for through, part in parts]

    def told(events: Sequence[Event], records: dict[str, Record]) -> Iterator[tuple[int, int, Any]]:
        for event in events:
            record = records.get(event.resource)
            name = event.type.rpartition(".")[2]
            one = change(kind=name, name=event.resource, time=event.time, **{kind.word: record})
            yield event.sequence, record.ByteSize() if record is not None else 0, one

    return Watch(changes, answer=answer, make=make)
