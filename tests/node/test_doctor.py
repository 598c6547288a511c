"""The doctor sees each thing that is wrong, says what to do about it, and finds nothing where all is well."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, text, update

from renkei_chassis.courier import generate_user_key
from renkei_chassis.database import tables
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.schema import Schema
from renkei_chassis.identity import generate, public_text
from renkei_chassis.ports import PortClaims
from renkei_node.cli import main
from renkei_node.doctor import network, storage
from renkei_node.doctor.examination import examine
from renkei_node.doctor.finding import State
from renkei_node.doctor.texts import ADVICE, TEXTS
from renkei_node.initialise import PublicIdentity, initialise
from renkei_node.layout import SERVICES, NodeDirectory
from renkei_node.nats_server.binary import BinaryMissingError
from renkei_node.settings import NodeSettings, Ports
from tests.databases import POSTGRESQL, on, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Executable

    from renkei_node.doctor.finding import Finding

OWN = Owner(agency="agencies/jp-12", service="tips")


@pytest.fixture
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
def node(tmp_path: Path, ports: PortClaims, monkeypatch: pytest.MonkeyPatch) -> NodeDirectory:
    """A node that is down, as `renkei init` made it, in a federation with one neighbour who is down too."""
    monkeypatch.setattr(storage, "file_system", lambda path: "ext4")  # the tests' own folder may well be in memory
    monkeypatch.setattr(storage, "LOW_MEGABYTES", 0)
    monkeypatch.setattr(storage, "FULL_MEGABYTES", 0)
    directory = NodeDirectory(tmp_path / "node")
    names = (*SERVICES, "nats", "metrics")
    own_ports = Ports(**dict(zip(names, ports.claim_many(len(names)), strict=True)))
    identity = initialise(directory, NodeSettings(agency="agencies/jp-12"), own_ports)
    neighbour = PublicIdentity(
        agency="agencies/jp-13",
        exchange_public_key=public_text(generate()),
        nats_public_nkey=generate_user_key().public,
        exchange_port=ports.claim(),
        nats_port=ports.claim(),
    )
    directory.federation.write_text(entry(identity) + entry(neighbour))
    return directory


def entry(identity: PublicIdentity) -> str:
    return f"""\
