"""How long tips and opinions are kept: a tip that nothing bears out is reviewed sooner than any other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from renkei.tips.v1.tips_pb2 import Grading

from renkei_chassis.records.kind import Retention
from renkei_chassis.records.times import to_us

if TYPE_CHECKING:
    from renkei.tips.v1.opinions_pb2 import Opinion
    from renkei.tips.v1.tips_pb2 import Tip

    from renkei_tips.settings import Settings

_BORNE_OUT: Final = frozenset({Grading.ACCURACY_1, Grading.ACCURACY_3})


def retention_of(settings: Settings, tip: Tip) -> Retention:
    """Tell how long a tip is kept where its label does not say."""
    confirmed = tip.grading.accuracy in _BORNE_OUT
    return Retention(
        review=timedelta(days=settings.review_days if confirmed else settings.unconfirmed_review_days),
        unreviewed=_unreviewed(settings),
    )


def retention_of_opinion(settings: Settings, opinion: Opinion) -> Retention:
    """Tell the same of an opinion: like a tip that is borne out, until the tip that it is about is purged."""
    return Retention(
        review=timedelta(days=settings.review_days),
        unreviewed=_unreviewed(settings),
        overtaken_us=to_us(opinion.tip_purge_time) if opinion.HasField("tip_purge_time") else None,
    )


def _unreviewed(settings: Settings) -> timedelta | None:
    return timedelta(days=settings.unreviewed_days) if settings.unreviewed_days else None
