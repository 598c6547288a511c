"""Two agencies with a desk each, invented records in them, and a real browser in front of one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pytest
from google.protobuf.json_format import ParseDict
from playwright.async_api import async_playwright
from renkei.arrests.v1.arrests_pb2 import CreateArrestRequest
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.tips.v1.tips_pb2 import CreateTipRequest
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_node.demo.proxy import Proxy
from tests.system.federation import Federation, Member

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, BrowserContext, Page

TOKYO: Final = "jp-13"
CHIBA: Final = "jp-12"
REQUIRED: Final = "RENKEI_REQUIRE_BROWSER"
_CHROMIUM: Final = shutil.which("chromium")
# The accessibility rules: a script of others that judges our pages, so that it is just the one that was looked at.
_AXE: Final = files("axe_playwright_python") / "axe.min.js"
_AXE_SHA256: Final = "84494fec757e4710dc751c8d7a636e457f4532f08f85c86dc9070133fbff53bc"
_FINDINGS: Final = (
    "(options) => axe.run(options).then((said) => said.violations.map((each) => each.id + ': ' + each.nodes[0].html))"
)
_COLOURS: Final = {"runOnly": ["color-contrast"]}


def require_chromium() -> str:
    """Give the path of Chromium, skip the test where it is missing, and fail where CI promised it."""
    if _CHROMIUM is None:
        if os.environ.get(REQUIRED):
            pytest.fail("no chromium on the path")
        pytest.skip("no chromium on the path: apt-get install chromium fonts-noto-cjk")
    return _CHROMIUM


@asynccontextmanager
async def pair(path: Path) -> AsyncIterator[Federation]:
    """Run Chiba's and Tokyo's nodes, with their desks."""
    federation = await asyncio.to_thread(Federation, path, (CHIBA, TOKYO))
    await asyncio.to_thread(partial(federation.set_up, desk=True))
    await federation.start()
    try:
        yield federation
    finally:
        await federation.stop()


@asynccontextmanager
async def cable_to(member: Member, federation: Federation) -> AsyncIterator[Proxy]:
    """Lay a cable to a desk's pages that a test can pull."""
    cable = Proxy(port=await asyncio.to_thread(federation.claims.claim), target=member.ports.web)
    await cable.start()
    try:
        yield cable
    finally:
        await cable.close()


@asynccontextmanager
async def browser(cable: Proxy | None = None) -> AsyncIterator[Browser]:
    """Run Chromium. With a cable, whatever it asks of `localhost` goes through that."""
    arguments = ["--no-sandbox"]
    if cable is not None:
        arguments.append(f"--host-resolver-rules=MAP localhost 127.0.0.1:{cable.port}")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=require_chromium(), args=arguments)
        try:
            yield running
        finally:
            await running.close()


async def visitor(running: Browser) -> BrowserContext:
    """Give a browser profile of its own, as somebody in Tokyo has it."""
    return await running.new_context(
        ignore_https_errors=True,
        locale="ja-JP",
        timezone_id="Asia/Tokyo",
        viewport={"width": 1280, "height": 860},
        permissions=["notifications"],
    )


async def link(member: Member, *roles: str) -> str:
    """Make a one-time link with the command that an operator uses."""
    words = ["-m", "renkei_node.cli", "desk", str(member.directory.path), "--officer", "sato", "--json"]
    for role in roles or ("OFFICER",):
        words += ["--role", role]
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, *words], capture_output=True, check=True, timeout=30
    )
    found: str = json.loads(done.stdout)["link"]
    return found.replace("127.0.0.1", "localhost")


async def judged(page: Page, *, colours_alone: bool = False) -> list[str]:
    """Say what axe finds wrong with a page, or with its colours alone."""
    script = await asyncio.to_thread(_AXE.read_bytes)
    assert hashlib.sha256(script).hexdigest() == _AXE_SHA256, "axe-core is not the one that is pinned"
    await page.evaluate(script.decode())
    return [f"{page.url}: {each}" for each in await page.evaluate(_FINDINGS, _COLOURS if colours_alone else {})]


async def record(
    member: Member, number: int, *, supported: bool = False, releasable_to: str = "", text: str = "演習データ。"
) -> None:
    """Record what makes one lead: two tips with a number of their own, and for a supported one an arrest too."""
    phone = f"090-9{number:03d}-1111"
    client = await member.client("tips", "OFFICER", "SUPERVISOR")
    stub = client.stub(TipsServiceStub)
    for place, provenance in enumerate(("ADVERTISEMENT", "WITHHELD_ASK_ORIGINATOR")):
        tip = _tip(phone, provenance, place, text, releasable_to)
        request = {"request_id": str(uuid.uuid4()), "parent": member.name, "tip": tip}
        await client.call(stub.CreateTip, ParseDict(request, CreateTipRequest()))
    if supported:
        await arrest(member, phone)


async def arrest(member: Member, phone: str, *, hours: float = 40) -> None:
    """Record an arrest of so many hours ago. After 40 of its 48 hours the clock warns at once."""
    client = await member.client("arrests", "OFFICER", "SUPERVISOR")
    asked = {"request_id": str(uuid.uuid4()), "parent": member.name, "arrest": _arrest(phone, hours)}
    await client.call(client.stub(ArrestsServiceStub).CreateArrest, ParseDict(asked, CreateArrestRequest()))


def _tip(phone: str, provenance: str, place: int, text: str, releasable_to: str) -> dict[str, object]:
    return {
        "source": "SOURCE_SOCIAL_MEDIA_AD" if place == 0 else "SOURCE_OTHER",
        "display_name": ("高額報酬をうたう募集広告", "連絡先についての情報")[place],
        "text": text,
        "grading": {"reliability": "RELIABILITY_B", "accuracy": "ACCURACY_2"},
        "handling": {
            "purpose_code": "organised-robbery",
            "caveat": "対象者への接触禁止" if place else "",
            "releasable_to": [releasable_to] if releasable_to else [],
        },
        "observe_time": f"2024-10-0{place + 1}T03:15:00Z",
        "identifiers": [
            _occurrence("PHONE", phone, provenance),
            _occurrence("HANDLE", f"https://t.me/renkei_demo_{phone[5:8]}", provenance),
        ],
    }


def _arrest(phone: str, hours: float) -> dict[str, object]:
    return {
        "kind": "KIND_WARRANT",
        "restraint_time": f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:00Z}",
        "offence": "強盗（演習）",
        "text": "演習データ。",
        "handling": {"purpose_code": "organised-robbery"},
        "identifiers": [_occurrence("PHONE", phone, "SEIZED_DEVICE")],
    }


def _occurrence(kind: str, original: str, provenance: str) -> dict[str, object]:
    return {
        "identifier": {"type": f"IDENTIFIER_TYPE_{kind}", "original": original},
        "provenance": f"PROVENANCE_{provenance}",
        "relation": "RELATION_USED_BY_SUBJECT",
    }
