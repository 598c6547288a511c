"""Bugs of a follower and of what events do. See `planted.py`."""

# ruff: noqa: ANN401 (stand-ins take what the real ones take)

from __future__ import annotations

import asyncio
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import renkei_tips.inbox
from renkei_chassis import failpoints
from renkei_chassis.courier import relay
from renkei_chassis.follower import state
from renkei_chassis.follower.apply import Applier
from renkei_chassis.follower.follower import Follower
from renkei_chassis.follower.memory import advance
from renkei_exchange.outbound import Outbound
from tests.system.faults.planting import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.follower.apply import Handler
    from renkei_chassis.follower.state import Cursor
    from renkei_tips.opinions import Opinions

_WINDOW = "planted"
_BUFFER = 2


def cursor_outside() -> None:
    """Bring into effect in one transaction, and note that in another."""

    async def apply(self: Applier, events: Sequence[Event], *, after: Cursor) -> Cursor:
        await self._writer.run(lambda transaction: _effect(self, transaction, events))
        _pass(self, events)
        _, cursor = await self._writer.run(lambda transaction: _mark(self, transaction, events, after))
        return cursor

    replace(Applier, "apply", apply)


def cursor_before() -> None:
    """Note that it is in effect, and then bring it into effect."""

    async def apply(self: Applier, events: Sequence[Event], *, after: Cursor) -> Cursor:
        fresh, cursor = await self._writer.run(lambda transaction: _mark(self, transaction, events, after))
        _pass(self, events)
        await self._writer.run(lambda transaction: _bring(self, transaction, fresh))
        return cursor

    replace(Applier, "apply", apply)


def no_dedupe() -> None:
    """Bring into effect whatever comes, as often as it comes."""

    async def apply(self: Follower, events: Sequence[Event]) -> None:
        if events:
            reached = await self._applier.apply(list(events), after=self.cursor)
            if reached.sequence > self.cursor.sequence:
                self.cursor = reached

    replace(Follower, "_apply", apply)
    replace(state, "unapplied", lambda _transaction, _source, events: list(events))
    replace(state, "remember_applied", lambda _transaction, _source, _event: None)


def resume_at_nats() -> None:
    """Believe that NATS goes on where it stopped: what it brings first is next, and the log is not asked."""

    async def never(self: Follower) -> None:
        await asyncio.Event().wait()

    async def take(self: Follower, batch: Any) -> None:
        events = [event for event in batch.events if event.sequence > self.cursor.sequence]
        if events:
            self.last_known = events[-1].sequence
            self.cursor = await self._applier.apply(events, after=dataclasses.replace(self.cursor, epoch=batch.epoch))

    replace(Follower, "run", never)
    replace(Follower, "_take", take)
    # How much of a log a new stream begins with is the relay's to choose.
    replace(relay, "_RECENT", 1)


def drop_when_full() -> None:
    """Send on what fits into a buffer, and no more."""
    put = Outbound.put

    def put_if_it_fits(self: Outbound, transaction: Transaction, item: Any) -> None:
        waiting = sum(len(items) for items in transaction._collected.values())
        if waiting < _BUFFER:
            put(self, transaction, item)

    replace(Outbound, "put", put_if_it_fits)


def forget_withdrawals() -> None:
    """Keep what was taken back."""
    made = renkei_tips.inbox.from_exchange

    def forgetful(opinions: Opinions) -> Mapping[str, Handler]:
        return {name: act for name, act in made(opinions).items() if not name.endswith(("Withdrawn", "Deleted"))}

    # Its wiring is imported later, and takes what is here then.
    assert "renkei_tips.wiring" not in sys.modules
    replace(renkei_tips.inbox, "from_exchange", forgetful)


def _pass(applier: Applier, events: Sequence[Event]) -> None:
    """Be killed where it hurts: when the tips of others come into effect."""
    if applier._writer._log.name.endswith("/tips") and any(event.type.endswith("TipRecorded") for event in events):
        failpoints.hit(_WINDOW)


def _effect(applier: Applier, transaction: Transaction, events: Sequence[Event]) -> None:
    _bring(applier, transaction, state.unapplied(transaction, applier.source, events))


def _bring(applier: Applier, transaction: Transaction, events: Sequence[Event]) -> None:
    for event in events:
        applier._one(transaction, event, ())


def _mark(
    applier: Applier, transaction: Transaction, events: Sequence[Event], after: Cursor
) -> tuple[Sequence[Event], Cursor]:
    fresh = state.unapplied(transaction, applier.source, events)
    for event in fresh:
        state.remember_applied(transaction, applier.source, event)
    return fresh, advance(transaction, applier.source, after, events, applier._memory)
