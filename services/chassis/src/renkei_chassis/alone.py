"""Run one service as a process of its own: what `python -m renkei_<service> FILE` does."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from renkei_chassis.courier import Endpoint, load_user_key
from renkei_chassis.database.place import DatabaseInUseError, WrongOwnerError
from renkei_chassis.database.postgresql.url import of_service
from renkei_chassis.database.schema import SchemaError
from renkei_chassis.database.writer import TURN_SECONDS
from renkei_chassis.errors import SettingsError
from renkei_chassis.identity import Issuer, load_private, load_trust
from renkei_chassis.service import Blueprint, Service, Surroundings
from renkei_chassis.settings import STRICT, load
from renkei_chassis.telemetry.exposition import MetricsServer
from renkei_chassis.telemetry.logging import configure
from renkei_chassis.telemetry.otlp import open_collector
from renkei_chassis.telemetry.settings import TelemetrySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ProcessSettings(BaseModel):
    """Section `process`: where a service runs that has a process of its own."""

    model_config = STRICT

    agency: str = Field(pattern=r"^agencies/[a-z]{2}-[a-z0-9]{2,8}$", description="Whose service it is.")
    data_directory: Path = Field(description="Where its database lies.")
    database: str = Field(
        default="",
        repr=False,
        description="Its PostgreSQL database, `postgresql://user@host:5432/renkei_tips`; `{service}` in it is the "
        "service's name. Empty for a file in `data_directory`.",
    )
    key: Path = Field(description="The service's own private key, a file of mode 0600.")
    trust: Path = Field(description="The agency's trust file.")
    addresses: dict[str, str] = Field(description="`127.0.0.1:port` of every service of the agency, by name.")
    metrics_port: int = Field(default=0, ge=0, le=32767, description="Port of /metrics; 0 for none.")
    writer_process: bool = Field(
        default=False,
        description="Carry out the calls that write in a process of their own: more throughput for one more process. "
        "For tips, arrests and personas.",
    )
    nats_url: str = Field(default="", description="The agency's own nats-server; empty to work without.")
    nats_key: Path | None = Field(default=None, description="The services' key at that nats-server.")


def main(
    name: str,
    make: Callable[[Path], Blueprint],
    *,
    more_issuers: Callable[[Path], Sequence[Issuer]] = lambda _path: (),
    arguments: Sequence[str] | None = None,
) -> int:
    """Run the service `name` until SIGTERM or SIGINT; returns the exit status.

    `make` builds its blueprint from the settings file; `more_issuers` names whom it believes beside
    the trust file (the exchange: its peers).
    """
    parser = argparse.ArgumentParser(prog=f"python -m renkei_{name}", description=f"Run the {name} service alone.")
    parser.add_argument("file", type=Path, help=f"a TOML file with the sections `process` and `{name}`")
    path: Path = parser.parse_args(arguments).file
    writer = configure(level=logging.INFO)
    sys.setswitchinterval(TURN_SECONDS)
    try:
        settings = load(ProcessSettings, path, "process")
        telemetry = load(TelemetrySettings, path, "telemetry")
        around = _surroundings(settings, telemetry, name, more_issuers(path))
        asyncio.run(_run(Service(blueprint=make(path), surroundings=around), settings.metrics_port))
    except (SettingsError, DatabaseInUseError, WrongOwnerError, SchemaError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (the command line of this process)
        return 1
    finally:
        writer.close()
    return 0


def _surroundings(
    settings: ProcessSettings, telemetry: TelemetrySettings, name: str, more_issuers: Sequence[Issuer]
) -> Surroundings:
    courier = None
    if settings.nats_url and settings.nats_key is not None:
        key = load_user_key(settings.nats_key)
        courier = Endpoint(url=settings.nats_url, key=key, name=f"{settings.agency}/services/{name}")
    return Surroundings(
        agency=settings.agency,
        data_directory=settings.data_directory,
        databases=partial(of_service, settings.database) if settings.database else None,
        addresses=settings.addresses,
        key=load_private(settings.key),
        trust=load_trust(settings.trust).merged(more_issuers),
        courier=courier,
        collector=open_collector(telemetry),
        telemetry=telemetry,
        writer_process=settings.writer_process,
    )


async def _run(service: Service, metrics_port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = MetricsServer([service.metrics])
    await service.start()
    try:
        if metrics_port:
            await metrics.start("127.0.0.1", metrics_port)
        await stop.wait()
    finally:
        await metrics.close()
        await service.stop()
