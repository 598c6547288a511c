"""Put items into the lanes to the peers: one bundle for each lane and commit group, and what relays read."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Lane

from renkei_exchange import store
from renkei_exchange.lane import LANES, SALT_BYTES, Item, Route, make_bundles
from renkei_exchange.recent import Recent
from renkei_exchange.store import PURGED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from renkei_chassis.database.transaction import Transaction
    from renkei_exchange.store import OutItem


class Outbound:
    """The lanes from here to every peer."""

    def __init__(
        self,
        *,
        own: str,
        peers: Collection[str],
        epoch: str,
        new_salts: Callable[[int], bytes] = secrets.token_bytes,
        erasures: Callable[[], int] = lambda: 0,
    ) -> None:
        """Take this agency, its peers, and the epoch of the database, which is that of the lanes.

        Whenever `erasures` has grown, nothing is told from memory that was put into a lane before.
        """
        self.epoch = epoch
        self.recent = {(peer, lane): Recent(erasures) for peer in peers for lane in LANES}
        self._own = own
        self._new_salts = new_salts
        self._wakes: dict[tuple[str, int], list[Callable[[], None]]] = {}
        # One callback for each lane, so that a commit group wakes each once.
        self._woken = {(peer, lane): partial(self._wake, peer, lane) for peer in peers for lane in LANES}

    def on_growth(self, peer: str, lane: Lane.ValueType, wake: Callable[[], None]) -> None:
        """Have something called on the event loop whenever the lane has grown."""
        self._wakes.setdefault((peer, lane), []).append(wake)

    def put(self, transaction: Transaction, item: OutItem) -> None:
        """Put an item into a lane. The batch's items for one lane become one bundle, if they fit into one."""
        transaction.collect(self._close, item)

    def _close(self, transaction: Transaction, out: Sequence[OutItem]) -> None:
        by_lane: dict[tuple[int, str], list[OutItem]] = {}
        for item in _left(out):
            by_lane.setdefault((item.lane, item.peer), []).append(item)
        # Control before data: data made in the same batch then waits for it at the receiver.
        for (_, peer), found in sorted(by_lane.items(), key=lambda entry: entry[0]):
            self._append(transaction, peer, found[0].lane, found)

    def _append(self, transaction: Transaction, peer: str, lane: Lane.ValueType, out: Sequence[OutItem]) -> None:
        state = self._state(transaction, peer, lane)
        control = self._state(transaction, peer, LANE_CONTROL).position.bundle if lane == LANE_DATA else 0
        salts = self._new_salts(SALT_BYTES * len(out))
        salted = [
            Item(body=item.body, salt=salts[index * SALT_BYTES : (index + 1) * SALT_BYTES])
            for index, item in enumerate(out)
        ]
        route = Route(origin=self._own, recipient=peer, lane=lane)
        done = 0
        for made in make_bundles(
            salted, route=route, after=state.position, control_through=control, time_us=transaction.now_us
        ):
            store.add_bundle(transaction, peer, lane, made, out[done : done + len(made.items)])
            transaction.after_commit(self.recent[peer, lane].keeper(made))
            done += len(made.items)
            state = replace(state, position=made.position)
        store.write_state(transaction, peer, lane, state, outbound=True)
        transaction.after_commit(self._woken[peer, lane])

    def _state(self, transaction: Transaction, peer: str, lane: Lane.ValueType) -> store.LaneState:
        return store.read_state(transaction, peer, lane, outbound=True, epoch=self.epoch)

    def _wake(self, peer: str, lane: Lane.ValueType) -> None:
        for wake in self._wakes.get((peer, lane), ()):
            wake()


def _left(out: Sequence[OutItem]) -> Iterator[OutItem]:
    """Leave out what a later item of the batch says is gone for ever: it has no place in a lane yet, and needs none."""
    purged = {(item.peer, item.resource): index for index, item in enumerate(out) if item.type_name in PURGED}
    for index, item in enumerate(out):
        if index >= purged.get((item.peer, item.resource), 0):
            yield item
