"""Examine a node, and change one thing about it."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import insert

from renkei_chassis.database import tables
from renkei_chassis.database.engine import Database, Owner
from renkei_node.doctor import storage
from renkei_node.doctor.examination import examine
from renkei_node.doctor.finding import State

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Executable

    from renkei_chassis.database.schema import Schema
    from renkei_node.doctor.finding import Finding
    from renkei_node.initialise import PublicIdentity
    from renkei_node.layout import NodeDirectory


OWN = Owner(agency="agencies/jp-12", service="tips")


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
