"""Both ends of a pair of lanes in memory, run by the very functions that ship: for tables and histories."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Bundle, BundleHeader, Lane

from renkei_exchange.lane import (
    LANES,
    Ask,
    Block,
    Drain,
    Effect,
    Item,
    LaneError,
    Position,
    Route,
    Skip,
    Take,
    assemble,
    begin,
    make_bundles,
    receive,
    resume_after,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ORIGIN: Final = "agencies/jp-09"
RECIPIENT: Final = "agencies/jp-12"
LaneKind: TypeAlias = Lane.ValueType


def route(lane: LaneKind = LANE_DATA) -> Route:
    return Route(origin=ORIGIN, recipient=RECIPIENT, lane=lane)


def item(content: str | bytes) -> Item:
    """Make an item whose salt follows from its content, so that a test is the same each time."""
    body = content.encode() if isinstance(content, str) else content
    return Item(body=body, salt=hashlib.sha256(body).digest()[:16])


class Sender:
    """The sending end: what it made, and its answer to ReadLane."""

    def __init__(self, epoch: str = "e1") -> None:
        self.positions: dict[LaneKind, Position] = {}
        self.bundles: dict[LaneKind, list[bytes]] = {}
        self.items: dict[LaneKind, list[bytes]] = {lane: [] for lane in LANES}
        self.begin(epoch)

    def begin(self, epoch: str) -> None:
        """Lose the lanes and offer everything again in a new epoch."""
        self.positions = {lane: Position(epoch=epoch) for lane in LANES}
        self.bundles = {lane: [] for lane in LANES}
        for lane in LANES:
            self._append(lane, self.items[lane])

    def send(self, lane: LaneKind, *contents: str | bytes) -> list[bytes]:
        """Put items into a lane as one commit group; returns the bundles that carry them."""
        bodies = [item(content).body for content in contents]
        self.items[lane] += bodies
        return self._append(lane, bodies)

    def read(self, lane: LaneKind, *, epoch: str, after: int, limit: int = 3) -> tuple[str, int, Sequence[bytes]]:
        """Answer ReadLane. Raises LaneError for what was never made."""
        own = self.positions[lane]
        start = resume_after(epoch=own.epoch, last_bundle=own.bundle, asked_epoch=epoch, asked_after=after)
        return own.epoch, own.bundle, self.bundles[lane][start : start + limit]

    def _append(self, lane: LaneKind, bodies: Sequence[bytes]) -> list[bytes]:
        through = self.positions[LANE_CONTROL].bundle if lane == LANE_DATA else 0
        items = [item(body) for body in bodies]
        made = list(
            make_bundles(items, route=route(lane), after=self.positions[lane], control_through=through, time_us=1)
        )
        raws = [assemble(bundle.header, b"", bundle.items) for bundle in made]
        if made:
            self.positions[lane] = made[-1].position
        self.bundles[lane] += raws
        return raws


@dataclass(slots=True)
class Receiver:
    """The receiving end, whose fields are what its database would hold."""

    sender: Sender
    spoil: Callable[[bytes], bytes] = field(default=lambda raw: raw)
    """What happens to the sender's own answers on their way."""
    positions: dict[LaneKind, Position] = field(default_factory=lambda: {lane: Position(epoch="") for lane in LANES})
    log: dict[LaneKind, list[bytes]] = field(default_factory=lambda: {lane: [] for lane in LANES})
    blocked: dict[LaneKind, str] = field(default_factory=lambda: dict.fromkeys(LANES, ""))

    def show(self, lane: LaneKind, raw: bytes) -> None:
        """Take a copy that NATS brought, good or not."""
        self._take(lane, raw, sure=False)

    def pull(self, lane: LaneKind) -> None:
        """Ask the sender until there is no more or it is no good."""
        while True:
            own = self.positions[lane]
            epoch, last, raws = self.sender.read(lane, epoch=own.epoch, after=own.bundle)
            self.positions[lane] = begin(own, epoch)
            before = self.positions[lane]
            for raw in raws:
                if not self._take(lane, self.spoil(raw), sure=True):
                    return
            if self.positions[lane].bundle >= last or self.positions[lane] == before:
                return

    def _take(self, lane: LaneKind, raw: bytes, *, sure: bool) -> bool:
        effect = self._effect(lane, raw, sure=sure)
        if isinstance(effect, Drain):
            self.pull(LANE_CONTROL)
            effect = self._effect(lane, raw, sure=sure)
        match effect:
            case Take():
                bodies = [arrived.body for arrived in effect.items if arrived.body is not None]
                self.log[lane] += [body for body in bodies if body not in self.log[lane]]
                self.positions[lane], self.blocked[lane] = effect.position, ""
            case Block():
                self.blocked[lane] = str(effect.reason)
                return False
            case Ask():
                self.pull(lane)
            case Drain():
                if sure and not self.blocked[LANE_CONTROL]:
                    self.blocked[lane] = "CHAIN_BROKEN"
                return False
            case Skip():
                pass
        return True

    def _effect(self, lane: LaneKind, raw: bytes, *, sure: bool) -> Effect:
        control = self.positions[LANE_CONTROL]
        return receive(raw, route=route(lane), position=self.positions[lane], control=control, sure=sure)


def header_of(raw: bytes) -> BundleHeader:
    return BundleHeader.FromString(Bundle.FromString(raw).header)


def with_header(raw: bytes, **fields: object) -> bytes:
    """Forge a bundle: the same items under a header in which some fields are others."""
    bundle, header = Bundle.FromString(raw), header_of(raw)
    for name in fields:
        header.ClearField(name)  # type: ignore[arg-type]  # the test names fields that are there
    forged = BundleHeader(**fields)  # type: ignore[arg-type]  # the same
    header.MergeFrom(forged)
    bundle.header = header.SerializeToString()
    return bundle.SerializeToString()


__all__ = ["LANE_CONTROL", "LANE_DATA", "LaneError", "Receiver", "Sender", "header_of", "item", "route", "with_header"]
