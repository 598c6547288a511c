"""Histories of one pair of lanes: loss, repetition, disorder, spoiled bytes, restarts and restored senders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA

from renkei_exchange.lane import LANES
from tests.exchange.lanes import Receiver, Sender

if TYPE_CHECKING:
    from tests.exchange.lanes import LaneKind

_LANES: Final = st.sampled_from(LANES)
_BYTE: Final = st.tuples(st.integers(0, 10_000), st.integers(1, 255))

Step: TypeAlias = tuple[Any, ...]
_HONEST: Final = (
    st.tuples(st.just("send"), _LANES, st.integers(1, 4)),
    st.tuples(st.just("deliver"), _LANES, st.integers(0, 99)),
    st.tuples(st.just("deliver and keep"), _LANES, st.integers(0, 99)),
    st.tuples(st.just("lose"), _LANES, st.integers(0, 99)),
    st.tuples(st.just("tick"), _LANES),
    st.tuples(st.just("restore the sender")),
)
_SPOILING: Final = (
    st.tuples(st.just("deliver spoiled"), _LANES, st.integers(0, 99), _BYTE),
    st.tuples(st.just("tick over a bad line"), _LANES, _BYTE),
)


@dataclass(slots=True)
class World:
    """A sender, a receiver, and the copies that are on their way by NATS."""

    sender: Sender = field(default_factory=Sender)
    receiver: Receiver = field(init=False)
    on_their_way: dict[LaneKind, list[bytes]] = field(default_factory=lambda: {lane: [] for lane in LANES})
    sent: int = 0
    restores: int = 0

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.sender)

    def step(self, step: Step) -> None:
        match step:
            case ("send", lane, count):
                texts = [f"{lane}-{self.sent + index}" for index in range(count)]
                self.sent += count
                self.on_their_way[lane] += self.sender.send(lane, *texts)
            case ("deliver", lane, place):
                self._deliver(lane, place, keep=False)
            case ("deliver and keep", lane, place):
                self._deliver(lane, place, keep=True)
            case ("deliver spoiled", lane, place, (byte, flip)):
                self._deliver(lane, place, keep=False, flip=(byte, flip))
            case ("lose", lane, place):
                if self.on_their_way[lane]:
                    del self.on_their_way[lane][place % len(self.on_their_way[lane])]
            case ("tick", lane):
                self.receiver.pull(lane)
            case ("tick over a bad line", lane, (byte, flip)):
                self.receiver.spoil = lambda raw: spoiled(raw, byte, flip)
                self.receiver.pull(lane)
                self.receiver.spoil = bytes
            case ("restore the sender",):
                self.restores += 1
                self.sender.begin(f"e{self.restores + 1}")
            case _:
                raise AssertionError(step)

    def _deliver(self, lane: LaneKind, place: int, *, keep: bool, flip: tuple[int, int] | None = None) -> None:
        copies = self.on_their_way[lane]
        if not copies:
            return
        index = place % len(copies)
        raw = copies[index]
        if not keep:
            del copies[index]
        self.receiver.show(lane, spoiled(raw, *flip) if flip else raw)


def spoiled(raw: bytes, byte: int, flip: int) -> bytes:
    changed = bytearray(raw)
    changed[byte % len(raw)] ^= flip
    return bytes(changed)


@settings(max_examples=400)
@given(st.lists(st.one_of(*_HONEST, *_SPOILING), max_size=60))
def test_every_item_arrives_once_and_in_order_whatever_happens_on_the_way(steps: list[Step]) -> None:
    """At every moment the receiver holds a beginning of what was sent, and after a good line all of it."""
    world = World()
    for step in steps:
        world.step(step)
        for lane in LANES:
            held = world.receiver.log[lane]
            assert held == world.sender.items[lane][: len(held)]

    for lane in LANES:
        world.receiver.pull(lane)

    assert world.receiver.log == world.sender.items
    assert world.receiver.positions == world.sender.positions
    assert world.receiver.blocked == dict.fromkeys(LANES, "")


@settings(max_examples=200)
@given(st.lists(st.one_of(*_HONEST), max_size=60))
def test_data_never_overtakes_the_control_it_was_made_under(steps: list[Step]) -> None:
    """No byte is spoiled here: until headers are signed, a flip in `control_through` is not seen."""
    world = World()
    controls: dict[bytes, int] = {}
    for step in steps:
        before = len(world.sender.items[LANE_DATA])
        world.step(step)
        for body in world.sender.items[LANE_DATA][before:]:
            controls[body] = len(world.sender.items[LANE_CONTROL])

        for body in world.receiver.log[LANE_DATA]:
            assert len(world.receiver.log[LANE_CONTROL]) >= controls[body]


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_lane_that_stands_still_says_why_and_goes_on_with_a_good_copy(byte: int, flip: int) -> None:
    sender = Sender()
    receiver = Receiver(sender, spoil=lambda raw: spoiled(raw, byte, flip))
    sender.send(LANE_DATA, "a", "b")

    receiver.pull(LANE_DATA)
    stood_still = receiver.log[LANE_DATA] == []
    said_why = bool(receiver.blocked[LANE_DATA])
    receiver.spoil = bytes
    receiver.pull(LANE_DATA)

    # A flip where no chain holds (in the time, say) changes nothing of what is taken.
    assert stood_still == said_why
    assert receiver.log[LANE_DATA] == [b"a", b"b"]
    assert receiver.blocked[LANE_DATA] == ""
