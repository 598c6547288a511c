"""How a record holds the text that was searched for, as the contract tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.tips.v1.tips_pb2 import TipMatch

if TYPE_CHECKING:
    from renkei_chassis.records.texts.query import Match


def match_of(match: Match) -> TipMatch:
    """Tell where the terms stand."""
    return TipMatch(
        exact=match.exact,
        highlights=[TipMatch.Highlight(field=each.field, start=each.start, end=each.end) for each in match.highlights],
    )
