"""How long arrest records are kept: all alike, and by themselves for ever, unless the agency says otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from renkei_chassis.records.kind import Retention

if TYPE_CHECKING:
    from renkei.arrests.v1.arrests_pb2 import Arrest

    from renkei_arrests.settings import Settings


def retention_of(settings: Settings, _arrest: Arrest) -> Retention:
    """Tell how long a record is kept where its label does not say."""
    return Retention(
        review=timedelta(days=settings.review_days),
        unreviewed=timedelta(days=settings.unreviewed_days) if settings.unreviewed_days else None,
    )
