"""The README's tour with `buf curl` works against a running node, as it is printed there."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2

from tests.system.federation import Federation

ROOT = Path(__file__).parents[2]
BUF = Path(sys.executable).with_name("buf")
pytestmark = pytest.mark.timeout(120)


def readme_commands() -> list[str]:
    """Give the commands of the README's block, one by one."""
    block = re.search(r"<!-- buf-curl -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    return [f".venv/bin/buf curl{part}" for part in block.group(1).split(".venv/bin/buf curl")[1:]]


def run(command: str, *, token: str, address: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RENKEI_TOKEN": token, "TIPS_ADDRESS": address}
    command = command.replace(".venv/bin/buf", str(BUF))
    return subprocess.run(
        ["/bin/bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """Give the ErrorInfo's reason of a refused call."""
    assert done.returncode != 0
    details: list[dict[str, Any]] = json.loads(done.stderr)["details"]
    encoded = next(str(detail["value"]) for detail in details if detail["type"] == "google.rpc.ErrorInfo")
    return error_details_pb2.ErrorInfo.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4))).reason


async def test_the_readmes_calls_work_and_each_bad_input_gets_its_reason(tmp_path: Path) -> None:
    federation = await asyncio.to_thread(Federation, tmp_path, ("jp-13",))
    await asyncio.to_thread(federation.set_up)
    await federation.start()
    try:
        member = federation["jp-13"]
        officer, auditor = [await asyncio.to_thread(member.token, role) for role in ("OFFICER", "AUDITOR")]
        await asyncio.to_thread(_tour, officer, auditor, member.ports.address("tips"))
    finally:
        await federation.stop()


def _tour(token: str, auditor: str, address: str) -> None:
    create, listing = readme_commands()

    made = run(create, token=token, address=address)
    again = run(create, token=token, address=address)
    listed = run(listing, token=token, address=address)
    get = re.sub(r"-d '.*", "", listing, flags=re.DOTALL)
    name = json.loads(made.stdout)["name"]
    got = run(
        f'{get} -d \'{{"name": "{name}"}}\' http://$TIPS_ADDRESS/renkei.tips.v1.TipsService/GetTip',
        token=token,
        address=address,
    )

    assert json.loads(made.stdout) == json.loads(again.stdout) == json.loads(got.stdout)
    assert [tip["name"] for tip in json.loads(listed.stdout)["tips"]] == [name]
    fresh = create.replace("5a01", "5a02")
    assert reason(run(create.replace("演習データ", "演習データ2"), token=token, address=address)) == "REQUEST_ID_REUSED"
    assert reason(run(fresh.replace("演習データ", ""), token=token, address=address)) == "FIELD_INVALID"
    assert reason(run(fresh.replace("agencies/jp-13", "tips"), token=token, address=address)) == "INVALID_RESOURCE_NAME"
    assert reason(run(fresh, token=auditor, address=address)) == "ROLE_MISSING"
    assert reason(run(fresh, token=f"{token[:-6]}AAAAAA", address=address)) == "TOKEN_BAD_SIGNATURE"
    assert (
        reason(run(listing.replace('"page_size": 2', '"page_token": "x"'), token=token, address=address))
        == "INVALID_PAGE_TOKEN"
    )
