"""Run one service: open its database, start writer, log, relay, followers and server; stop them in order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.log_pb2_grpc import LogServiceStub

from renkei_chassis.alarms import STREAM_DISTRUSTED, Alarms
from renkei_chassis.clock import Clock, WallClock
from renkei_chassis.courier import LOG_MAX_AGE, Connection, DurableShape, Endpoint, Receiver, Relay, log_shape
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.erasures import was_erased
from renkei_chassis.database.process.frames import Start
from renkei_chassis.database.retention import forget_requests, see_hour
from renkei_chassis.database.writer import Writer
from renkei_chassis.errors import RenkeiError, SettingsError
from renkei_chassis.follower.api import follower_api
from renkei_chassis.follower.apply import Applier, Handler
from renkei_chassis.follower.follower import Follower
from renkei_chassis.follower.retry import Retrier
from renkei_chassis.identity import Minter, TrustFile, Verifier
from renkei_chassis.log.api import log_api
from renkei_chassis.log.append import read_position
from renkei_chassis.log.changes import Changes
from renkei_chassis.log.log import Log
from renkei_chassis.rpc.client import Client
from renkei_chassis.rpc.page_tokens import PageTokens
from renkei_chassis.rpc.pipeline import Pipeline
from renkei_chassis.rpc.server import Server
from renkei_chassis.telemetry.logging import log_event
from renkei_chassis.telemetry.metrics import Metrics
from renkei_chassis.telemetry.otlp import Exporting
from renkei_chassis.telemetry.settings import TelemetrySettings
from renkei_chassis.telemetry.tracing import Tracing, traceparent
from renkei_chassis.write_methods import by_path, recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse

    from renkei_chassis.database.postgresql.url import PostgresUrl
    from renkei_chassis.database.schema import Schema
    from renkei_chassis.follower.state import Aside
    from renkei_chassis.rpc.methods import Api
    from renkei_chassis.rpc.pipeline import OnRefused
    from renkei_chassis.telemetry.collector import Collector
    from renkei_chassis.telemetry.metrics import Number

_LOG: Final = logging.getLogger("renkei.service")
_FORGET_SECONDS: Final = 3600.0
_RESTART_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a service runs: what its node gives it, the same for every service of the agency but `key`."""

    agency: str
    """`agencies/jp-12`."""
    data_directory: Path
    addresses: Mapping[str, str]
    """`host:port` of every service of the agency, by short name."""
    key: Ed25519PrivateKey
    """The service's own key; its public half stands in `trust`."""
    trust: TrustFile
    databases: Callable[[str], PostgresUrl] | None = None
    """Where each service's PostgreSQL database is, by short name; None for a file each in `data_directory`."""
    courier: Endpoint | None = None
    """The agency's own NATS; None to work without."""
    stream_max_age: timedelta = LOG_MAX_AGE
    """How long messages of the service's log stay on NATS. Whoever misses them reads the log."""
    reflection: bool = False
    writer_process: bool = False
    """Calls that write are carried out in a process of their own, where the service's rules can be carried there."""
    clock: Clock = field(default_factory=WallClock)
    collector: Collector | None = None
    """Where spans and numbers go, the same for all services of a process; None to export nothing."""
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the chassis gives to a service's wiring."""

    agency: str
    database: Database
    writer: Writer
    log: Log
    changes: Changes
    clock: Clock
    tokens: PageTokens
    metrics: Metrics
    alarms: Alarms
    minter: Minter
    courier: Connection | None
    client: Callable[[str], Client]
    """A client of another service of the same agency, by short name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What a service does, once its parts are there."""

    api: Api
    follows: Mapping[str, Mapping[str, Handler]] = field(default_factory=dict)
    """Handlers by event type, for each service whose log is followed."""
    pace_seconds: float = 0.0
    """How long what is followed may wait for more of it, in a service at which nobody waits for it."""
    tasks: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What runs as long as the service does."""
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    """What is to be closed at the end."""
    on_refused: OnRefused | None = None
    """What is told of each refused call before its caller is, for a service that must keep a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A service: its name, its tables, and how its parts are put together."""

    name: str
    schema: Schema
    wire: Callable[[Parts], Wiring]
    """Called once more in the writer's process, if there is one: therefore a function of a module, or a partial."""


