"""When a record is due for review, and when it is to be purged: plain arithmetic over the label and the class."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from renkei_chassis.records.times import to_us

if TYPE_CHECKING:
    from renkei_chassis.records.kind import Record, Retention

_MICROSECOND: Final = timedelta(microseconds=1)


def review_due_us(record: Record, retention: Retention) -> int:
    """Tell when somebody must look whether the record is still needed: as its label says, else as its class does."""
    if record.handling.HasField("review_by"):
        return to_us(record.handling.review_by)
    return to_us(record.create_time) + retention.review // _MICROSECOND


def purge_due_us(record: Record, retention: Retention) -> int | None:
    """Tell from when on nothing of the record may be left; None: not before somebody says so.

    The earliest of: the purge time of a deleted record, the `purge_by` of its label, and, only where the label has
    none, the time that its class gives it after its review was due.
    """
    due = []
    if record.HasField("purge_time"):
        due.append(to_us(record.purge_time))
    if record.handling.HasField("purge_by"):
        due.append(to_us(record.handling.purge_by))
    elif retention.unreviewed is not None:
        due.append(review_due_us(record, retention) + retention.unreviewed // _MICROSECOND)
    return min(due, default=None)
