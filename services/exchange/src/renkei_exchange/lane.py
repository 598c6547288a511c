"""The protocol of a lane: numbered bundles of chained items, made by one agency and taken by one other.

Nothing here reads, writes, waits or knows the time: bytes and positions come in, bytes, positions and
what is to be done come out. So a simulator can run thousands of histories against this very code.

A bundle is a header and its items. The header holds the salted digest of each item and the head of
the chain before and after them, so the items can be kept, and erased, apart from it:

    digest = SHA-256("renkei-item-v1" 0 ‖ salt ‖ body)
    head   = SHA-256("renkei-head-v1" 0 ‖ head before ‖ digest), item by item; 32 zero bytes before item 1

Bundles and items are numbered from 1 without gaps, each lane for itself.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from google.protobuf.message import DecodeError
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Bundle, BundleHeader, BundleItem, Lane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LANES: Final = (LANE_CONTROL, LANE_DATA)
"""Control first: it must never wait behind data."""
ZERO_HEAD: Final = bytes(32)
SALT_BYTES: Final = 16
BUNDLE_BYTES: Final = 192 * 1024
BUNDLE_ITEMS: Final = 512
LARGEST_BODY: Final = 448 * 1024
"""An item alone in its bundle must still fit into one message of NATS (512 KiB)."""

_MOST_BYTES: Final = 512 * 1024
_MOST_ITEMS: Final = 1024
_MOST_HEADER: Final = 65_536
_HASH_BYTES: Final = 32
_ITEM_TAG: Final = b"renkei-item-v1\0"
_HEAD_TAG: Final = b"renkei-head-v1\0"


class LaneReason(enum.StrEnum):
    """Why a bundle is not what should come next."""

    MALFORMED = "MALFORMED"
    """It cannot be read, or breaks a rule of form."""
    WRONG_RECIPIENT = "WRONG_RECIPIENT"
    """It belongs to another lane: another origin, another recipient, or the other of the two lanes."""
    EPOCH_UNKNOWN = "EPOCH_UNKNOWN"
    """It is of another epoch than the lane is read in."""
    CHAIN_BROKEN = "CHAIN_BROKEN"
    """It does not follow what came before."""
    DIGEST_MISMATCH = "DIGEST_MISMATCH"
    """An item is not the one that the header speaks of."""
    LANE_AHEAD = "LANE_AHEAD"
    """The sender says that it never made what we hold."""


class LaneError(Exception):
    """A bundle that is not to be believed; `reason` says why."""

    def __init__(self, reason: LaneReason) -> None:
        """Take the reason."""
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which lane: `agencies/jp-13` to `agencies/jp-12`, control or data."""

    origin: str
    recipient: str
    lane: Lane.ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a lane ends: at its sender what was made, at its receiver what is committed."""

    epoch: str
    bundle: int = 0
    item: int = 0
    head: bytes = ZERO_HEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item to be sent, with sixteen random bytes that keep its digest from being guessed."""

    body: bytes
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle that was made: its header as it is kept and sent, and where the lane ends with it."""

    header: bytes
    items: Sequence[Item]
    first_item: int
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An item that came; `body` is None where it was withheld."""

    number: int
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Commit the items and `position` together: they come next, and they are what was sent."""

    items: Sequence[Arrived]
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Do nothing: it is committed already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Read the lane from its sender: something is missing before this, or this copy is not good."""

    reason: LaneReason | None
    """None: only a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Commit the control lane through this bundle first, then show this one again."""

    through: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The sender's own copy is not good: the lane stands still until a good one comes."""

    reason: LaneReason


Effect = Take | Skip | Ask | Drain | Block


def lane_name(lane: Lane.ValueType) -> Literal["control", "data"]:
    """Give a lane's short name, as it stands in an event's origin."""
    return "control" if lane == LANE_CONTROL else "data"


def item_digest(item: Item) -> bytes:
    """Hash an item with its salt."""
    return hashlib.sha256(_ITEM_TAG + item.salt + item.body).digest()


def next_head(head: bytes, digest: bytes) -> bytes:
    """Put one more digest on the chain."""
    return hashlib.sha256(_HEAD_TAG + head + digest).digest()


def make_bundles(
    items: Sequence[Item], *, route: Route, after: Position, control_through: int, time_us: int
) -> Iterator[Made]:
    """Make the bundles that carry these items, in order: as few as the limits on size allow.

    Raises ValueError for an item that fits into none.
    """
    for part in _parts(items):
        made = _make(part, route=route, after=after, control_through=control_through, time_us=time_us)
        after = made.position
        yield made


def _make(items: Sequence[Item], *, route: Route, after: Position, control_through: int, time_us: int) -> Made:
    digests = [item_digest(item) for item in items]
    head = after.head
    for digest in digests:
        head = next_head(head, digest)
    position = Position(epoch=after.epoch, bundle=after.bundle + 1, item=after.item + len(items), head=head)
    header = BundleHeader(
        origin=route.origin,
        recipient=route.recipient,
        lane=route.lane,
        epoch=after.epoch,
        number=position.bundle,
        first_item=after.item + 1,
        last_item=position.item,
        previous_head=after.head,
        head=head,
        control_through=control_through,
        digests=digests,
    )
    header.time.FromMicroseconds(time_us)
    return Made(
        header=header.SerializeToString(deterministic=True), items=items, first_item=after.item + 1, position=position
    )


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    start = size = 0
    for index, item in enumerate(items):
        if len(item.body) > LARGEST_BODY:
            raise ValueError("an item is too large for a bundle")
        if index > start and (size + len(item.body) > BUNDLE_BYTES or index - start == BUNDLE_ITEMS):
            yield items[start:index]
            start, size = index, 0
        size += len(item.body)
    if start < len(items):
        yield items[start:]


