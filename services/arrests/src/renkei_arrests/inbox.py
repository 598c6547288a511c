"""What the events of other agencies' arrest records and exhibits do here: copies come, are replaced, and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_arrests.exhibits.copies import exhibit_handlers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.follower.apply import Handler

FROM_EXCHANGE: Final[Mapping[str, Handler]] = exhibit_handlers()
"""Handlers for the exchange's log. Events without origin are our own and do nothing."""
