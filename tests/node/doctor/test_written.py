"""The doctor sees what is written down wrongly: settings, federation, keys, folders; and changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.courier import generate_user_key
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.identity import generate, public_text
from renkei_node.doctor import storage
from renkei_node.doctor.examination import examine
from renkei_node.doctor.finding import State
from renkei_node.layout import DESK, SERVICES, NodeDirectory
from tests.node.doctor.ground import change, tips, wrong

if TYPE_CHECKING:
    from pathlib import Path


def test_a_node_that_is_well_has_nothing_wrong(node: NodeDirectory) -> None:
    for service in (*SERVICES, DESK):
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


def test_a_wrong_setting_is_named_and_the_rest_is_left_alone(node: NodeDirectory) -> None:
    change(node.settings, "nats_store_megabytes = 9216", "nats_store_megabytes = 1")

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
