"""`renkei leads` and its steps against a running service: what is shown, what is refused, what is kept."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from renkei.tips.v1.events_pb2 import TipRecorded

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import mint
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from renkei_leads.settings import Settings
from renkei_leads.succession import lead_id
from renkei_leads.wiring import blueprint
from renkei_node.cli import main
from tests.leads.house import AGENCY, run_house
from tests.leads.records import phone, tip, tip_name
from tests.node.files.node import write_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.leads.house import House


class Terminal:
    """A terminal beside a running leads service."""

    def __init__(self, directory: Path, house: House) -> None:
        self._directory = directory
        self._house = house

    async def run(self, command: str, *arguments: str, officer: str = "sato", role: str = "OFFICER") -> Result:
        token = mint(
            self._house.key,
            issuer=AGENCY,
            subject=f"{AGENCY}/officers/{officer}",
            audience=AGENCY,
            roles=(role,),
            now_us=WallClock().now_us(),
            life_seconds=600,
            token_id=uuid7(),
        )
        words = ["leads", *command.split(), str(self._directory), *arguments]
        return await asyncio.to_thread(CliRunner().invoke, main, words, env={"RENKEI_TOKEN": token})


@pytest.fixture
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
async def house(tmp_path: Path, ports: PortClaims) -> AsyncIterator[House]:
    async with run_house(blueprint(Settings()), tmp_path, ports) as running:
        yield running


async def test_leads_are_followed_up_from_a_terminal(tmp_path: Path, house: House) -> None:
    await asyncio.to_thread(write_directory, tmp_path / "jp-12", {"leads": int(house.address.rpartition(":")[2])})
    await house.tell(*(TipRecorded(tip=tip(each, phone(each // 10))) for each in (11, 12, 21, 22)))
    one, two = (lead_id(tip_name(first)) for first in (11, 21))
    terminal = Terminal(tmp_path / "jp-12", house)

    taken = await terminal.run("take", one, two, "--lang", "en")
    assert taken.exit_code == 0, taken.output
    assert [line.split("  ")[1:3] for line in taken.stdout.splitlines()] == [["taken", "held by sato"]] * 2
    late = await terminal.run("take", one, "--json", officer="suzuki")
    assert late.exit_code == 1
    (result,) = json.loads(late.stdout)
    assert (result["error"]["reason"], result["error"]["metadata"]["holder"]) == (
        "LEAD_HELD",
        f"{AGENCY}/officers/sato",
    )
    plain = await terminal.run("snooze", one, "--until", "2020-01-01", "--lang", "ja")
    assert plain.exit_code == 1
    assert "不可 SNOOZE_TIME_INVALID max_days=31" in plain.stdout
    assert (await terminal.run("assign", one, "--to", "suzuki")).exit_code == 1
    given = await terminal.run("assign", one, "--to", "suzuki", "--unit", "捜査二課", "--lang", "ja", role="SUPERVISOR")
    assert "対応中  担当 suzuki  捜査二課" in given.stdout
    assert (await terminal.run("confirm", two)).exit_code == 1
    (mine,) = json.loads((await terminal.run("list --mine", "--json")).stdout)
    etag = mine["follow_up"]["etag"]
    dismissed = await terminal.run("dismiss", f"{mine['name']}@{etag}", "--reason", "(演習データ) 同姓同名", "--json")
    assert json.loads(dismissed.stdout)[0]["follow_up"]["state"] == "STATE_DISMISSED"

    listed = await terminal.run("", "--lang", "en")
    history = await terminal.run("history", two, "--lang", "ja")
    as_json = await terminal.run("history", one, "--json")

    assert f"  dismissed  @{json.loads(dismissed.stdout)[0]['follow_up']['etag']}" in listed.stdout.splitlines()
    assert [line.split("  ")[2] for line in history.stdout.splitlines()] == ["担当", "関連なし"]
    assert history.stdout.splitlines()[-1].endswith("sato  (演習データ) 同姓同名")
    assert [step["kind"] for step in json.loads(as_json.stdout)] == ["KIND_TAKEN", "KIND_ASSIGNED"]
    assert (await terminal.run("history", lead_id("x"))).exit_code == 1