[[agencies]]
name = "{identity.agency}"
display_name = "演習"
display_name_en = "training"
contact_desk = "desk"
exchange_address = "127.0.0.1:{identity.exchange_port}"
nats_url = "nats://127.0.0.1:{identity.nats_port}"
exchange_public_key = "{identity.exchange_public_key}"
nats_public_nkey = "{identity.nats_public_nkey}"
"""


def wrong(node: NodeDirectory, *states: State) -> dict[str, Finding]:
    """Examine; give what failed, by what was found."""
    found = examine(node)
    for finding in found:
        assert finding.told("ja")
        assert finding.told("en")
        assert bool(finding.advice("ja")) == bool(finding.advice("en"))
        assert finding.advice("en") or finding.state in {State.OK, State.SKIPPED}, (
            f"{finding.text}: what is to be done?"
        )
    return {finding.text: finding for finding in found if finding.state in (states or {State.FAILED})}


def change(path: Path, old: str, new: str) -> None:
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))


def tips(node: NodeDirectory, schema: Schema = storage.SCHEMAS["tips"], owner: Owner = OWN) -> Database:
    return Database.open(node.data / "tips.db", owner=owner, schema=schema)


def run_sql(node: NodeDirectory, statement: Executable) -> None:
    with closing(tips(node)) as database, database.writing.begin() as connection:
        connection.execute(statement)


def event_at(seconds_from_now: float) -> Executable:
    row = {"sequence": 1, "event_id": b"1" * 16, "origin_agency": "", "type": "x", "resource": "r", "digest": b"d" * 32}
    at = int((time.time() + seconds_from_now) * 1e6)
    return insert(tables.events).values({**row, "erased": False, "envelope": b"", "time_us": at})


def test_a_node_that_is_well_has_nothing_wrong(node: NodeDirectory) -> None:
    for service in SERVICES:
        where = node.data / f"{service}.db"
        owner = Owner(agency="agencies/jp-12", service=service)
        Database.open(where, owner=owner, schema=storage.SCHEMAS[service]).close()

    assert wrong(node) == {}
    assert set(wrong(node, State.WARNING)) == {"peer_silent"}
    well = {finding.check for finding in wrong(node, State.OK).values()}
    assert well >= {"settings", "federation", "keys", "trust", "ports", "nats", "clock", "disk data"}


def test_looking_changes_nothing(node: NodeDirectory) -> None:
    tips(node).close()

    def state() -> list[tuple[Path, bytes, int]]:
        paths = sorted(path for path in node.path.rglob("*") if path.is_file())
        return [(path, path.read_bytes(), path.stat().st_mode) for path in paths]

    before = state()
    examine(node)

    assert state() == before


# What is written down.


def test_a_wrong_setting_is_named_and_the_rest_is_left_alone(node: NodeDirectory) -> None:
    change(node.settings, "nats_store_megabytes = 1024", "nats_store_megabytes = 1")

    found = examine(node)

    assert [finding.state for finding in found] == [State.FAILED] + [State.SKIPPED] * 8
    assert "node.toml: node.nats_store_megabytes" in found[0].told("en")


@pytest.mark.parametrize(
    ("database", "what"),
    [
        ("postgresql://renkei:MARKERxSECRET@/renkei", r"must contain {service}"),
        ("mysql://renkei:MARKERxSECRET@/{service}", "must begin with postgresql://"),
    ],
)
def test_a_database_that_cannot_be_meant_is_refused_without_its_password(
    node: NodeDirectory, database: str, what: str
) -> None:
    change(node.settings, 'database = ""', f'database = "{database}"')

    (broken,) = wrong(node).values()

    assert what in broken.told("en")
    assert "MARKERxSECRET" not in broken.told("en")


def test_a_federation_that_leaves_us_out_is_told(node: NodeDirectory) -> None:
    change(node.federation, "agencies/jp-12", "agencies/jp-11")

    assert "own agency agencies/jp-12 is not in it" in wrong(node)["settings_broken"].told("en")


@pytest.mark.parametrize("key", ["exchange_public_key", "nats_public_nkey"])
def test_a_key_of_ours_that_the_federation_knows_otherwise_is_told(node: NodeDirectory, key: str) -> None:
    other = public_text(generate()) if key == "exchange_public_key" else generate_user_key().public
    line = next(line for line in node.federation.read_text().splitlines() if line.startswith(key))
    change(node.federation, line, f'{key} = "{other}"')

    assert wrong(node)["own_key_differs"].values == {"key": key}


def test_records_that_leave_without_an_instrument_outside_of_training_are_told(node: NodeDirectory) -> None:
    change(node.settings, "release_without_instrument = false", "release_without_instrument = true")
    assert "open_release" in wrong(node, State.WARNING)

    change(node.settings, "training = false", "training = true")
    assert "open_release" not in wrong(node, State.WARNING)


@pytest.mark.parametrize("name", ["issuer.key", "tips.key", "nats-local.nk"])
def test_a_key_that_others_can_read_is_told(node: NodeDirectory, name: str) -> None:
    (node.issuer_key.parent / name).chmod(0o644)

    assert name in wrong(node)["key_broken"].told("en")


def test_a_key_that_is_gone_is_told(node: NodeDirectory) -> None:
    node.service_key("leads").unlink()

    assert set(wrong(node)) == {"key_broken"}


def test_a_folder_that_others_can_open_is_told(node: NodeDirectory) -> None:
    node.data.chmod(0o755)

    assert wrong(node)["folder_open"].values == {"path": node.data}


def test_a_trust_file_that_does_not_fit_the_keys_is_told(node: NodeDirectory) -> None:
    trusted = json.loads(node.trust.read_text())
    trusted["issuers"] = [each for each in trusted["issuers"] if not each["issuer"].endswith("/tips")]
    node.trust.write_text(json.dumps(trusted))
    assert wrong(node)["trust_differs"].values == {"issuer": "agencies/jp-12/services/tips"}

    node.trust.chmod(0o666)
    assert "trust.json" in wrong(node)["settings_broken"].told("en")


def test_a_password_in_a_file_that_others_can_read_is_told(node: NodeDirectory) -> None:
    change(node.settings, 'database = ""', 'database = "postgresql://a:MARKERxSECRET@/{service}?host=/nowhere"')
    node.settings.chmod(0o644)
    assert "password_readable" in wrong(node)

    node.settings.chmod(0o600)
    found = wrong(node)
    assert "password_readable" not in found
    assert not any("MARKERxSECRET" in finding.told("en") + finding.advice("en") for finding in examine(node))


# Where the records lie.


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
    newer = Schema(component="tips", metadata=storage.SCHEMAS["tips"].metadata, steps=[lambda connection: None])
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

    names = [f"doctor_{service}" for service in SERVICES]
    for name in names:
        running().run(f"CREATE DATABASE {name} TEMPLATE template0")
    found = examine(node)
    for name in names:
        running().run(f"DROP DATABASE {name}")

    failures = {str(finding.values.get("setting")) for finding in found if finding.state is State.FAILED}
    assert failures == {"fsync", "full_page_writes"}
    assert {finding.text for finding in found if finding.state is State.WARNING} == {"no_autovacuum", "peer_silent"}
    assert sum(finding.text == "database_new" for finding in found) == len(SERVICES)


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

    findings = list(storage._server({**WELL, **now, **told}, needs_tls=True))

    assert found in {finding.text for finding in findings}
    assert len(findings) == (1 if found in {"synced_well", "fsync_off"} else 2)


# What the node is reached by.


def test_a_port_that_another_program_has_is_told(node: NodeDirectory) -> None:
    port = int(node.settings.read_text().partition("leads = ")[2].split()[0])
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()

        assert wrong(node)["port_taken"].values == {"name": "leads", "port": port}


def test_a_running_node_that_does_not_answer_is_told(node: NodeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renkei_node.doctor.examination.is_running", lambda directory: True)

    assert set(wrong(node)) == {"port_silent"}


def test_a_missing_nats_server_is_told(node: NodeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise BinaryMissingError("there is no nats-server")

    monkeypatch.setattr(network, "find_binary", missing)

    assert set(wrong(node)) == {"nats_missing"}


@pytest.mark.parametrize(
    ("script", "told"), [("echo nats-server: v2.9.1", "nats_old"), ("exit 3", "nats_broken"), ("", "nats_old")]
)
def test_a_nats_server_that_is_old_or_broken_is_told(
    node: NodeDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    program = tmp_path / "nats-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(network, "find_binary", lambda: program)

    assert set(wrong(node)) == {told}


@pytest.mark.parametrize(
    ("greeting", "told"),
    [
        ({"server_name": "jp-12", "jetstream": True, "max_payload": 524288}, None),
        ({"server_name": "jp-99", "jetstream": True, "max_payload": 524288}, "nats_stranger"),
        ({"server_name": "jp-12", "max_payload": 524288}, "nats_no_store"),
        ({"server_name": "jp-12", "jetstream": True, "max_payload": 65536}, "nats_payload"),
    ],
)
def test_what_answers_for_nats_is_judged_by_its_greeting(
    node: NodeDirectory, monkeypatch: pytest.MonkeyPatch, greeting: dict[str, object], told: str | None
) -> None:
    monkeypatch.setattr("renkei_node.doctor.examination.is_running", lambda directory: True)
    port = int(node.settings.read_text().partition("nats = ")[2].split()[0])
    with greeter(port, b"INFO " + json.dumps(greeting).encode() + b"\r\n"):
        found = wrong(node)

    assert set(found) - {"port_silent"} == ({told} if told else set())


@contextmanager
def greeter(port: int, line: bytes) -> Iterator[None]:
    """Greet everybody who connects."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(line)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


