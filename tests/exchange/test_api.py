"""The exchange's methods over a real connection: who reads which lane, and how the lanes stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from renkei.event.v1.event_pb2 import Event
from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Bundle, Delivery, Peer, ReadLaneRequest
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.policy.v1.policy_pb2 import GRADE_INDEX_ONLY

from renkei_chassis.errors import InvalidArgument, NotAllowed, OutOfRange, Unauthenticated
from renkei_chassis.identity import generate
from renkei_exchange.federation import Federation
from tests.exchange.forces import forces, to
from tests.exchange.servers import until

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims
    from renkei_chassis.rpc.client import Client

HUGE: Final = 2**64 - 1

pytestmark = pytest.mark.usefixtures("kind")


async def read(client: Client, **asked: int | str) -> exchange_pb2.ReadLaneResponse:
    request = ReadLaneRequest(lane=LANE_DATA)
    for name, value in asked.items():
        setattr(request, name, value)
    return await client.call(client.stub(ExchangeServiceStub).ReadLane, request)


async def test_a_peer_reads_its_own_lane_and_no_other(tmp_path: Path, ports: PortClaims) -> None:
    """There is no argument that names a lane's recipient: the token alone decides."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", "jp-13", nats=False) as (tochigi, chiba, tokyo):
        await tochigi.record("chiba", to=to("jp-12"))
        await tochigi.record("tokyo", "tokyo-too", to=to("jp-13"))
        await chiba.has(1)
        await tokyo.has(2)

        answers = [await read(force.peer_client(tochigi)) for force in (chiba, tokyo)]

    texts = [[_text(body) for raw in answer.bundles for body in _bodies(raw)] for answer in answers]
    assert [b"text-chiba" in text for text in texts[0]] == [True]
    assert [b"text-tokyo" in text for text in texts[1]] == [True, True]
    assert answers[0].epoch == answers[1].epoch


def _bodies(raw: bytes) -> list[bytes]:
    return [item.body for item in Bundle.FromString(raw).items]


def _text(body: bytes) -> bytes:
    return Event.FromString(body).data.value


async def test_only_a_member_with_its_own_key_and_our_name_on_its_token_reads_a_lane(
    tmp_path: Path, ports: PortClaims
) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", "jp-13", nats=False) as (tochigi, chiba, tokyo):
        refusals = {
            "a token for another agency": chiba.peer_client(tochigi, audience=tokyo.name),
            "another agency's key": chiba.peer_client(tochigi, key=tokyo.key),
            "a key of nobody": chiba.peer_client(tochigi, key=generate()),
        }
        reasons = {}
        for name, client in refusals.items():
            with pytest.raises(Unauthenticated) as refusal:
                await read(client)
            reasons[name] = refusal.value.reason
        with pytest.raises(NotAllowed) as officer:
            await read(tochigi.client())

    assert reasons == {
        "a token for another agency": "TOKEN_WRONG_AUDIENCE",
        "another agency's key": "TOKEN_BAD_SIGNATURE",
        "a key of nobody": "TOKEN_BAD_SIGNATURE",
    }
    assert officer.value.reason == "ROLE_MISSING"


async def test_a_peer_may_read_its_lane_and_nothing_else(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False) as (tochigi, chiba):
        client = chiba.peer_client(tochigi)
        stub = client.stub(ExchangeServiceStub)
        for call in (
            client.call(stub.ListPeers, exchange_pb2.ListPeersRequest()),
            client.call(stub.ListDeliveries, exchange_pb2.ListDeliveriesRequest()),
        ):
            with pytest.raises(NotAllowed) as refusal:
                await call
            assert refusal.value.reason == "ROLE_MISSING"


