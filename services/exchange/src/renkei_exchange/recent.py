"""What a relay reads of an outbound lane: its newest bundles from memory, the others from the database."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_exchange import store
from renkei_exchange.lane import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from renkei.exchange.v1.exchange_pb2 import Lane

    from renkei_chassis.database.engine import Database
    from renkei_exchange.lane import Made

_RECENT_BYTES: Final = 64 * 1024


class Recent:
    """The newest bundles of a lane, as they were just committed: a relay that is up to date need not read them again.

    They are forgotten with the first erasure, also one that is committed together with them.
    """

    def __init__(self, erasures: Callable[[], int]) -> None:
        """Take what counts erasures."""
        self._erasures = erasures
        self._bundles: deque[Made] = deque()
        self._size = self._known = 0

    def keeper(self, made: Made) -> Callable[[], None]:
        """Give what keeps a bundle once it is committed."""
        known = self._erasures()

        def keep() -> None:
            if known != self._known or (
                self._bundles and self._bundles[-1].position.bundle + 1 != made.position.bundle
            ):
                self._bundles.clear()
                self._size = 0
            self._known = known
            self._bundles.append(made)
            self._size += _size(made)
            while self._size > _RECENT_BYTES:
                self._size -= _size(self._bundles.popleft())

        return keep

    def after(self, number: int, limit: int) -> Sequence[tuple[int, bytes]] | None:
        """Give the bundles after a number, put together for sending; None where some of them are not here."""
        bundles = self._bundles
        if self._known != self._erasures() or not bundles or number + 1 < bundles[0].position.bundle:
            return None
        found = [made for made in bundles if made.position.bundle > number][:limit]
        return [(made.position.bundle, assemble(made.header, b"", made.items)) for made in found]


def _size(made: Made) -> int:
    return len(made.header) + sum(len(item.body) for item in made.items)


class LaneSource:
    """One outbound lane as a relay reads it: its bundles, numbered from 1, always the same bytes."""

    def __init__(self, *, database: Database, recent: Recent, peer: str, lane: Lane.ValueType) -> None:
        """Take where the lane is kept, and its newest bundles."""
        self._database = database
        self._recent = recent
        self._peer = peer
        self._lane: Lane.ValueType = lane

    async def last_number(self) -> int:
        """Give the number of the last bundle."""
        state = await self._database.look(partial(store.read_state, peer=self._peer, lane=self._lane, outbound=True))
        return state.position.bundle

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Give bundles after a number: a slice of about 1 MiB at most, whatever the limit."""
        recent = self._recent.after(after, limit)
        if recent:
            return recent
        return await self._database.read(
            partial(store.read_bundles, peer=self._peer, lane=self._lane, after=after, limit=limit)
        )
