"""What an operator sees of a running node: what is set aside and why, what was raised, and a log of bounded size."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Final

import pytest

from renkei_node.commands.access import read_settings
from renkei_node.layout import SERVICES
from renkei_node.standing import FollowerStanding, ServiceStanding, ask
from tests.system.federation import Federation, Member, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CHIBA: Final = "jp-12"


@pytest.fixture
async def federation(tmp_path: Path) -> AsyncIterator[Federation]:
    made = await asyncio.to_thread(Federation, tmp_path, (CHIBA,))
    await asyncio.to_thread(made.set_up)
    yield made
    await made.stop()


def renkei(*arguments: str) -> str:
    command = [sys.executable, "-m", "renkei_node.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


async def leads(member: Member) -> ServiceStanding:
    """Ask as `renkei status` does, without the start of a process."""

    def stands() -> ServiceStanding:
        settings, ports = read_settings(member.directory)
        standing = ask(settings, ports, member.directory.operator_token.read_text())
        return next(service for service in standing.services if service.name == "leads")

    return await asyncio.to_thread(stands)


async def tips_in_leads(member: Member) -> FollowerStanding:
    return next(line for line in (await leads(member)).followers if line.source.endswith("/tips"))


def poison(member: Member, sequence: int) -> None:
    """Flip one bit of a payload on the disk, as a failing disk does. The node must not run."""
    with sqlite3.connect(member.directory.data / "tips.db") as connection:
        (data,) = connection.execute("SELECT data FROM renkei_payload WHERE sequence = ?", (sequence,)).fetchone()
        broken = bytes([*data[:-1], data[-1] ^ 1])
        connection.execute("UPDATE renkei_payload SET data = ? WHERE sequence = ?", (broken, sequence))
    connection.close()


def scrape(member: Member) -> str:
    with urllib.request.urlopen(f"http://{member.ports.address('metrics')}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


async def test_a_poisoned_event_is_in_status_and_metrics_until_it_is_mended(federation: Federation) -> None:
    """Leads is restored and reads the whole log of tips again, in which a disk has turned one bit."""
    member = federation[CHIBA]
    await federation.start()
    for number in range(3):
        await federation.record(CHIBA, number=number)

    async def followed() -> bool:
        return (await tips_in_leads(member)).sequence == 3

    await until(followed)  # or leads may stop before it made the stream that is distrusted below
    await member.stop()
    await asyncio.to_thread(poison, member, 2)
    await asyncio.to_thread(member.forget, "leads")
    await asyncio.to_thread(member.start)
    await member.ready()

    async def told() -> bool:
        stands = await leads(member)
        page = await asyncio.to_thread(scrape, member)
        return len(stands.alarms) == 2 and 'renkei_set_aside{log="tips",service="leads"} 1.0' in page

    await until(told)
    path = str(member.directory.path)
    (standing,) = json.loads(await asyncio.to_thread(renkei, "status", "--json", path))
    shown = await asyncio.to_thread(renkei, "status", "--lang", "en", path)
    listed = await asyncio.to_thread(renkei, "retry", "--list", path)
    metrics = await asyncio.to_thread(scrape, member)
    await member.stop()
    await asyncio.to_thread(poison, member, 2)  # the same bit again: mended
    await asyncio.to_thread(member.start)
    await member.ready()
    before = await tips_in_leads(member)
    await asyncio.to_thread(renkei, "retry", path)
    after = await tips_in_leads(member)

    (service,) = [one for one in standing["services"] if one["name"] == "leads"]
    (line,) = [one for one in service["followers"] if one["source"].endswith("/tips")]
    assert (line["set_aside"], line["sequence"]) == (1, 3), "and what comes after it is in effect"
    assert 0 <= line["oldest_set_aside_seconds"] < 60
    assert [(one["reason"], one["subject"], one["count"]) for one in service["alarms"]] == [
        ("EVENT_SET_ASIDE", f"{member.name}/logs/tips", 1),
        ("STREAM_DISTRUSTED", "LOG_leads", 1),  # the stream of the log that leads had before it was restored
    ]
    assert "set aside 1 (oldest " in shown
    assert f"! EVENT_SET_ASIDE {member.name}/logs/tips 1 (last " in shown
    assert "DIGEST_MISMATCH" in listed
    for reason in ("EVENT_SET_ASIDE", "STREAM_DISTRUSTED"):
        assert f'renkei_alarms_total{{reason="{reason}",service="leads"}} 1.0' in metrics
    (oldest,) = re.findall(r'renkei_set_aside_oldest_timestamp_seconds{log="tips",service="leads"} (\S+)', metrics)
    assert float(oldest) > 1_700_000_000
    assert (before.set_aside, after.set_aside, after.oldest_set_aside_seconds) == (1, 0, 0)


async def test_a_log_that_is_full_is_moved_on_when_a_node_starts_and_the_oldest_is_deleted(
    federation: Federation,
) -> None:
    member = federation[CHIBA]
    log, full = member.directory.log, '{"message":"old"}\n' * 60_000

    def prepare() -> None:
        settings = member.directory.settings.read_text()
        settings = settings.replace("log_megabytes = 16", "log_megabytes = 1").replace("log_files = 8", "log_files = 2")
        member.directory.settings.write_text(settings)
        log.write_text(full[: 1024 * 1024 - 10])
        log.with_name("node.log.1").write_text("older\n")
        log.with_name("node.log.2").write_text("oldest\n")

    def read() -> tuple[list[str], str, list[str]]:
        names = sorted(file.name for file in log.parent.glob("node.log*"))
        return names, log.with_name("node.log.1").read_text(), log.read_text().splitlines()

    await asyncio.to_thread(prepare)
    await federation.start()
    await member.stop()
    names, before, lines = await asyncio.to_thread(read)

    assert names == ["node.log", "node.log.1"]
    assert before.startswith('{"message":"old"}\n')
    assert len(before) <= 1024 * 1024
    assert [json.loads(line)["message"] for line in lines][-1] == "stopped"
    assert {"serving"} <= {json.loads(line)["message"] for line in lines}


async def test_the_streams_of_local_logs_live_as_long_as_the_setting_says(federation: Federation) -> None:
    member = federation[CHIBA]

    def prepare() -> None:
        text = member.directory.settings.read_text()
        member.directory.settings.write_text(text.replace("nats_log_hours = 24", "nats_log_hours = 3"))

    def ages() -> dict[str, int]:
        store = member.directory.nats / "store"
        found = [json.loads(path.read_text()) for path in store.rglob("LOG_*/meta.inf")]
        return {stream["name"]: stream["max_age"] // 3_600_000_000_000 for stream in found}

    async def made() -> bool:
        return len(await asyncio.to_thread(ages)) == len(SERVICES)

    await asyncio.to_thread(prepare)
    await federation.start()
    await until(made)

    assert await asyncio.to_thread(ages) == {f"LOG_{service}": 3 for service in SERVICES}