# The command.


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["doctor", *words])
    return done.exit_code, done.output


def test_the_command_says_what_to_do_and_fails_where_something_failed(node: NodeDirectory) -> None:
    assert run("--lang", "en", str(node.path))[0] == 0

    node.data.chmod(0o755)
    code, english = run("--lang", "en", str(node.path))
    _, japanese = run("--lang", "ja", str(node.path))

    assert code == 1
    assert f"→ chmod 700 {node.data}" in english
    assert english.splitlines()[-1] == "1 failed, 1 to look at"
    assert "他の利用者が開けます" in japanese


def test_the_command_gives_json_for_programs(node: NodeDirectory) -> None:
    code, output = run("--json", str(node.path))
    told = json.loads(output)

    assert (code, told["well"]) == (0, True)
    assert {"check", "state", "reason", "text", "advice"} == set(told["findings"][0])

    node.service_key("tips").chmod(0o640)
    code, output = run("--json", str(node.path))
    assert (code, json.loads(output)["well"]) == (1, False)


def test_the_help_has_examples() -> None:
    code, output = run("--help")

    assert code == 0
    assert "renkei doctor ./jp-12" in output


def test_every_text_is_in_both_languages(node: NodeDirectory) -> None:
    assert all(set(lines) == {"ja", "en"} and all(lines.values()) for lines in [*TEXTS.values(), *ADVICE.values()])
    assert set(ADVICE) <= set(TEXTS)
