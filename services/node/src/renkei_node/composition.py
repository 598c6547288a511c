"""Compose one agency's services into one process: the only place that knows them all."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import renkei_arrests.settings
import renkei_arrests.wiring
import renkei_desk.settings
import renkei_desk.wiring
import renkei_exchange.settings
import renkei_exchange.wiring
import renkei_leads.settings
import renkei_leads.wiring
import renkei_personas.settings
import renkei_personas.wiring
import renkei_tips.settings
import renkei_tips.wiring
from renkei_chassis.clock import WallClock
from renkei_chassis.courier import Endpoint, load_user_key
from renkei_chassis.database.postgresql.url import of_service
from renkei_chassis.files import replace
from renkei_chassis.identity import load_private, load_trust
from renkei_chassis.records.protected import load_protected
from renkei_chassis.service import Blueprint, Service, Surroundings
from renkei_chassis.settings import load
from renkei_chassis.telemetry.exposition import MetricsServer
from renkei_chassis.telemetry.otlp import open_collector
from renkei_chassis.telemetry.settings import TelemetrySettings
from renkei_desk.domain.cases import Case
from renkei_exchange.federation import Federation, load_federation, peer_issuers
from renkei_node.demo.timeline import read_cases
from renkei_node.layout import DESK, NodeDirectory
from renkei_node.nats_server import NatsServer, PeerAccount, ServerConfiguration
from renkei_node.officer_token import sign_token
from renkei_node.officers import check_roles, load_officers
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.telemetry.collector import Collector

_HOST: Final = "127.0.0.1"
_DESK_TOKEN_SECONDS: Final = 10 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Everything that a node's directory says."""

    directory: NodeDirectory
    settings: NodeSettings
    ports: Ports
    federation: Federation
    telemetry: TelemetrySettings


def read_agency(directory: NodeDirectory) -> Agency:
    """Read a node's directory. Raises SettingsError naming the setting that is wrong."""
    settings = load(NodeSettings, directory.settings, "node")
    ports = load(Ports, directory.settings, "ports")
    load_officers(directory.officers)
    return Agency(
        directory=directory,
        settings=settings,
        ports=ports,
        federation=load_federation(directory.federation),
        telemetry=load(TelemetrySettings, directory.settings, "telemetry"),
    )


class Node:
    """A running agency: its nats-server and its services, each with its own database and port."""

    def __init__(self, agency: Agency) -> None:
        """Compose; nothing runs yet."""
        self.agency = agency
        self._nats = _nats_server(agency) if agency.settings.courier else None
        self._supervision: asyncio.Task[None] | None = None
        self._collector = open_collector(agency.telemetry)
        self.services: Sequence[Service] = [
            Service(blueprint=blueprint, surroundings=_surroundings(agency, blueprint.name, self._collector))
            for blueprint in _blueprints(agency)
        ]
        self._metrics = MetricsServer([service.metrics for service in self.services])
        self._started: list[Service] = []

    async def start(self) -> None:
        """Bring everything up, or nothing: raises what stands in the way, with everything stopped again."""
        try:
            if self._nats is not None:
                await self._nats.start()
                self._supervision = asyncio.create_task(self._nats.run(), name="nats-server")
            # Together, since each waits for its database's disk; none of them needs another to start.
            ends = await asyncio.gather(*(service.start() for service in self.services), return_exceptions=True)
            self._started = [service for service, end in zip(self.services, ends, strict=True) if end is None]
            _raise_first(ends)
            await self._metrics.start(_HOST, self.agency.ports.metrics)
        except BaseException:
            await self.stop()
            raise
        ready = {"pid": os.getpid(), "time": time.time(), "agency": self.agency.settings.agency}
        await asyncio.to_thread(replace, self.agency.directory.ready, json.dumps(ready).encode(), mode=0o600)

    async def stop(self) -> None:
        """Stop the services together, then the nats-server; no process is left."""
        with suppress(FileNotFoundError):
            self.agency.directory.ready.unlink()
        await self._metrics.close()
        await asyncio.gather(*(service.stop() for service in self._started))
        self._started = []
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)
        if self._nats is not None:
            await self._nats.stop()
        if self._collector is not None:
            await asyncio.to_thread(self._collector.close)


def _raise_first(ends: Sequence[BaseException | None]) -> None:
    for end in ends:
        if end is not None:
            raise end


