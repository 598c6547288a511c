"""A real node with a desk, invented tips in it, and a real browser in front of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from google.protobuf.json_format import ParseDict
from playwright.sync_api import sync_playwright
from renkei.arrests.v1.arrests_pb2 import CreateArrestRequest
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.tips.v1.tips_pb2 import CreateTipRequest
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.rpc.sync_client import SyncClient
from tests.system.federation import READY_SECONDS, Federation, Member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

TOKYO: Final = "jp-13"
REQUIRED: Final = "RENKEI_REQUIRE_BROWSER"
_POLL_SECONDS: Final = 0.02


def chromium() -> str:
    """Give the path of Chromium, skip the test where it is missing, and fail where CI promised it."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get(REQUIRED):
            pytest.fail("no chromium on the path")
        pytest.skip("no chromium on the path: apt-get install chromium fonts-noto-cjk")
    return found


@contextmanager
def node(path: Path) -> Iterator[Member]:
    """Run Tokyo's node with its desk."""
    federation = Federation(path, (TOKYO,))
    federation.set_up(desk=True)
    member = federation[TOKYO]
    start(member)
    try:
        yield member
    finally:
        if member.process is not None and member.process.poll() is None:
            member.process.terminate()
            member.process.wait(20)
        federation.claims.close()


def start(member: Member) -> None:
    """Start the node's process, and wait until it serves."""
    member.start()
    deadline = time.monotonic() + READY_SECONDS
    while not member.is_ready():
        assert time.monotonic() < deadline
        time.sleep(_POLL_SECONDS)


@contextmanager
def page_of(member: Member) -> Iterator[Page]:
    """Open the desk of a node in a browser of its own, which stands before the one-time link's button."""
    command = [sys.executable, "-m", "renkei_node.cli", "desk", str(member.directory.path)]
    command += ["--officer", "sato", "--role", "OFFICER", "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            context = browser.new_context(
                ignore_https_errors=True,
                locale="ja-JP",
                timezone_id="Asia/Tokyo",
                viewport={"width": 1280, "height": 860},
            )
            page = context.new_page()
            page.goto(json.loads(said)["link"])
            yield page
        finally:
            browser.close()


def record(member: Member, number: int, *, supported: bool = False) -> None:
    """Record what makes one lead: two tips with a number of their own, and for a supported one an arrest too."""
    token = member.token("OFFICER", "SUPERVISOR")
    phone = f"090-9{number:03d}-1111"
    with SyncClient(member.ports.address("tips"), token=lambda: token) as client:
        stub = client.stub(TipsServiceStub)
        for place, provenance in enumerate(("ADVERTISEMENT", "WITHHELD_ASK_ORIGINATOR")):
            request = {"request_id": str(uuid.uuid4()), "parent": member.name, "tip": _tip(phone, provenance, place)}
            client.call(stub.CreateTip, ParseDict(request, CreateTipRequest()))
    if supported:
        with SyncClient(member.ports.address("arrests"), token=lambda: token) as client:
            asked = {"request_id": str(uuid.uuid4()), "parent": member.name, "arrest": _arrest(phone)}
            client.call(client.stub(ArrestsServiceStub).CreateArrest, ParseDict(asked, CreateArrestRequest()))


def _tip(phone: str, provenance: str, place: int) -> dict[str, object]:
    return {
        "source": "SOURCE_SOCIAL_MEDIA_AD" if place == 0 else "SOURCE_OTHER",
        "display_name": ("高額報酬をうたう募集広告", "連絡先についての情報")[place],
        "text": "演習データ。実在の人物、番号とは関係がない。",
        "grading": {"reliability": "RELIABILITY_B", "accuracy": "ACCURACY_2"},
        "handling": {"purpose_code": "organised-robbery", "caveat": "対象者への接触禁止" if place else ""},
        "observe_time": f"2024-10-0{place + 1}T03:15:00Z",
        "identifiers": [
            _occurrence("PHONE", phone, provenance),
            _occurrence("HANDLE", f"https://t.me/renkei_demo_{phone[5:8]}", provenance),
        ],
    }


def _arrest(phone: str) -> dict[str, object]:
    return {
        "kind": "KIND_WARRANT",
        "restraint_time": "2024-10-05T01:00:00Z",
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
