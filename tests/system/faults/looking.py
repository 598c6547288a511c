"""Look into a node's databases from the outside, with nothing of the product's own code but the contract."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.exchange.v1.exchange_pb2 import BundleHeader
from renkei.tips.v1 import events_pb2, tips_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.system.federation import Member

SERVICES: Final = ("tips", "exchange", "leads")
"""Those whose databases a tip passes through."""
FOLLOWED: Final = {"tips": ("exchange",), "exchange": ("tips", "arrests"), "leads": ("tips", "arrests", "exchange")}
LANES: Final = {1: "control", 2: "data"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a log, as its rows stand."""

    sequence: int
    event_id: bytes
    origin: str
    time_us: int
    type: str
    resource: str
    digest: bytes
    salt: bytes | None
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A service's log and where its followers here stand."""

    entries: Sequence[Entry]
    packs: Sequence[tuple[int, int, int]]
    cursors: Mapping[str, int]
    aside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEnd:
    """Where a lane stands on one side: bundle, item, head, and why it is blocked."""

    received: int
    """Inbound: through which bundle its sender was told that we have it."""
    bundle: int
    item: int
    head: bytes
    blocked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An item of a lane as its sender keeps it."""

    item: int
    event_id: bytes
    resource: str
    salt: bytes | None
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything of one node that is checked."""

    code: str
    own: Mapping[str, tips_pb2.Tip]
    deleted: frozenset[str]
    copies: Sequence[tuple[str, tips_pb2.Tip]]
    """Each copy's name and content, as often as it is held."""
    visible: frozenset[str]
    """The records that leads may speak of."""
    logs: Mapping[str, Log]
    outbound: Mapping[tuple[str, int], LaneEnd]
    inbound: Mapping[tuple[str, int], LaneEnd]
    headers: Mapping[tuple[str, int], Sequence[BundleHeader]]
    items: Mapping[tuple[str, int], Sequence[Sent]]

    def received(self) -> Sequence[tuple[str, int]]:
        """Give name and version of every copy that came into effect, as often as it did."""
        kind = events_pb2.TipReceived
        events = [
            kind.FromString(entry.data)
            for entry in self.logs["tips"].entries
            if entry.type == kind.DESCRIPTOR.full_name and entry.data is not None
        ]
        return [(event.name, event.version) for event in events]


def look(member: Member) -> Sight:
    """Read one node's databases. Blocks."""
    outbound, inbound = _ends(member)
    own = member.rows("tips", "SELECT hex(id), content, delete_time_us FROM tip")
    copies = member.rows("tips", "SELECT agency, hex(id), content FROM tip_copy")
    names = {_name(member.name, number): (content, deleted) for number, content, deleted in own}
    return Sight(
        code=member.code,
        own={name: tips_pb2.Tip.FromString(_bytes(content)) for name, (content, _) in names.items()},
        deleted=frozenset(name for name, (_, deleted) in names.items() if deleted is not None),
        copies=[
            (_name(str(agency), number), tips_pb2.Tip.FromString(_bytes(content))) for agency, number, content in copies
        ],
        visible=frozenset(str(name) for (name,) in member.rows("leads", "SELECT name FROM record WHERE visible")),
        logs={service: _log(member, service) for service in SERVICES},
        outbound=outbound,
        inbound=inbound,
        headers=_headers(member),
        items=_items(member),
    )


def behind(member: Member) -> list[str]:
    """Say what is on its way inside a node: logs that are not followed to their end. Blocks."""
    end = "SELECT coalesce(max(sequence), 0) FROM renkei_event"
    ends = {service: _int(member, service, end) for service in (*SERVICES, "arrests")}
    found = []
    for service, followed in FOLLOWED.items():
        rows = member.rows(service, "SELECT source, sequence FROM renkei_cursor")
        cursors = {str(source): _number(sequence) for source, sequence in rows}
        for log in followed:
            reached = cursors.get(f"{member.name}/logs/{log}", 0)
            if reached != ends[log]:
                found.append(f"{service} of {member.code} has {log} through {reached} of {ends[log]}")
    return found


def lane_ends(member: Member) -> tuple[dict[tuple[str, int], LaneEnd], dict[tuple[str, int], LaneEnd]]:
    """Give where every lane stands: (outbound, inbound), by (code of the peer, lane). Blocks."""
    return _ends(member)


def _ends(member: Member) -> tuple[dict[tuple[str, int], LaneEnd], dict[tuple[str, int], LaneEnd]]:
    found: tuple[dict[tuple[str, int], LaneEnd], dict[tuple[str, int], LaneEnd]] = ({}, {})
    statement = "SELECT peer, lane, outbound, bundle, item, head, blocked, received FROM lane"
    for peer, lane, outbound, bundle, item, head, blocked, received in member.rows("exchange", statement):
        side = found[0] if outbound else found[1]
        end = LaneEnd(
            bundle=_number(bundle),
            item=_number(item),
            head=_bytes(head),
            blocked=str(blocked),
            received=_number(received),
        )
        side[_code(peer), _number(lane)] = end
    return found


def _log(member: Member, service: str) -> Log:
    entries = member.rows(
        service,
        "SELECT e.sequence, event_id, origin_agency, time_us, type, resource, digest, salt, data "
        "FROM renkei_event e LEFT JOIN renkei_payload p ON p.sequence = e.sequence ORDER BY e.sequence",
    )
    packs = member.rows(service, "SELECT number, first_sequence, last_sequence FROM renkei_pack ORDER BY number")
    cursors = member.rows(service, "SELECT source, sequence FROM renkei_cursor")
    return Log(
        entries=[
            Entry(
                sequence=_number(sequence),
                event_id=_bytes(event_id),
                origin=_code(origin),
                time_us=_number(time_us),
                type=str(kind),
                resource=str(resource),
                digest=_bytes(digest),
                salt=None if salt is None else _bytes(salt),
                data=None if data is None else _bytes(data),
            )
            for sequence, event_id, origin, time_us, kind, resource, digest, salt, data in entries
        ],
        packs=[(_number(number), _number(first), _number(last)) for number, first, last in packs],
        cursors={str(source): _number(sequence) for source, sequence in cursors},
        aside=_int(member, service, "SELECT count(*) FROM renkei_set_aside"),
    )


def _headers(member: Member) -> dict[tuple[str, int], list[BundleHeader]]:
    found: dict[tuple[str, int], list[BundleHeader]] = {}
    for peer, lane, header in member.rows(
        "exchange", "SELECT peer, lane, header FROM bundle_header ORDER BY peer, lane, number"
    ):
        found.setdefault((_code(peer), _number(lane)), []).append(BundleHeader.FromString(_bytes(header)))
    return found


def _items(member: Member) -> dict[tuple[str, int], list[Sent]]:
    found: dict[tuple[str, int], list[Sent]] = {}
    statement = "SELECT peer, lane, item, event_id, resource, salt, body FROM bundle_item ORDER BY peer, lane, item"
    for peer, lane, item, event_id, resource, salt, body in member.rows("exchange", statement):
        sent = Sent(
            item=_number(item),
            event_id=_bytes(event_id),
            resource=str(resource),
            salt=None if salt is None else _bytes(salt),
            body=None if body is None else _bytes(body),
        )
        found.setdefault((_code(peer), _number(lane)), []).append(sent)
    return found


def _name(agency: str, number: object) -> str:
    return f"{agency}/tips/{uuid.UUID(hex=str(number))}"


def _code(agency: object) -> str:
    return str(agency).removeprefix("agencies/")


def _int(member: Member, service: str, statement: str) -> int:
    return _number(member.rows(service, statement)[0][0])


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value
