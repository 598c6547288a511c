"""Which agencies are cut off, so that records of theirs may be missing from a list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from renkei.exchange.v1.exchange_pb2 import ListPeersRequest
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub

from renkei_chassis.errors import RenkeiError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from renkei_chassis.rpc.client import Client

TICK_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 2.0


class Reach:
    """What the exchange said last about the peers. While it says nothing, nobody counts as reachable."""

    def __init__(self, exchange: Client, *, peers: Collection[str], tick_seconds: float = TICK_SECONDS) -> None:
        """Take the way to the exchange, and the other agencies by name."""
        self.unreachable: Sequence[str] = sorted(peers)
        self._all = self.unreachable
        self._exchange = exchange
        self._tick_seconds = tick_seconds

    async def run(self) -> None:
        """Ask at every tick, for ever."""
        stub = self._exchange.stub(ExchangeServiceStub)
        while True:
            try:
                answer = await self._exchange.call(stub.ListPeers, ListPeersRequest(), seconds=_ANSWER_SECONDS)
                self.unreachable = sorted(answer.unreachable)
            except RenkeiError:
                self.unreachable = self._all
            await asyncio.sleep(self._tick_seconds)
