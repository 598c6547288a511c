"""When a record is due for review, and when it is to be purged: plain arithmetic over the label and the class."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from renkei_chassis.records.times import to_us

if TYPE_CHECKING:
    from renkei_chassis.records.kind import Record, Retention

_MICROSECOND: Final = timedelta(microseconds=1)


def review_due_us(record: Record, retention: Retention) -> int:
    """Tell when somebody must look whether the record is still needed.

    At the `review_by` of its label, or, where it has none or was reviewed since, as long after it was recorded or last
    reviewed as its class says; in any case at the latest when its last reviewer wanted to see it again, and when
    something overtook it that no reviewer knew of.
    """
    reviewed = record.HasField("review")
    begin_us = to_us(record.review.time if reviewed else record.create_time)
    due_us = begin_us + retention.review // _MICROSECOND
    if record.handling.HasField("review_by"):
        label_us = to_us(record.handling.review_by)
        due_us = label_us if not reviewed or label_us > begin_us else due_us
    if reviewed and record.review.HasField("keep_until"):
        due_us = min(due_us, to_us(record.review.keep_until))
    if retention.overtaken_us is not None and not (reviewed and begin_us > retention.overtaken_us):
        due_us = min(due_us, retention.overtaken_us)
    return due_us


def purge_due_us(record: Record, retention: Retention) -> int | None:
    """Tell from when on nothing of the record may be left; None: not before somebody says so.

    The earliest of: the purge time of a deleted record, the `purge_by` of its label, and, only where the label has
    none, the time that its class gives it after its review was due, and had to be known to be due.
    """
    due = []
    if record.HasField("purge_time"):
        due.append(to_us(record.purge_time))
    if record.handling.HasField("purge_by"):
        due.append(to_us(record.handling.purge_by))
    elif retention.unreviewed is not None:
        known_us = max(review_due_us(record, retention), to_us(record.create_time))
        due.append(known_us + retention.unreviewed // _MICROSECOND)
    return min(due, default=None)