class Service:
    """A running service."""

    def __init__(self, *, blueprint: Blueprint, surroundings: Surroundings) -> None:
        """Call `start` next."""
        self.name = blueprint.name
        self.metrics = Metrics(blueprint.name)
        self.followers: dict[str, Follower] = {}
        self._blueprint = blueprint
        self._around = surroundings
        self._tasks: list[asyncio.Task[None]] = []
        self._clients: dict[str, Client] = {}
        self._tracing = Tracing()
        self._ending = AsyncExitStack()

    async def start(self) -> None:
        """Open, migrate, serve. Raises what is wrong with settings or database; nothing is left open then."""
        around, name = self._around, self.name
        address = around.addresses[name]
        owner = Owner(agency=around.agency, service=name)
        file = around.data_directory / f"{name}.db"
        where = file if around.databases is None else around.databases(name)
        self.database = await asyncio.to_thread(Database.open, where, owner=owner, schema=self._blueprint.schema)
        self._ending.push_async_callback(asyncio.to_thread, self.database.close)
        try:
            await self._export()
            await self._start(address)
        except BaseException:
            await self.stop()
            raise
        log_event(_LOG, "serving", service=name, agency=around.agency)

    async def _export(self) -> None:
        """Begin to tell the collector, if there is one: before any number is made, and until everything else ended."""
        around = self._around
        if around.collector is not None:
            exporting = await asyncio.to_thread(
                Exporting, around.collector, around.telemetry, agency=around.agency, metrics=self.metrics
            )
            self._ending.push_async_callback(asyncio.to_thread, exporting.close)
            self._tracing = exporting.tracing

    async def _start(self, address: str) -> None:
        around, name = self._around, self.name
        self._alarms = Alarms(self.metrics)
        position = await self.database.read(read_position)
        self.log = Log(name=f"{around.agency}/logs/{name}", database=self.database, position=position)
        self.writer = Writer(database=self.database, log=self.log, clock=around.clock)
        self.writer.erasures = int(await self.database.read(was_erased))
        self.writer.start()
        self._ending.push_async_callback(self.writer.stop)
        self._ending.push_async_callback(self._close_clients)
        self._minter = Minter(around.key, issuer=f"{around.agency}/services/{name}", role="SERVICE", clock=around.clock)
        self._courier = Connection(around.courier) if around.courier is not None else None
        tokens = PageTokens(self.database.secret)
        parts = Parts(
            agency=around.agency,
            database=self.database,
            writer=self.writer,
            log=self.log,
            changes=Changes(log=self.log, tokens=tokens),
            clock=around.clock,
            tokens=tokens,
            metrics=self.metrics,
            alarms=self._alarms,
            minter=self._minter,
            courier=self._courier,
            client=self._client,
        )
        wiring = self._blueprint.wire(parts)
        for close in reversed(wiring.closing):
            self._ending.push_async_callback(close)
        self._ending.push_async_callback(self._end_tasks)
        if around.writer_process:
            await self._move_calls(wiring.api)
        follower_methods = self._follow(wiring, tokens)
        verifier = Verifier(audience=around.agency, trust=around.trust)
        pipeline = Pipeline(
            verifier=verifier,
            writer=self.writer,
            metrics=self.metrics,
            service=name,
            tracing=self._tracing,
            on_refused=wiring.on_refused,
        )
        api: Api = {**wiring.api, **log_api(self.log), **follower_methods}
        server = Server(api=api, pipeline=pipeline, reflection=around.reflection)
        self._ending.push_async_callback(server.stop)
        host, _, port = address.rpartition(":")
        await server.start(host, int(port))
        self._observe()
        if self._courier is not None:
            self._spawn("courier", self._courier.run)
            self._relay(self._courier)
        for follower in self.followers.values():
            self._spawn("follower", follower.run)
        for task, run in wiring.tasks.items():
            self._spawn(task, run)
        self._spawn("forget", self._forget)

    async def stop(self) -> None:
        """Drain the calls, end the tasks, finish the writes, let go of the database; a failure stops none of it."""
        await self._ending.aclose()

    async def _move_calls(self, api: Api) -> None:
        agency, name = self._around.agency, self.name
        known = by_path(api)
        start = Start(
            shared=self.database.shared,
            owner=Owner(agency=agency, service=name),
            recipe=recipe(self._blueprint.wire, agency=agency, service=name),
        )
        try:
            await self.writer.move_calls(start, key=lambda method, path: path if known.get(path) is method else None)
        except TypeError as error:
            raise SettingsError(f"writer_process: {name} cannot have its writer in a process of its own") from error
        self.metrics.observed(
            "renkei_writer_starts", "Starts of the writer's process.", lambda: self.writer.process_starts
        )

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close_clients(self) -> None:
        for client in self._clients.values():
            await client.close()

    def _client(self, service: str) -> Client:
        if service not in self._clients:
            agency = self._around.agency
            self._clients[service] = Client(
                self._around.addresses[service], token=lambda: self._minter.token(agency), trace_parent=traceparent
            )
        return self._clients[service]

    def _follow(self, wiring: Wiring, tokens: PageTokens) -> Api:
        logs: dict[str, tuple[Applier, Callable[[ReadLogRequest], Awaitable[ReadLogResponse]]]] = {}
        aside = self.metrics.gauge("renkei_set_aside", "Events that could not be applied.", ["log"])
        oldest = self.metrics.gauge(
            "renkei_set_aside_oldest_timestamp_seconds", "Since when the oldest is set aside; 0 for none.", ["log"]
        )
        for service, handlers in wiring.follows.items():
            source = f"{self._around.agency}/logs/{service}"
            applier = Applier(
                source=source, handlers=handlers, writer=self.writer, alarms=self._alarms, tracing=self._tracing
            )
            read_log = self._reader(service)
            logs[source] = (applier, read_log)
            count, since = aside.bind(log=service), oldest.bind(log=service)

            def on_aside(found: Aside, count: Number = count, since: Number = since) -> None:
                count(found.count)
                since(found.oldest_us / 1e6)

            follower = Follower(
                applier=applier,
                database=self.database,
                read_log=read_log,
                courier_connected=self._courier_connected,
                pace_seconds=wiring.pace_seconds,
                on_aside=on_aside,
            )
            self.followers[source] = follower
            if self._courier is not None:
                self._courier.observe(follower.courier_changed)
                receiver = Receiver(
                    self._courier,
                    stream=f"LOG_{service}",
                    durable=DurableShape(name=self.name),
                    on_messages=follower.on_messages,
                    may_create=True,
                )
                self._spawn("receiver", receiver.run)
        retrier = Retrier(database=self.database, logs=logs)
        return follower_api(
            followers=self.followers, retrier=retrier, database=self.database, tokens=tokens, alarms=self._alarms
        )

    def _reader(self, service: str) -> Callable[[ReadLogRequest], Awaitable[ReadLogResponse]]:
        client = self._client(service)
        stub = client.stub(LogServiceStub)

        async def read_log(request: ReadLogRequest) -> ReadLogResponse:
            return await client.call(stub.ReadLog, request)

        return read_log

    def _courier_connected(self) -> bool:
        return self._courier is not None and self._courier.connected

    def _relay(self, courier: Connection) -> None:
        relay = Relay(
            courier,
            shape=log_shape(self.name, max_age=self._around.stream_max_age),
            source=self.log,
            epoch=self.log.epoch,
            erasures=lambda: self.writer.erasures,
            on_alarm=lambda alarm: self._alarms.sound(STREAM_DISTRUSTED, alarm.stream),
        )
        self._spawn("relay", relay.run)

        async def ring() -> None:
            while True:
                await self.log.grown(after=self.log.position.sequence)
                relay.wake()

        self._spawn("bell", ring)

    async def _forget(self) -> None:
        while True:
            with suppress(RenkeiError):  # a clock that was turned, a full disk: the next hour will do
                await self.writer.run(see_hour)
                while await self.writer.run(forget_requests):
                    pass
            await asyncio.sleep(_FORGET_SECONDS)

    def _observe(self) -> None:
        metrics = self.metrics
        metrics.observed("renkei_log_sequence", "The last sequence of the log.", lambda: self.log.position.sequence)
        metrics.observed("renkei_commit_groups", "Commit groups since the start.", lambda: self.writer.groups)
        metrics.observed("renkei_commit_jobs", "Writes in those groups.", lambda: self.writer.jobs)

    def _spawn(self, name: str, run: Callable[[], Awaitable[Any]]) -> None:
        self._tasks.append(asyncio.create_task(self._for_ever(name, run), name=f"{self.name}:{name}"))

    async def _for_ever(self, name: str, run: Callable[[], Awaitable[Any]]) -> None:
        """Run a task until the service stops; one that fails is told of and begun again."""
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 (the outermost loop)
                log_event(_LOG, "a task failed", level=logging.ERROR, error=error, service=self.name, name=name)
            else:
                return
            await asyncio.sleep(_RESTART_SECONDS)