async def test_an_agency_that_is_trusted_and_no_member_reads_nothing(tmp_path: Path, ports: PortClaims) -> None:
    """The federation decides, also where an old key was left in the trust file."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False, start=False) as (tochigi, chiba):
        trust = tochigi.trust()
        tochigi.federation = Federation(agencies=(tochigi.as_member(),))
        tochigi.trusts = trust
        await tochigi.start_all()

        with pytest.raises(NotAllowed) as refusal:
            await read(chiba.peer_client(tochigi))

    assert refusal.value.reason == "NOT_A_MEMBER"


async def test_a_lane_is_read_in_pieces_and_from_its_start_in_another_epoch(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False) as (tochigi, chiba):
        for number in range(4):
            await tochigi.record(str(number), to=to("jp-12"))
            await chiba.has(number + 1)
        client = chiba.peer_client(tochigi)
        whole = await read(client)
        piece = await read(client, epoch=whole.epoch, after_bundle=1, max_bundles=2)
        other = await read(client, epoch="another", after_bundle=HUGE)
        control = await read(client, lane=LANE_CONTROL)

    assert (len(whole.bundles), whole.last_bundle) == (4, 4)
    assert (list(piece.bundles), piece.last_bundle) == (list(whole.bundles[1:3]), 4)
    assert list(other.bundles) == list(whole.bundles)
    assert (list(control.bundles), control.last_bundle, control.epoch) == ([], 0, whole.epoch)


async def test_a_question_that_makes_no_sense_is_refused(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False) as (tochigi, chiba):
        client = chiba.peer_client(tochigi)
        epoch = (await read(client)).epoch
        for after in (1, HUGE):
            with pytest.raises(OutOfRange) as ahead:
                await read(client, epoch=epoch, after_bundle=after)
            assert (ahead.value.reason, ahead.value.metadata["last_bundle"]) == ("LANE_AHEAD", "0")
        for wrong in ({"lane": 0}, {"lane": 3}, {"max_bundles": -1}, {"epoch": "x" * 37}):
            with pytest.raises(InvalidArgument) as refusal:
                await read(client, **wrong)
            assert refusal.value.reason in {"FIELD_INVALID", "UNKNOWN_FIELD"}


async def test_peers_are_listed_with_their_lanes_and_who_is_cut_off(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", "jp-13", nats=False) as (tochigi, chiba, tokyo):
        await tochigi.record("a", "b", to=to("jp-12"))
        await chiba.has(2)
        await until(lambda: tochigi.received("jp-12") == 1)
        await tokyo.stop_exchange()
        await until(lambda: tochigi.unreachable() == 1)
        client = tochigi.client()
        answer = await client.call(client.stub(ExchangeServiceStub).ListPeers, exchange_pb2.ListPeersRequest())
        first = await client.call(
            client.stub(ExchangeServiceStub).ListPeers, exchange_pb2.ListPeersRequest(page_size=1)
        )
        rest = await client.call(
            client.stub(ExchangeServiceStub).ListPeers,
            exchange_pb2.ListPeersRequest(page_size=1, page_token=first.next_page_token),
        )

    jp12, jp13 = answer.peers
    assert (jp12.name, jp12.display_name, jp12.contact_desk) == ("agencies/jp-12", "演習データ", "desk")
    assert (jp12.state, jp13.state) == (Peer.STATE_CONNECTED, Peer.STATE_CUT_OFF)
    assert jp13.state_time.seconds > 0
    assert list(answer.unreachable) == ["agencies/jp-13"]
    lanes = {(lane.lane, lane.outbound): lane for lane in jp12.lanes}
    sent = lanes[LANE_DATA, True]
    assert (sent.last_bundle, sent.received_bundle, sent.items) == (1, 1, 2)
    assert sent.receive_time.seconds > 0
    assert lanes.keys() == {(LANE_CONTROL, True), (LANE_CONTROL, False), (LANE_DATA, True), (LANE_DATA, False)}
    assert [peer.name for page in (first, rest) for peer in page.peers] == ["agencies/jp-12", "agencies/jp-13"]
    assert rest.next_page_token == ""


async def test_deliveries_are_listed_newest_first_in_pages(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", "jp-13", nats=False) as (tochigi, chiba, tokyo):
        ids = []
        for number in range(5):
            ids += await tochigi.record(str(number), to=to("jp-12", grade=GRADE_INDEX_ONLY))
            await chiba.has(number + 1)
        await tochigi.record("x", to=to("jp-13"))
        await tokyo.has(1)
        await until(lambda: tochigi.received("jp-12") == 5)
        client = tochigi.client()
        method = client.stub(ExchangeServiceStub).ListDeliveries
        request = exchange_pb2.ListDeliveriesRequest(recipient="agencies/jp-12", page_size=2)
        pages = [page async for page in client.pages(method, request)]
        one = await tochigi.deliveries(resource=f"agencies/jp-09/tips/{ids[2]}")
        request.page_token = pages[0].next_page_token
        request.recipient = "agencies/jp-13"
        with pytest.raises(InvalidArgument) as refusal:
            await client.call(method, request)

    found = [delivery for page in pages for delivery in page.deliveries]
    assert [len(page.deliveries) for page in pages] == [2, 2, 1]
    assert [delivery.resource for delivery in found] == [f"agencies/jp-09/tips/{tip}" for tip in reversed(ids)]
    assert [delivery.bundle for delivery in found] == [5, 4, 3, 2, 1]
    assert {delivery.state for delivery in found} == {Delivery.STATE_DELIVERED}
    assert {delivery.grade for delivery in found} == {GRADE_INDEX_ONLY}
    assert {delivery.type for delivery in found} == {"renkei.tips.v1.TipRecorded"}
    assert list(one) == [found[2]]
    assert refusal.value.reason == "INVALID_PAGE_TOKEN"


async def test_a_record_is_queued_until_its_recipient_has_it(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False) as (tochigi, chiba):
        await chiba.stop_exchange()
        await tochigi.record("a", to=to("jp-12"))
        await until(lambda: tochigi.made("jp-12") == 1)
        (before,) = await tochigi.deliveries()
        await chiba.start_exchange()
        await until(lambda: tochigi.received("jp-12") == 1)
        (after,) = await tochigi.deliveries()

    assert (before.state, after.state) == (Delivery.STATE_QUEUED, Delivery.STATE_DELIVERED)
