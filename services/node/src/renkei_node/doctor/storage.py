"""Check where the records lie: every service's database, whether commits reach a disk, and how much room there is."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import renkei_arrests.store
import renkei_desk.tables
import renkei_exchange.store
import renkei_leads.tables
import renkei_personas.store.tables
import renkei_tips.store
from renkei_chassis.database.place import DatabaseUnreachableError, Owner, WrongOwnerError
from renkei_chassis.database.postgresql.url import of_service
from renkei_chassis.database.schema import SchemaError
from renkei_chassis.database.visit import Visited, visit
from renkei_node.doctor.finding import Finding, failed, ok, skipped, warning
from renkei_node.layout import DESK, SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from renkei_chassis.database.postgresql.url import PostgresUrl
    from renkei_chassis.database.schema import Schema
    from renkei_node.composition import Agency

SCHEMAS: Final[Mapping[str, Schema]] = {
    "tips": renkei_tips.store.SCHEMA,
    "arrests": renkei_arrests.store.SCHEMA,
    "personas": renkei_personas.store.tables.SCHEMA,
    "leads": renkei_leads.tables.SCHEMA,
    "exchange": renkei_exchange.store.SCHEMA,
    DESK: renkei_desk.tables.SCHEMA,
}
LOW_MEGABYTES: Final = 2048
FULL_MEGABYTES: Final = 256
_OLDEST_SERVER: Final = 140000
_CONNECTIONS: Final = 12  # of one service: a writer, readers, and one to vacuum with
_MAY_BE_BEHIND_SECONDS: Final = 10.0  # as the writer has it
_LONG_AGO_SECONDS: Final = 400 * 86400.0
_SERVER_CLOCK_SECONDS: Final = 5.0
_IN_MEMORY: Final = frozenset(["tmpfs", "ramfs"])
_OVER_NETWORK: Final = frozenset(["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Where a service's log ends."""

    name: str
    sequence: int
    time_us: int


def check_databases(agency: Agency) -> tuple[list[Finding], list[Log]]:
    """Look into every service's database."""
    found: list[Finding] = []
    logs: list[Log] = []
    server: Mapping[str, str] = {}
    for service in agency.ports.services:
        where = _where(agency, service)
        owner = Owner(agency=agency.settings.agency, service=service)
        try:
            visited = visit(where, owner=owner, schema=SCHEMAS[service])
        except DatabaseUnreachableError as error:
            found.append(failed(f"database {service}", "database_unreachable", error=error))
        except (SchemaError, WrongOwnerError) as error:
            found.append(failed(f"database {service}", "database_broken", error=error))
        else:
            found.append(_database(service, where, visited))
            logs.append(Log(name=service, sequence=visited.sequence, time_us=visited.time_us))
            server = server or visited.server
    if server:
        found.extend(
            _server(server, needs_tls=_is_remote(_where(agency, SERVICES[0])), services=len(agency.ports.services))
        )
    return found, logs


def _where(agency: Agency, service: str) -> Path | PostgresUrl:
    if agency.settings.database:
        return of_service(agency.settings.database, service)
    return agency.directory.data / f"{service}.db"


def _database(service: str, where: Path | PostgresUrl, visited: Visited) -> Finding:
    check = f"database {service}"
    if visited.steps is None:
        return ok(check, "database_new", where=where)
    if visited.steps:
        return warning(check, "database_old", where=where, steps=visited.steps)
    return ok(check, "database_well", where=where, sequence=visited.sequence)


def _server(told: Mapping[str, str], *, needs_tls: bool, services: int) -> Iterator[Finding]:
    check = "database server"
    unsafe = [name for name in ("fsync", "full_page_writes") if told[name] != "on"]
    yield from (failed(check, "fsync_off", setting=setting) for setting in unsafe)
    if not unsafe:
        yield ok(check, "synced_well", how="synchronous_commit for the writer, fsync, full_page_writes")
    version, left = int(told["version"]), int(told["connections_left"])
    apart = abs(int(told["time_us"]) / 1e6 - time.time())
    for wrong, finding in (
        (told["standby"] == "true", failed(check, "standby")),
        (told["may_create"] == "false", failed(check, "no_create")),
        (told["encoding"] != "UTF8", failed(check, "encoding", encoding=told["encoding"])),
        (version < _OLDEST_SERVER, failed(check, "old_server", version=version // 10000)),
        (needs_tls and told["tls"] != "true", failed(check, "no_tls")),
        (left < _CONNECTIONS * services, warning(check, "few_connections", left=left)),
        (told["autovacuum"] != "on", warning(check, "no_autovacuum")),
        (apart > _SERVER_CLOCK_SECONDS, warning(check, "clock_server", seconds=round(apart))),
    ):
        if wrong:
            yield finding


def _is_remote(where: Path | PostgresUrl) -> bool:
    shown = str(where).removeprefix("postgresql://").rpartition("@")[2]
    return not shown.startswith(("%2F", "/", "localhost", "127.", "[::1]"))


def check_disks(agency: Agency) -> Iterator[Finding]:
    """Look at the disks of the node's own folders: room, whether they can be written, and whether they keep it."""
    directory = agency.directory
    folders = {"data": directory.data} if not agency.settings.database else {}
    folders |= {"log": directory.log.parent}
    folders |= {"nats": directory.nats} if agency.settings.courier else {}
    for name, folder in folders.items():
        yield from _disk(f"disk {name}", folder)
    if agency.settings.database:
        yield skipped("disk database", "server_disk")
    else:
        yield from _kept(directory.data)


def _disk(check: str, folder: Path) -> Iterator[Finding]:
    try:
        room = os.statvfs(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            os.fsync(file.fileno())
    except OSError as error:
        yield failed(check, "not_writable", path=folder, error=error.strerror)
        return
    free = room.f_bavail * room.f_frsize // 2**20
    if free < FULL_MEGABYTES:
        yield failed(check, "disk_full", path=folder, free=free)
    elif free < LOW_MEGABYTES:
        yield warning(check, "disk_low", path=folder, free=free)
    else:
        yield ok(check, "disk_well", free=free)


def _kept(folder: Path) -> Iterator[Finding]:
    kind = file_system(folder)
    if kind in _IN_MEMORY:
        yield failed("disk data", "in_memory", path=folder, kind=kind)
    elif kind in _OVER_NETWORK:
        yield failed("disk data", "over_network", path=folder, kind=kind)
    else:
        yield ok("disk data", "synced_well", how="SQLite, synchronous = FULL")


def file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Tell the kind of file system on which a path lies; empty where that cannot be known."""
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return ""
    found = path.resolve()
    best = ("", "")
    for words in lines:
        point = words[1].encode().decode("unicode_escape")
        if found.is_relative_to(point) and len(point) >= len(best[0]):
            best = point, words[2]
    return best[1]


def check_clock(logs: list[Log]) -> Iterator[Finding]:
    """Compare the clock with what was written last."""
    written = [log for log in logs if log.sequence]
    if not written:
        yield ok("clock", "clock_fresh")
        return
    last = max(written, key=lambda log: log.time_us)
    past = time.time() - last.time_us / 1e6
    if past < -_MAY_BE_BEHIND_SECONDS:
        yield failed("clock", "clock_behind", seconds=round(-past), log=last.name)
    elif past > _LONG_AGO_SECONDS:
        yield warning("clock", "clock_ahead", days=int(past // 86400), log=last.name)
    else:
        yield ok("clock", "clock_well", seconds=round(max(past, 0)))