def assemble(header: bytes, signature: bytes, items: Sequence[Item | None]) -> bytes:
    """Put a bundle together from its kept parts: the same parts give the same bytes. None: withheld."""
    bundle = Bundle(header=header, signature=signature)
    for item in items:
        if item is None:
            bundle.items.add(withheld=True)
        else:
            bundle.items.add(body=item.body, salt=item.salt)
    return bundle.SerializeToString(deterministic=True)


def resume_after(*, epoch: str, last_bundle: int, asked_epoch: str, asked_after: int) -> int:
    """Tell after which bundle to answer a ReadLane. Raises LaneError/LANE_AHEAD for what was never made.

    A caller who knows no epoch, or another one, gets the lane from its start.
    """
    if asked_epoch != epoch:
        return 0
    if asked_after > last_bundle:
        raise LaneError(LaneReason.LANE_AHEAD)
    return asked_after


def begin(position: Position, epoch: str) -> Position:
    """Go on in the epoch that the sender says is the lane's: from the start, where it is another one."""
    return position if position.epoch == epoch else Position(epoch=epoch)


def receive(raw: bytes, *, route: Route, position: Position, control: Position, sure: bool) -> Effect:
    """Decide what one bundle means to a receiver at `position`, whose control lane is at `control`.

    `sure`: it came as the sender's own answer to ReadLane, and not by way of NATS.
    """
    try:
        bundle, header = _read(raw)
        _check_lane(header, route, position.epoch)
        if header.number <= position.bundle:
            return Skip()
        if header.number > position.bundle + 1:
            return Block(reason=LaneReason.CHAIN_BROKEN) if sure else Ask(reason=None)
        _check_chain(bundle, header, position)
    except LaneError as error:
        return Block(reason=error.reason) if sure else Ask(reason=error.reason)
    if _waits_for_control(header, control):
        return Drain(through=header.control_through)
    items = [
        Arrived(number=number, body=None if item.withheld else item.body)
        for number, item in enumerate(bundle.items, start=header.first_item)
    ]
    moved = replace(position, bundle=header.number, item=header.last_item, head=header.head)
    return Take(items=items, position=moved)


def number_of(raw: bytes) -> tuple[str, int] | None:
    """Tell epoch and number that a bundle claims to have, unverified; None if it cannot be read."""
    try:
        _, header = _read(raw)
    except LaneError:
        return None
    return header.epoch, header.number


def head_of(header: bytes) -> bytes:
    """Give the head of the chain after a bundle that we made."""
    return BundleHeader.FromString(header).head


def _read(raw: bytes) -> tuple[Bundle, BundleHeader]:
    malformed = LaneError(LaneReason.MALFORMED)
    if len(raw) > _MOST_BYTES:
        raise malformed
    try:
        bundle = Bundle.FromString(raw)
        header = BundleHeader.FromString(bundle.header)
    except DecodeError:
        raise malformed from None
    count = len(bundle.items)
    well_formed = (
        len(bundle.header) <= _MOST_HEADER
        and 0 < count <= _MOST_ITEMS
        and len(header.digests) == count
        and header.number > 0
        and header.first_item > 0
        and header.last_item == header.first_item + count - 1
        and all(len(part) == _HASH_BYTES for part in (header.previous_head, header.head, *header.digests))
        # Sealed items need a program that can open them.
        and not header.sealing_suite
    )
    if not well_formed or not all(map(_is_well_formed, bundle.items)):
        raise malformed
    return bundle, header


def _is_well_formed(item: BundleItem) -> bool:
    if item.withheld:
        return not item.body and not item.salt
    return len(item.salt) == SALT_BYTES


def _check_lane(header: BundleHeader, route: Route, epoch: str) -> None:
    if (header.origin, header.recipient, header.lane) != (route.origin, route.recipient, route.lane):
        raise LaneError(LaneReason.WRONG_RECIPIENT)
    if header.epoch != epoch:
        raise LaneError(LaneReason.EPOCH_UNKNOWN)


def _check_chain(bundle: Bundle, header: BundleHeader, position: Position) -> None:
    if header.first_item != position.item + 1 or header.previous_head != position.head:
        raise LaneError(LaneReason.CHAIN_BROKEN)
    head = position.head
    for item, digest in zip(bundle.items, header.digests, strict=True):
        if not item.withheld and item_digest(Item(body=item.body, salt=item.salt)) != digest:
            raise LaneError(LaneReason.DIGEST_MISMATCH)
        head = next_head(head, digest)
    if head != header.head:
        raise LaneError(LaneReason.CHAIN_BROKEN)


def _waits_for_control(header: BundleHeader, control: Position) -> bool:
    if header.lane != LANE_DATA or not header.control_through:
        return False
    return control.epoch != header.epoch or control.bundle < header.control_through
