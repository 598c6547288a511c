"""One peer: the ways to it, its lanes in both directions, and whether it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei.exchange.v1.exchange_pb2 import Lane

    from renkei_chassis.clock import Clock
    from renkei_chassis.courier import Connection
    from renkei_exchange.federation import Agency
    from renkei_exchange.inbound import InboundLane

_SETTLING_SECONDS: Final = (0.5, 1.5, 3.0)


@dataclass(slots=True, kw_only=True, eq=False)
class Peer:
    """Another agency as the exchange deals with it."""

    agency: Agency
    lanes: Mapping[Lane.ValueType, InboundLane]
    """From there to here."""
    clock: Clock
    connection: Connection | None = None
    """To its nats-server."""
    answers: bool = False
    """Whether its exchange answered when last asked."""
    reachable: bool = field(init=False, default=False)
    since_us: int = field(init=False)
    """Since when `reachable` is so."""

    def __post_init__(self) -> None:
        """Nobody is heard of at the start."""
        self.since_us = self.clock.now_us()
        for lane in self.lanes.values():
            lane.courier_connected = self._courier_connected
            lane.on_answer = self._answered
        if self.connection is not None:
            self.connection.observe(self._courier_changed)

    def _courier_connected(self) -> bool:
        return self.connection is not None and self.connection.connected

    def _answered(self, answers: bool) -> None:  # noqa: FBT001 (an observer's one argument)
        self.answers = answers
        self._look()

    def _courier_changed(self, connected: bool) -> None:  # noqa: FBT001 (an observer's one argument)
        self._look()
        for lane in self.lanes.values():
            lane.hurry()
            if connected:
                # Its relays may still be making their streams anew: ask again before the next tick.
                for seconds in _SETTLING_SECONDS:
                    asyncio.get_running_loop().call_later(seconds, lane.hurry)

    def _look(self) -> None:
        reachable = self.answers or self._courier_connected()
        if reachable != self.reachable:
            self.reachable = reachable
            self.since_us = self.clock.now_us()