def _blueprints(agency: Agency) -> list[Blueprint]:
    path = agency.directory.settings
    name = agency.settings.agency
    peers = agency.federation.peers_of(name)
    own = next(member for member in agency.federation.agencies if member.name == name)
    given = {
        "release_without_instrument": agency.settings.release_without_instrument,
        "contact_desk": own.contact_desk,
        "members": (name, *peers),
        "protected": load_protected(agency.directory.protected),
    }
    tips = load(renkei_tips.settings.Settings, path, "tips").model_copy(update=given)
    arrests = load(renkei_arrests.settings.Settings, path, "arrests").model_copy(update=given)
    personas = load(renkei_personas.settings.Settings, path, "personas")
    leads = load(renkei_leads.settings.Settings, path, "leads").model_copy(
        update={key: given[key] for key in ("members", "protected")}
    )
    exchange = load(renkei_exchange.settings.Settings, path, "exchange")
    exchange_key = load_private(agency.directory.service_key("exchange"))
    nats_key = load_user_key(agency.directory.nats_exchange_key) if agency.settings.courier else None
    blueprints = [
        renkei_tips.wiring.blueprint(tips),
        renkei_arrests.wiring.blueprint(arrests),
        renkei_personas.wiring.blueprint(personas),
        renkei_exchange.wiring.blueprint(exchange, agency.federation, key=exchange_key, nats_key=nats_key),
        renkei_leads.wiring.blueprint(leads),
    ]
    if agency.ports.desk:
        blueprints.append(_desk(agency, agency_name=own.display_name))
    return blueprints


def _desk(agency: Agency, *, agency_name: str) -> Blueprint:
    """Describe the desk. The node's issuer renews the tokens of who is signed in, for the length of a session."""
    directory, name, ports = agency.directory, agency.settings.agency, agency.ports
    given = {"port": ports.web, "agency_name": agency_name, "training": agency.settings.training}
    settings = load(renkei_desk.settings.Settings, directory.settings, DESK).model_copy(update=given)
    issuer = load_private(directory.issuer_key)

    async def renew(officer: str, roles: Sequence[str]) -> str:
        await asyncio.to_thread(check_roles, directory.officers, officer.rpartition("/")[2], roles)
        return sign_token(issuer, name, officer, roles, seconds=_DESK_TOKEN_SECONDS)

    place = renkei_desk.wiring.Place(
        addresses={each: ports.address(each) for each in ports.services},
        trust=load_trust(directory.trust),
        folder=directory.data,
        renew=renew,
        # They happened, and everything else that a training node shows is invented.
        cases=_cases() if agency.settings.training else (),
    )
    return renkei_desk.wiring.blueprint(settings, place)


def _cases() -> list[Case]:
    return [
        Case(
            day=case.date,
            agency=case.prefecture,
            place=case.place,
            crime=case.crime,
            detail=case.public_detail,
            counted=case.counted_in_series,
        )
        for case in read_cases()
    ]


def _surroundings(agency: Agency, service: str, collector: Collector | None) -> Surroundings:
    directory = agency.directory
    name = agency.settings.agency
    trust = load_trust(directory.trust)
    if service == "exchange":  # the one service that other agencies may call
        trust = trust.merged(peer_issuers(agency.federation, own=name))
    courier = None
    if agency.settings.courier:
        courier = Endpoint(
            url=f"nats://{_HOST}:{agency.ports.nats}",
            key=load_user_key(directory.nats_local_key),
            name=f"{name}/services/{service}",
        )
    return Surroundings(
        agency=name,
        data_directory=directory.data,
        databases=partial(of_service, agency.settings.database) if agency.settings.database else None,
        addresses={each: agency.ports.address(each) for each in agency.ports.services},
        key=load_private(directory.service_key(service)),
        trust=trust,
        courier=courier,
        stream_max_age=timedelta(hours=agency.settings.nats_log_hours),
        reflection=agency.settings.reflection,
        clock=WallClock(),
        collector=collector,
        telemetry=agency.telemetry,
    )


def _nats_server(agency: Agency) -> NatsServer:
    own = agency.settings.agency
    peers = tuple(
        PeerAccount(agency=member.code, public_key=member.nats_public_nkey)
        for member in agency.federation.peers_of(own).values()
    )
    configuration = ServerConfiguration(
        agency=own.removeprefix("agencies/"),
        port=agency.ports.nats,
        store_directory=agency.directory.nats / "store",
        local_public_key=load_user_key(agency.directory.nats_local_key).public,
        peers=peers,
        max_store_megabytes=agency.settings.nats_store_megabytes,
    )
    return NatsServer(configuration, agency.directory.nats)
