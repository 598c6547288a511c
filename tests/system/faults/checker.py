"""Compare what the clients know with what stands in every node: lost, doubled, torn, leaked."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import events_pb2

from tests.system.faults.history import Record
from tests.system.faults.leaks import leaks
from tests.system.faults.looking import LANES, Sight, behind, lane_ends, look
from tests.system.federation import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.system.faults.history import History
    from tests.system.faults.looking import Entry, Log, Sent
    from tests.system.federation import Federation

_MOST_LINES: Final = 12
_RECORDED: Final = events_pb2.TipRecorded.DESCRIPTOR.full_name
_EVENT_TAG: Final = b"renkei-event-v1\0"
_ITEM_TAG: Final = b"renkei-item-v1\0"
_HEAD_TAG: Final = b"renkei-head-v1\0"


async def settle(federation: Federation, *, seconds: float) -> list[str]:
    """Wait until nothing is on its way any more; returns what still was when patience ended."""
    on_its_way: list[str] = []

    async def is_settled() -> bool:
        nonlocal on_its_way
        on_its_way = await asyncio.to_thread(moving, federation)
        return not on_its_way

    try:
        await until(is_settled, seconds=seconds)
    except TimeoutError:
        return [f"LATE by {seconds:.0f} s: {line}" for line in on_its_way[:_MOST_LINES]]
    return []


def moving(federation: Federation) -> list[str]:
    """Say what is on its way: inside a node, and between two. Blocks."""
    found = [line for member in federation.members.values() for line in behind(member)]
    ends = {code: lane_ends(member) for code, member in federation.members.items()}
    for here, (outbound, _) in ends.items():
        for (there, lane), end in outbound.items():
            reached = ends[there][1].get((here, lane))
            if reached is None or reached.bundle < end.bundle:
                at = 0 if reached is None else reached.bundle
                why = f" ({reached.blocked})" if reached is not None and reached.blocked else ""
                found.append(f"{LANES[lane]} from {here} to {there} is taken through {at} of {end.bundle}{why}")
            elif LANES[lane] == "data" and reached.received < reached.bundle:
                found.append(f"{there} has told {here} of {reached.received} of {reached.bundle} bundles")
    return found


def check(federation: Federation, history: History, told: bytes) -> list[str]:
    """Give a line for everything that is not as it has to be. The nodes must be up, and settled. Blocks.

    `told` is what a collector of traces and metrics got.
    """
    sights = {code: look(member) for code, member in federation.members.items()}
    found = list(history.complaints)
    for sight in sights.values():
        found += _torn_logs(sight)
        found += _torn_lanes(sight, sights)
    found += _records(history, sights)
    found += leaks(federation, history, told)
    return found


def _records(history: History, sights: Mapping[str, Sight]) -> Iterator[str]:
    """Compare every record with what each agency holds of it."""
    known = {record.name: record for record in history.confirmed()}
    yield from _originals(history, sights, known)
    for code, sight in sights.items():
        wanted = {name: record for name, record in known.items() if record.origin != code}
        yield from _copies(sight, wanted)
        yield from _in_effect(sight, wanted)
        yield from _visible(sight, known)


def _originals(history: History, sights: Mapping[str, Sight], known: dict[str, Record]) -> Iterator[str]:
    """Check the originals; finds those of which no client knows and puts them with the known ones."""
    unknown: dict[tuple[str, str], list[Record]] = {}
    for record in history.unconfirmed():
        unknown.setdefault((record.origin, record.versions[0].marker), []).append(record)
    for code, sight in sights.items():
        for name, tip in sight.own.items():
            if name in known:
                continue
            marker = next((word for word in tip.text.split() if word.startswith("RKSYS")), "")[:37]
            waiting = unknown.get((code, marker))
            if waiting:
                record = waiting.pop()
                known[name] = Record(origin=code, versions=record.versions, name=name)
            else:
                yield f"DOUBLED {name} stands at {code}, and nobody asked for it"
    for name, record in known.items():
        yield from _original(name, record, sights[record.origin])
    for code, sight in sights.items():
        told = Counter(entry.resource for entry in sight.logs["tips"].entries if entry.type == _RECORDED)
        for name in sight.own:
            if told[name] != 1:
                yield f"TORN {name} was told of {told[name]} times in the log of {code}"


def _original(name: str, record: Record, sight: Sight) -> Iterator[str]:
    tip = sight.own.get(name)
    if tip is None:
        yield f"LOST {name} was confirmed and does not stand at {record.origin}"
    elif record.settled and (tip.version != len(record.versions) or record.last.marker not in tip.text):
        yield f"LOST {name} stands at {record.origin} in version {tip.version} of {len(record.versions)}"
    elif record.settled and (name in sight.deleted) != record.deleted:
        yield f"LOST the deletion of {name} at {record.origin}"


def _copies(sight: Sight, wanted: Mapping[str, Record]) -> Iterator[str]:
    held = Counter(name for name, _ in sight.copies)
    for name, count in held.items():
        record = wanted.get(name)
        if record is None:
            yield f"LEAKED {name} is at {sight.code}, and stands nowhere as an original"
        elif sight.code not in record.ever:
            yield f"LEAKED {name} is at {sight.code}, which was never to have it"
        elif count > 1:
            yield f"DOUBLED {name} is held {count} times at {sight.code}"
    content = dict(sight.copies)
    for name, record in wanted.items():
        if not record.settled:
            continue
        is_due = not record.deleted and sight.code in record.last.audience
        if is_due and name not in content:
            yield f"LOST {name} is not at {sight.code}"
        elif is_due and content[name].version != len(record.versions):
            yield f"LOST {name} is at {sight.code} in version {content[name].version} of {len(record.versions)}"
        elif not is_due and name in content and sight.code in record.ever:
            yield f"LOST the withdrawal of {name} at {sight.code}"


def _in_effect(sight: Sight, wanted: Mapping[str, Record]) -> Iterator[str]:
    """Every version came into effect once at each agency that was to have it."""
    times = Counter(sight.received())
    for (name, version), count in times.items():
        if count > 1:
            yield f"DOUBLED {name} version {version} came into effect {count} times at {sight.code}"
    for name, record in wanted.items():
        for number, made in enumerate(record.versions, start=1):
            sure = record.settled or number < len(record.versions)
            if sight.code in made.audience and sure and not times[name, number]:
                yield f"LOST {name} version {number} never came into effect at {sight.code}"


def _visible(sight: Sight, known: Mapping[str, Record]) -> Iterator[str]:
    """Leads know the records that are here, and no others."""
    for name, record in known.items():
        if not record.settled:
            continue
        is_here = not record.deleted and (record.origin == sight.code or sight.code in record.last.audience)
        if is_here != (name in sight.visible):
            yield f"LOST leads of {sight.code} {'do not know' if is_here else 'still know'} {name}"


def _torn_logs(sight: Sight) -> Iterator[str]:
    for service, log in sight.logs.items():
        yield from (f"TORN {service} of {sight.code}: {line}" for line in _torn_log(log))


def _torn_log(log: Log) -> Iterator[str]:
    if [entry.sequence for entry in log.entries] != list(range(1, len(log.entries) + 1)):
        yield "the log has a gap"
    times = [entry.time_us for entry in log.entries]
    if any(after <= before for before, after in itertools.pairwise(times)):
        yield "the log's time goes back"
    through = 0
    for number, (pack, first, last) in enumerate(log.packs, start=1):
        if pack != number or first != through + 1 or last < first:
            yield f"pack {pack} does not follow"
        through = last
    if through != len(log.entries):
        yield f"the packs end at {through}, the log at {len(log.entries)}"
    for entry in log.entries:
        if entry.salt is None or entry.data is None:
            continue
        if _event_digest(entry, entry.salt, entry.data) != entry.digest:
            yield f"event {entry.sequence} does not fit its digest"
    if log.aside:
        yield f"{log.aside} events were set aside"


def _event_digest(entry: Entry, salt: bytes, data: bytes) -> bytes:
    kind = entry.type.encode()
    time = (entry.time_us * 1000).to_bytes(8, "big")
    head = _EVENT_TAG + salt + entry.event_id + time
    return hashlib.sha256(head + len(kind).to_bytes(2, "big") + kind + data).digest()


def _torn_lanes(sight: Sight, sights: Mapping[str, Sight]) -> Iterator[str]:
    for (peer, lane), end in sight.outbound.items():
        what = f"{LANES[lane]} from {sight.code} to {peer}"
        yield from (f"TORN {what}: {line}" for line in _torn_lane(sight, peer, lane))
        there = sights[peer].inbound.get((sight.code, lane))
        if there is None or there.bundle < end.bundle:
            yield f"LOST {what}: taken through {0 if there is None else there.bundle} of {end.bundle}"
        if there is not None and there.blocked:
            yield f"TORN {what}: blocked, {there.blocked}"
        if there is not None and 0 < there.bundle <= end.bundle:
            header = sight.headers[peer, lane][there.bundle - 1]
            if (header.head, header.last_item) != (there.head, there.item):
                yield f"TORN {what}: the two ends do not hold the same chain"
        if LANES[lane] == "data":
            yield from (f"{line} from {sight.code} to {peer}" for line in _log_of_lane(sight, peer, lane, sights[peer]))


def _torn_lane(sight: Sight, peer: str, lane: int) -> Iterator[str]:
    head, item = bytes(32), 0
    items = {sent.item: sent for sent in sight.items.get((peer, lane), ())}
    for number, header in enumerate(sight.headers.get((peer, lane), ()), start=1):
        if header.number != number or header.first_item != item + 1 or header.previous_head != head:
            yield f"bundle {header.number} does not follow"
        for place, digest in enumerate(header.digests, start=header.first_item):
            sent = items.get(place)
            if sent is None:
                yield f"item {place} is missing"
            elif _item_digest(sent) not in {None, digest}:
                yield f"item {place} does not fit its digest"
            head = hashlib.sha256(_HEAD_TAG + head + digest).digest()
        if head != header.head:
            yield f"the chain breaks at bundle {number}"
        item = header.last_item
    if sight.outbound[peer, lane].bundle != len(sight.headers.get((peer, lane), ())):
        yield "the lane ends elsewhere than its last bundle"


def _item_digest(sent: Sent) -> bytes | None:
    if sent.salt is None or sent.body is None:
        return None
    return hashlib.sha256(_ITEM_TAG + sent.salt + sent.body).digest()


def _log_of_lane(sight: Sight, peer: str, lane: int, there: Sight) -> Iterator[str]:
    """What was put into a lane is in the log of the other side, each event once."""
    sent = Counter(item.event_id for item in sight.items.get((peer, lane), ()))
    if doubled := sum(count - 1 for count in sent.values() if count > 1):
        yield f"DOUBLED {doubled} events in data"
    told = Counter(entry.event_id for entry in there.logs["exchange"].entries if entry.origin == sight.code)
    if lost := len(set(sent) - set(told)):
        yield f"LOST {lost} events of data"
    if strange := len(set(told) - set(sent)):
        yield f"DOUBLED {strange} events of data that were never sent"
