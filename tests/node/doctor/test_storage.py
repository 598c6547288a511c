"""The doctor sees where records do not lie safely: files, disks, clocks, a PostgreSQL server."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from renkei_chassis.database import tables
from renkei_chassis.database.engine import Owner
from renkei_chassis.database.schema import Schema
from renkei_node.doctor import storage
from renkei_node.doctor.examination import examine
from renkei_node.doctor.finding import State
from renkei_node.layout import DESK, SERVICES, NodeDirectory
from tests.databases import POSTGRESQL, on, running
from tests.node.doctor.ground import change, event_at, run_sql, tips, wrong

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_is_no_database_is_told(node: NodeDirectory) -> None:
    (node.data / "tips.db").write_bytes(b"no database " * 500)

    assert "restore it from a backup" in wrong(node)["database_broken"].told("en")


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("DROP TABLE tip_copy", "lacks tip_copy: a half-applied migration"),
        ("DELETE FROM renkei_schema WHERE component = 'tips'", "of a schema that it does not name"),
        ("UPDATE renkei_schema SET version = 99 WHERE component = 'tips'", "start the newer program"),
        ("DROP TABLE renkei_schema", "none of Renkei's"),
        ("DELETE FROM renkei_fact WHERE key = 'agency'", "does not say its agency"),
    ],
)
def test_a_database_that_would_be_refused_is_told(node: NodeDirectory, damage: str, what: str) -> None:
    run_sql(node, text(damage))

    broken = wrong(node)["database_broken"]

    assert (broken.check, what in broken.told("en")) == ("database tips", True), broken.told("en")


def test_a_log_with_a_gap_is_told(node: NodeDirectory) -> None:
    run_sql(node, event_at(-5))
    run_sql(node, update(tables.events).values(sequence=3))

    assert "ends at 3 and holds 1 events" in wrong(node)["database_broken"].told("en")


def test_a_database_of_another_agency_is_told(node: NodeDirectory) -> None:
    tips(node, owner=Owner(agency="agencies/jp-13", service="tips")).close()

    assert "belongs to agencies/jp-13" in wrong(node)["database_broken"].told("en")


def test_a_migration_that_waits_is_told(node: NodeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    tips(node).close()
    now = storage.SCHEMAS["tips"]
    newer = Schema(component="tips", metadata=now.metadata, steps=[*now.steps, lambda connection: None])
    monkeypatch.setattr(storage, "SCHEMAS", {**storage.SCHEMAS, "tips": newer})

    waits = wrong(node, State.WARNING)["database_old"]

    assert waits.values["steps"] == 1


def test_a_folder_that_cannot_be_written_is_told(node: NodeDirectory) -> None:
    node.nats.rmdir()

    assert wrong(node)["not_writable"].check == "disk nats"


def test_a_disk_that_fills_is_told(node: NodeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    free = os.statvfs(node.path).f_bavail * os.statvfs(node.path).f_frsize // 2**20
    monkeypatch.setattr(storage, "LOW_MEGABYTES", free * 2)
    assert "disk_low" in wrong(node, State.WARNING)

    monkeypatch.setattr(storage, "FULL_MEGABYTES", free * 2)
    assert "disk_full" in wrong(node)


@pytest.mark.parametrize(("kind", "told"), [("tmpfs", "in_memory"), ("nfs4", "over_network")])
def test_data_that_lies_where_nothing_is_kept_is_told(
    node: NodeDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, told: str
) -> None:
    monkeypatch.undo()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nx {node.data} {kind} rw 0 0\ny {node.path} xfs rw 0 0\n")
    real = storage.file_system
    monkeypatch.setattr(storage, "file_system", lambda path: real(path, mounts))

    assert wrong(node)[told].values["kind"] == kind


@pytest.mark.parametrize(
    ("seconds", "state", "told"),
    [
        (-5, State.OK, "clock_well"),
        (3, State.OK, "clock_well"),
        (60, State.FAILED, "clock_behind"),
        (-500 * 86400, State.WARNING, "clock_ahead"),
    ],
)
def test_a_clock_that_jumped_is_told(node: NodeDirectory, seconds: float, state: State, told: str) -> None:
    run_sql(node, event_at(seconds))

    assert told in wrong(node, state)


# A PostgreSQL server.


@on(POSTGRESQL)
def test_a_server_that_would_lose_what_it_acknowledged_is_told(node: NodeDirectory, kind: str) -> None:
    """The tests' own server does not sync, and says so; an empty database is new."""
    address = f"postgresql://postgres@/doctor_{{service}}?host={running().folder}"
    change(node.settings, 'database = ""', f'database = "{address}"')
    assert set(wrong(node)) == {"database_unreachable"}

    names = [f"doctor_{service}" for service in (*SERVICES, DESK)]
    for name in names:
        running().run(f"CREATE DATABASE {name} TEMPLATE template0")
    found = examine(node)
    for name in names:
        running().run(f"DROP DATABASE {name}")

    failures = {str(finding.values.get("setting")) for finding in found if finding.state is State.FAILED}
    assert failures == {"fsync", "full_page_writes"}
    assert {finding.text for finding in found if finding.state is State.WARNING} == {"no_autovacuum", "peer_silent"}
    assert sum(finding.text == "database_new" for finding in found) == len(SERVICES) + 1


WELL = {
    "version": "180000",
    "fsync": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "encoding": "UTF8",
    "standby": "false",
    "may_create": "true",
    "tls": "true",
    "connections_left": "90",
}


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, "synced_well"),
        ({"fsync": "off"}, "fsync_off"),
        ({"standby": "true"}, "standby"),
        ({"may_create": "false"}, "no_create"),
        ({"encoding": "SQL_ASCII"}, "encoding"),
        ({"version": "130000"}, "old_server"),
        ({"tls": "false"}, "no_tls"),
        ({"connections_left": "5"}, "few_connections"),
        ({"autovacuum": "off"}, "no_autovacuum"),
        ({"time_us": "1000000000000000"}, "clock_server"),
    ],
)
def test_what_a_server_says_of_itself_is_judged(told: dict[str, str], found: str) -> None:
    now = {"time_us": str(int(time.time() * 1e6))}

    findings = list(storage._server({**WELL, **now, **told}, needs_tls=True, services=6))

    assert found in {finding.text for finding in findings}
    assert len(findings) == (1 if found in {"synced_well", "fsync_off"} else 2)
