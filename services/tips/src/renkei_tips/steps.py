"""What happened to a tip, as the contract tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.tips.v1.tips_pb2 import TipStep

from renkei_chassis.records.times import set_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from renkei_chassis.records.history import Step


def steps_of(steps: Iterable[Step]) -> Iterator[TipStep]:
    """Tell a deletion before the version that it marked: the newest comes first."""
    for step in steps:
        tip = step.record
        told = TipStep(
            version=tip.version,
            state=tip.state,
            recorder=tip.recorder,
            time=tip.update_time,
            reason=tip.correction_reason,
            unit=tip.unit,
            merged_into=tip.merged_into,
        )
        if step.deletion is not None:
            mark = TipStep()
            mark.CopyFrom(told)
            mark.deleted, mark.recorder, mark.reason = True, step.deletion.recorder, step.deletion.reason
            set_us(mark.time, step.deletion.delete_time_us)
            yield mark
        # Later versions keep what the last review said; only the one that it made tells of it.
        if tip.HasField("review") and (step.before is None or step.before.review != tip.review):
            told.review.CopyFrom(tip.review)
        yield told
