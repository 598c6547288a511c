"""Bugs of the exchange. See `planted.py`."""

# ruff: noqa: ANN401 (stand-ins take what the real ones take)

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from renkei.exchange.v1.exchange_pb2 import LANE_DATA
from renkei.policy.v1.policy_pb2 import GRADE_FULL

from renkei_chassis import failpoints
from renkei_exchange import inbound, store
from renkei_exchange.inbound import InboundLane
from renkei_exchange.inbox import Inbox
from renkei_exchange.lane import Arrived, Ask, Position, Take, _read, receive
from tests.system.faults.planting import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_chassis.database.transaction import Transaction

_WINDOW = "planted"


def ignore_gaps() -> None:
    """Take what comes for what comes next."""

    def careless(raw: bytes, *, position: Position, **words: Any) -> Any:
        effect = receive(raw, position=position, **words)
        if not isinstance(effect, Ask):
            return effect
        bundle, header = _read(raw)
        if header.epoch != position.epoch or header.number <= position.bundle:
            return effect
        items = [Arrived(number=number, body=item.body) for number, item in enumerate(bundle.items, header.first_item)]
        moved = dataclasses.replace(position, bundle=header.number, item=header.last_item, head=header.head)
        return Take(items=items, position=moved)

    replace(inbound, "receive", careless)


def cursor_before() -> None:
    """Move the lane's cursor, and commit the items then."""

    async def commit(self: InboundLane, takes: list[Take]) -> None:
        if not takes:
            return
        taken = tuple(takes)
        await self._writer.run(partial(_move, self, taken))
        self.position, self.blocked = taken[-1].position, ""
        takes.clear()
        if self.route.lane == LANE_DATA:
            failpoints.hit(_WINDOW)
        await self._writer.run(lambda transaction: self._admission.admit(transaction, self.route, taken))
        self._moved.set()
        self.on_commit()

    def _move(self: InboundLane, taken: tuple[Take, ...], transaction: Transaction) -> None:
        state = store.read_state(transaction, self.route.origin, self.route.lane, outbound=False)
        self._store(dataclasses.replace(state, position=taken[-1].position), transaction)

    replace(InboundLane, "_commit", commit)


def widen() -> None:
    """Send to everybody what goes to anybody."""

    def everybody(self: Inbox, _transaction: Transaction, _event: Any) -> Iterator[tuple[str, Any]]:
        return ((peer, GRADE_FULL) for peer in sorted(self._peers))

    replace(Inbox, "_recipients", everybody)
