"""Whole services beside each other: they start, call and follow each other, and let go of everything at the end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.event.v1.log_pb2 import (
    ListFollowersRequest,
    ListFollowersResponse,
    ListSetAsideRequest,
    ListSetAsideResponse,
    ReadLogRequest,
    ReadLogResponse,
    RetrySetAsideRequest,
    RetrySetAsideResponse,
)
from renkei.event.v1.log_pb2_grpc import FollowerServiceStub, LogServiceStub
from renkei.personas.v1.personas_pb2 import Persona
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub
from sqlalchemy import select

from renkei_chassis.clock import WallClock
from renkei_chassis.database.engine import Database, DatabaseInUseError, WrongOwnerError
from renkei_chassis.errors import InvalidArgument, RenkeiError
from renkei_chassis.follower.apply import SetAside
from renkei_chassis.identity import Issuer, IssuerKind, Minter, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.client import Client
from renkei_chassis.service import Blueprint, Parts, Service, Surroundings, Wiring
from renkei_chassis.telemetry.exposition import page
from tests.chassis.courier.servers import BreakableServer, until
from tests.chassis.keeper import AGENCY, OWNER, PLANS, SCHEMA, asking
from tests.chassis.rpc.served import PERSONAS, answers
from tests.databases import place as database_of
from tests.databases import places
from tests.running import HASTY, PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from renkei.event.v1.event_pb2 import Event
    from renkei.personas.v1.events_pb2 import PersonaSubmitted

    from renkei_chassis.courier import Endpoint
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.rpc.calling import Patience
    from renkei_chassis.rpc.methods import Api

SUBMITTED: Final = "renkei.personas.v1.PersonaSubmitted"


PERSONAS_API: Final[Api] = {PERSONAS: answers(PERSONAS, {})}


@dataclass
class Place:
    """What the services of one agency share."""

    directory: Path
    addresses: dict[str, str]
    keys: dict[str, Any] = field(default_factory=lambda: {name: generate() for name in ("keeper", "reader", "node")})
    refused: set[str] = field(default_factory=set)
    """Words that the reader sets aside."""

    def surroundings(self, name: str, courier: Endpoint | None = None) -> Surroundings:
        issuers = [
            Issuer(issuer=f"{AGENCY}/services/{key}", kind=IssuerKind.SERVICE, public_key=public_text(self.keys[key]))
            for key in ("keeper", "reader")
        ]
        node = Issuer(issuer=AGENCY, kind=IssuerKind.NODE, public_key=public_text(self.keys["node"]))
        return Surroundings(
            agency=AGENCY,
            data_directory=self.directory,
            databases=places(self.directory),
            addresses=self.addresses,
            key=self.keys[name],
            trust=TrustFile(issuers=(node, *issuers)),
            courier=courier,
        )

    def service(
        self, name: str, wire: Callable[[Parts], Wiring] | None = None, courier: Endpoint | None = None
    ) -> Service:
        usual = {"keeper": lambda _: Wiring(api=PERSONAS_API), "reader": self.read}[name]
        blueprint = Blueprint(name=name, schema=SCHEMA, wire=wire or usual)
        return Service(blueprint=blueprint, surroundings=self.surroundings(name, courier))

    def read(self, parts: Parts) -> Wiring:
        def handle(transaction: Transaction, event: Event, payload: PersonaSubmitted) -> None:
            if payload.plan_hash in self.refused:
                raise SetAside("TEST")
            transaction.insert(PLANS, {"name": event.resource, "unit": payload.plan_hash, "version": 1})

        return Wiring(api={}, follows={"keeper": {SUBMITTED: handle}})

    def client(self, name: str, role: str, *, patience: Patience = PATIENT) -> Client:
        now = WallClock()

        def token() -> str:
            return mint(
                self.keys["node"],
                issuer=AGENCY,
                subject=f"{AGENCY}/officers/sato",
                audience=AGENCY,
                roles=[role],
                now_us=now.now_us(),
                life_seconds=300,
                token_id=uuid7(),
            )

        return Client(self.addresses[name], token=token, patience=patience)

    async def submit(self, unit: str, *, patience: Patience = PATIENT) -> Persona:
        async with self.client("keeper", "OFFICER", patience=patience) as client:
            stub = client.stub(PersonasServiceStub)
            answer: Persona = await client.call(stub.SubmitPersona, asking(unit))
            return answer


@pytest.fixture
def place(tmp_path: Path, kind: str) -> Iterator[Place]:
    with PortClaims() as ports:
        addresses = {
            name: f"127.0.0.1:{port}" for name, port in zip(("keeper", "reader"), ports.claim_many(2), strict=True)
        }
        yield Place(directory=tmp_path, addresses=addresses)


@pytest.fixture
def nats_port() -> Iterator[int]:
    with PortClaims() as ports:
        yield ports.claim()


@pytest.fixture
async def nats(tmp_path: Path, nats_port: int) -> AsyncIterator[BreakableServer]:
    server = BreakableServer(tmp_path / "nats", nats_port)
    yield server
    await server.kill()


@asynccontextmanager
async def started(*services: Service) -> AsyncIterator[None]:
    try:
        for service in services:
            await service.start()
        yield
    finally:
        for service in reversed(services):
            await service.stop()


async def units(service: Service) -> Sequence[str]:
    return await service.database.read(
        lambda connection: connection.execute(select(PLANS.c.unit).order_by(PLANS.c.unit)).scalars().all()
    )


async def test_a_service_keeps_what_it_acknowledged_over_a_restart(place: Place) -> None:
    async with started(place.service("keeper")):
        answer = await place.submit("a")

    async with started(again := place.service("keeper")):
        assert await units(again) == ["a"]
        assert again.log.position.sequence == 1
        assert answer.plan.unit == "a"


async def test_one_service_follows_another_without_nats(place: Place) -> None:
    async with started(place.service("keeper"), reader := place.service("reader")):
        for unit in "abc":
            await place.submit(unit)
        async with asyncio.timeout(20):
            await reader.followers[f"{AGENCY}/logs/keeper"].caught_up(3)

        assert await units(reader) == ["a", "b", "c"]


async def test_one_service_follows_another_over_nats(place: Place, nats: BreakableServer) -> None:
    await nats.start()
    keeper, reader = (place.service(name, courier=nats.endpoint()) for name in ("keeper", "reader"))
    async with started(keeper, reader):
        follower = reader.followers[f"{AGENCY}/logs/keeper"]
        await until(follower.courier_connected)
        await place.submit("a")
        async with asyncio.timeout(20):
            await follower.caught_up(1)

        assert await units(reader) == ["a"]


async def test_an_operator_sees_what_was_set_aside_and_has_it_tried_again(place: Place) -> None:
    place.refused.add("bad")
    async with started(place.service("keeper"), reader := place.service("reader")):
        for unit in ("a", "bad"):
            await place.submit(unit)
        async with asyncio.timeout(20):
            await reader.followers[f"{AGENCY}/logs/keeper"].caught_up(2)
        async with place.client("reader", "OPERATOR") as client:
            stub = client.stub(FollowerServiceStub)
            followers: ListFollowersResponse = await client.call(stub.ListFollowers, ListFollowersRequest())
            aside: ListSetAsideResponse = await client.call(stub.ListSetAside, ListSetAsideRequest())
            place.refused.clear()
            request = RetrySetAsideRequest(request_id=str(uuid7()))
            retried: RetrySetAsideResponse = await client.call(stub.RetrySetAside, request)

        (follower,) = followers.followers
        assert (follower.source, follower.sequence, follower.set_aside) == (f"{AGENCY}/logs/keeper", 2, 1)
        assert follower.reachable
        assert [(event.sequence, event.type, event.reason) for event in aside.events] == [(2, SUBMITTED, "TEST")]
        assert (retried.applied, retried.remaining) == (1, 0)
        assert await units(reader) == ["a", "bad"]


async def test_what_was_set_aside_is_listed_by_pages(place: Place) -> None:
    place.refused |= {f"bad {number}" for number in range(5)}
    async with started(place.service("keeper"), reader := place.service("reader")):
        for unit in sorted(place.refused):
            await place.submit(unit)
        async with asyncio.timeout(20):
            await reader.followers[f"{AGENCY}/logs/keeper"].caught_up(5)
        async with place.client("reader", "OPERATOR") as client:
            stub = client.stub(FollowerServiceStub)
            found, token = list[int](), ""
            while True:
                request = ListSetAsideRequest(page_size=2, page_token=token)
                answer: ListSetAsideResponse = await client.call(stub.ListSetAside, request)
                found += [event.sequence for event in answer.events]
                token = answer.next_page_token
                if not token:
                    break
            with pytest.raises(InvalidArgument, match="INVALID_PAGE_TOKEN"):
                await client.call(stub.ListSetAside, ListSetAsideRequest(page_token="x" * 40))

    assert found == [1, 2, 3, 4, 5]


# Starts that fail.


def stumble(parts: Parts) -> Wiring:
    raise LookupError


@pytest.mark.parametrize("what", ["wiring", "port", "method"])
async def test_a_start_that_fails_says_why_and_leaves_nothing_behind(place: Place, what: str) -> None:
    wires: dict[str, Callable[[Parts], Wiring] | None] = {
        "wiring": stumble,
        "port": None,
        "method": lambda _: Wiring(api={PERSONAS: {}}),
    }
    failing = place.service("keeper", wires[what])
    expected = {"wiring": LookupError, "port": OSError, "method": ValueError}[what]
    tasks = asyncio.all_tasks()
    listener = (
        await asyncio.start_server(lambda *_: None, *place.addresses["keeper"].split(":")) if what == "port" else None
    )

    with pytest.raises(expected):
        await failing.start()

    assert asyncio.all_tasks() == tasks
    if listener is not None:
        listener.close()
        await listener.wait_closed()
    async with started(place.service("keeper")):
        await place.submit("a")


async def test_a_second_service_on_one_database_does_not_start(place: Place) -> None:
    async with started(place.service("keeper")):
        second = place.service("keeper")
        with pytest.raises(DatabaseInUseError):
            await second.start()
        await place.submit("a")


async def test_a_database_of_another_service_is_refused(place: Place) -> None:
    def prepare() -> None:
        Database.open(database_of(place.directory / "reader.db"), owner=OWNER, schema=SCHEMA).close()

    await asyncio.to_thread(prepare)

    with pytest.raises(WrongOwnerError):
        await place.service("reader").start()


# The end.


@pytest.mark.slow
async def test_a_stop_finishes_what_was_begun(place: Place) -> None:
    keeper = place.service("keeper")
    await keeper.start()
    # None that is refused tries again: it would until its deadline, for there is nobody any more.
    callers = [asyncio.ensure_future(place.submit(f"{number:02}", patience=HASTY)) for number in range(20)]
    await until(lambda: keeper.writer.jobs > 1)

    await keeper.stop()
    results = await asyncio.gather(*callers, return_exceptions=True)

    acknowledged = sorted(result.plan.unit for result in results if isinstance(result, Persona))
    assert all(isinstance(result, (Persona, RenkeiError)) for result in results)
    async with started(again := place.service("keeper")):
        assert set(acknowledged) <= set(await units(again))


async def test_everything_is_let_go_of_in_order_though_a_part_fails_to_close(place: Place) -> None:
    ended: list[str] = []

    async def close(name: str) -> None:
        ended.append(name)
        raise LookupError

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("task")

    def wire(parts: Parts) -> Wiring:
        def closing(name: str) -> Callable[[], Awaitable[None]]:
            return lambda: close(name)

        return Wiring(api=PERSONAS_API, tasks={"work": work}, closing=[closing("first"), closing("second")])

    service = place.service("keeper", wire)
    await service.start()
    await asyncio.sleep(0)

    with pytest.raises(LookupError):
        await service.stop()

    assert ended == ["task", "first", "second"]
    async with started(place.service("keeper")):
        await place.submit("a")


async def test_a_task_that_fails_is_begun_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renkei_chassis.service._RESTART_SECONDS", 0.01)
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise LookupError

    async with started(place.service("keeper", lambda _: Wiring(api=PERSONAS_API, tasks={"work": work}))):
        await until(lambda: len(runs) == 3)


async def test_a_scrape_tells_positions_and_no_content(place: Place) -> None:
    async with started(keeper := place.service("keeper")):
        await place.submit("MARKER")
        shown = page([keeper.metrics]).decode()

    assert 'renkei_log_sequence{service="keeper"} 1.0' in shown
    assert "MARKER" not in shown


async def test_a_services_token_opens_the_log_and_an_officers_does_not(place: Place) -> None:
    async with started(place.service("keeper")):
        await place.submit("a")
        minter = Minter(place.keys["reader"], issuer=f"{AGENCY}/services/reader", role="SERVICE", clock=WallClock())
        async with Client(place.addresses["keeper"], token=lambda: minter.token(AGENCY)) as client:
            answer: ReadLogResponse = await client.call(client.stub(LogServiceStub).ReadLog, ReadLogRequest())
        async with place.client("keeper", "SUPERVISOR") as officer:
            with pytest.raises(RenkeiError, match="ROLE_MISSING"):
                await officer.call(officer.stub(LogServiceStub).ReadLog, ReadLogRequest())

    assert len(answer.events) == 1
