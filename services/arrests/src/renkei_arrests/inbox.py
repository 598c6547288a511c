"""What the events of other agencies' arrest records do here: copies come, are replaced, and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_arrests.record import ARRESTS
from renkei_chassis.records.receiving import handlers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.follower.apply import Handler

FROM_EXCHANGE: Final[Mapping[str, Handler]] = handlers(ARRESTS)
"""Handlers for the exchange's log. Events without origin are our own and do nothing."""
