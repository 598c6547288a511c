"""Take one lane of a peer: NATS is fast, ReadLane is sure, and our own position says what is missing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Never

from renkei.exchange.v1.exchange_pb2 import ReadLaneRequest, ReadLaneResponse

from renkei_chassis.errors import OutOfRange, RenkeiError
from renkei_chassis.failpoints import Place, hit
from renkei_exchange import alarms, store
from renkei_exchange.lane import (
    Ask,
    Block,
    Drain,
    Effect,
    LaneReason,
    Skip,
    Take,
    begin,
    lane_name,
    number_of,
    receive,
)
from renkei_exchange.store import LaneState

if TYPE_CHECKING:
    from renkei_chassis.courier import Message
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_exchange.admission import Admission
    from renkei_exchange.alarms import Alarms
    from renkei_exchange.lane import Route
    from renkei_exchange.settings import Settings

ReadLane = Callable[[ReadLaneRequest], Awaitable[ReadLaneResponse]]
_LONGEST_EPOCH: Final = 36
_FIRST_PAUSE_SECONDS: Final = 0.25
_ITEMS_AT_ONCE: Final = 2048


class InboundLane:
    """Brings one lane of one peer into our log, in order, each bundle once.

    `on_messages` takes bundles from NATS, as they come and as often as they like to. `run` asks the
    peer itself at the start, at every tick, and when `hurry` is called. One stretch at a time.
    """

    def __init__(
        self,
        *,
        route: Route,
        database: Database,
        writer: Writer,
        admission: Admission,
        read_lane: ReadLane,
        settings: Settings,
        alarms: Alarms,
        control: InboundLane | None = None,
    ) -> None:
        """Take the peer's own answer (`read_lane`), and for a data lane the control lane beside it."""
        state = database.recall(partial(store.read_state, peer=route.origin, lane=route.lane, outbound=False))
        self.route = route
        self.position = state.position
        self.blocked = state.blocked
        self.last_known = state.position.bundle
        self.repaired = 0
        self.courier_connected: Callable[[], bool] = lambda: False
        self.on_answer: Callable[[bool], None] = lambda _reachable: None
        self.on_commit: Callable[[], None] = lambda: None
        self._control = control
        self._writer = writer
        self._admission = admission
        self._read_lane = read_lane
        self._settings = settings
        self._alarms = alarms
        self._lock = asyncio.Lock()
        self._moved = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failures = 0

    async def run(self) -> Never:
        """Repair at every tick, for ever. Cancel it to stop."""
        while True:
            self._hurry.clear()
            try:
                await self.pull()
            except RenkeiError:
                pause = self._pause_after_failure()
            else:
                self._failures = 0
                quick = self._settings.tick_seconds_without_courier
                pause = self._settings.tick_seconds if self.courier_connected() else quick
            try:
                async with asyncio.timeout(pause):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    def hurry(self) -> None:
        """Say that the way to the peer has changed: ask now, and do not wait for the tick."""
        self._failures = 0
        self._hurry.set()

    async def on_messages(self, messages: Sequence[Message]) -> int | None:
        """Take bundles from NATS; returns the number of the last that is committed, to be acknowledged."""
        async with self._lock:
            self.last_known = max(self.last_known, messages[-1].number)
            with suppress(RenkeiError):  # what is missing can be had from nobody now, and comes again
                await self._take([message.data for message in messages], sure=False)
            return next((message.number for message in reversed(messages) if self._is_done(message)), None)

    async def pull(self) -> None:
        """Read from the peer what comes after our position, until there is no more or it is no good."""
        async with self._lock:
            await self._pull()

    async def reached(self, epoch: str, through: int) -> None:
        """Wait until the lane is committed through a bundle."""
        while not self.has(epoch, through):
            self._moved.clear()
            await self._moved.wait()

    def has(self, epoch: str, through: int) -> bool:
        """Tell whether the lane is committed through a bundle."""
        return self.position.epoch == epoch and self.position.bundle >= through

    def _is_done(self, message: Message) -> bool:
        claimed = number_of(message.data)
        # A number alone says nothing: a stream of another epoch counts anew.
        return self.has(self.position.epoch if claimed is None else claimed[0], message.number)

    async def _pull(self) -> None:
        while True:
            answer = await self._ask()
            await self._adopt(answer.epoch)
            self.last_known = answer.last_bundle
            if not answer.bundles:
                if self.blocked:
                    await self._block("")
                return
            before = self.position
            await self._take(answer.bundles, sure=True)
            self.repaired += self.position.bundle - before.bundle
            if self.blocked or self.position == before or self.position.bundle >= answer.last_bundle:
                return

    async def _ask(self) -> ReadLaneResponse:
        request = ReadLaneRequest(lane=self.route.lane, after_bundle=self.position.bundle, epoch=self.position.epoch)
        try:
            answer = await self._read_lane(request)
        except RenkeiError as error:
            ahead = isinstance(error, OutOfRange)
            self.on_answer(ahead)
            if ahead:
                await self._block(LaneReason.LANE_AHEAD)
            raise
        self.on_answer(True)  # noqa: FBT003 (the observer's one argument)
        return answer

    async def _adopt(self, epoch: str) -> None:
        """Go on in the epoch that the sender names; what is in our log already is known by its event ids."""
        position = begin(self.position, epoch[:_LONGEST_EPOCH])
        if position is self.position:
            return
        if self.position.epoch:
            self._sound(alarms.NEW_EPOCH)
        await self._writer.run(partial(self._store, LaneState(position=position)))
        self.position, self.blocked = position, ""

    async def _take(self, raws: Sequence[bytes], *, sure: bool) -> None:
        """Commit what comes next of these; stop where it is not to be had."""
        takes: list[Take] = []
        for raw in raws:
            effect = self._receive(raw, takes, sure=sure)
            if isinstance(effect, Drain):
                await self._commit(takes)
                if not await self._drain(effect.through, sure=sure):
                    return
                effect = self._receive(raw, takes, sure=sure)
            if isinstance(effect, Take):
                takes.append(effect)
                if sum(len(take.items) for take in takes) >= _ITEMS_AT_ONCE:
                    await self._commit(takes)
            elif not isinstance(effect, Skip):
                await self._commit(takes)
                if not await self._mend(effect):
                    return
        await self._commit(takes)

    async def _mend(self, effect: Ask | Block | Drain) -> bool:
        """Do what can be done where a bundle is no good. False: the lane stops here for now."""
        if isinstance(effect, Ask):
            return await self._fetch_instead(effect)
        if isinstance(effect, Block):
            await self._block(effect.reason)
        return False

    def _receive(self, raw: bytes, takes: Sequence[Take], *, sure: bool) -> Effect:
        position = takes[-1].position if takes else self.position
        control = self._control.position if self._control is not None else position
        return receive(raw, route=self.route, position=position, control=control, sure=sure)

    async def _fetch_instead(self, ask: Ask) -> bool:
        """Read from the sender what NATS did not bring, or brought spoiled. False: that did not help."""
        if ask.reason not in {None, LaneReason.EPOCH_UNKNOWN}:
            self._sound(alarms.BAD_COPY, kind=str(ask.reason))
        before = self.position
        await self._pull()
        return self.position != before and not self.blocked

    async def _drain(self, through: int, *, sure: bool) -> bool:
        """See that the control lane is committed through a bundle, so that data never overtakes it."""
        control, epoch = self._control, self.position.epoch
        if control is None:
            return True
        if self.courier_connected():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.control_wait_seconds):
                    await control.reached(epoch, through)
        if not control.has(epoch, through):
            await control.pull()
        if control.has(epoch, through):
            return True
        if sure and not control.blocked:
            # The sender's data speaks of control bundles that the sender does not have.
            await self._block(LaneReason.CHAIN_BROKEN)
        return False

    async def _commit(self, takes: list[Take]) -> None:
        """Store, hand on and move, in one transaction; what was taken leaves the list."""
        if not takes:
            return
        await self._writer.run(partial(self._bring_in, tuple(takes)))
        hit(Place.AFTER_LANE_COMMIT)
        self.position, self.blocked = takes[-1].position, ""
        takes.clear()
        self._moved.set()
        self.on_commit()

    def _bring_in(self, takes: Sequence[Take], transaction: Transaction) -> None:
        self._admission.admit(transaction, self.route, takes)
        state = store.read_state(transaction, self.route.origin, self.route.lane, outbound=False)
        moved = replace(state, position=takes[-1].position, receive_time_us=transaction.now_us, blocked="")
        self._store(moved, transaction)

    async def _block(self, reason: str) -> None:
        """Say that the lane stands still and why; an empty reason: that it does no more."""
        if reason == self.blocked:
            return
        await self._writer.run(partial(self._mark, reason))
        self.blocked = reason
        if reason:
            self._sound(alarms.BLOCKED, kind=reason)

    def _mark(self, reason: str, transaction: Transaction) -> None:
        state = store.read_state(
            transaction, self.route.origin, self.route.lane, outbound=False, epoch=self.position.epoch
        )
        self._store(replace(state, blocked=reason), transaction)

    def _store(self, state: LaneState, transaction: Transaction) -> None:
        store.write_state(transaction, self.route.origin, self.route.lane, state, outbound=False)

    def _sound(self, reason: str, **fields: str) -> None:
        self._alarms.sound(
            reason, peer=self.route.origin, lane=lane_name(self.route.lane), bundle=self.position.bundle + 1, **fields
        )

    def _pause_after_failure(self) -> float:
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 10), self._settings.longest_pause_seconds)
        self._failures += 1
        return pause * random.uniform(0.75, 1.0)  # noqa: S311 (jitter, not a secret)
