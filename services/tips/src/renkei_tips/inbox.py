"""What the events of other agencies' tips and opinions do here: copies come, are replaced, and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renkei.tips.v1.events_pb2 import TipPurged

from renkei_chassis.records.receiving import handlers
from renkei_tips.opinion import OPINIONS
from renkei_tips.record import TIPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.follower.apply import Handler
    from renkei_tips.opinions import Opinions


def from_exchange(opinions: Opinions) -> Mapping[str, Handler]:
    """Give the handlers for the exchange's log. Events without origin are our own and do nothing."""
    of_tips = handlers(TIPS)
    purged = TipPurged.DESCRIPTOR.full_name

    def purge(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (any event)
        of_tips[purged](transaction, event, payload)
        if event.origin.agency:
            opinions.overtake(transaction, payload.name)

    return {**of_tips, **handlers(OPINIONS), purged: purge}
