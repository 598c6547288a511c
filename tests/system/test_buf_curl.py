"""The README's tour with `buf curl` works against a running node as it is printed there, and so do its refusals."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import load_private, mint
from renkei_chassis.ids import uuid7
from tests.system.federation import Federation, Member, until
from tests.system.tour import ROOT, Shell, look_like_a_clone, readme_blocks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PATIENCE_SECONDS: Final = 15.0
STRANGE: Final = "a\u202eb\u200b𠮷\ue000髙"
HOSTILE: Final = ("\0", "\u202e", "\u200b", "𠮷", "\ue000", "x" * 100_000)


def streamed(path: Path) -> list[dict[str, Any]]:
    """Read the answers that a watch has written so far."""
    decoder, text, answers = json.JSONDecoder(), path.read_text() if path.exists() else "", []
    while text.strip():
        try:
            answer, end = decoder.raw_decode(text.lstrip())
        except ValueError:  # the last one is not whole yet
            break
        answers.append(answer)
        text = text.lstrip()[end:]
    return answers


def wait_for_change(path: Path) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Wait until a watch has written a change; returns its answers, and each change's kind and name."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answers = streamed(path)
        changes = [(change["kind"], change["name"]) for answer in answers for change in answer.get("changes", ())]
        if changes:
            return answers, changes
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.02)


def wait_for_checkpoint(path: Path) -> None:
    """Wait until a watch has begun: it answers where it stands."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not streamed(path):
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_the_readmes_tour_with_buf_curl_shows_what_it_says(tmp_path: Path) -> None:
    federation = await asyncio.to_thread(Federation, tmp_path / "demo", ("jp-13",))
    await asyncio.to_thread(federation.set_up)
    await federation.start()
    try:
        for number in range(2):  # or there is no second page
            await federation.record("jp-13", number=number)
        await asyncio.to_thread(_tour, tmp_path)
    finally:
        await federation.stop()


def _tour(folder: Path) -> None:
    look_like_a_clone(folder)
    prepare, watch, create, read, resume, refuse = readme_blocks("Ask it yourself")
    with Shell(folder) as shell:
        shell.run(prepare)
        shell.run(watch)
        wait_for_checkpoint(folder / "watch.json")
        made = json.loads(shell.run(create))
        answers, seen = wait_for_change(folder / "watch.json")
        got = shell.run(read)
        shell.run(resume)
        _, resumed = wait_for_change(folder / "more.json")
        refused = shell.run(refuse)

    assert answers[0].keys() == {"resumeToken"}
    assert seen == [("TipRecorded", made["name"])]
    tip, page, rest = (json.loads(part) for part in re.split(r"\n(?={)", got))
    assert tip == made
    assert page["tips"] == [made]
    assert len(rest["tips"]) == 1
    assert rest["tips"] != [made]
    other = json.loads((folder / "other.json").read_text())
    assert resumed == [("TipRecorded", other["name"])]
    shown = re.search(r"```text\n(invalid_argument.*?), …", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    assert refused.startswith(shown.group(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where bad input is sent from: a shell of the README's making, and tokens good and bad."""

    shell: Shell
    tokens: dict[str, str]
    foreign: str

    def send(self, method: str, request: object, *, caller: str = "officer", schema: str = "contract.binpb") -> str:
        """Call by `buf curl`; returns what `renkei explain` makes of the answer."""
        token = self.tokens[caller]
        service = "exchange.v1.ExchangeService" if method == "ListPeers" else "tips.v1.TipsService"
        address = "$EXCHANGE_ADDRESS" if method == "ListPeers" else "$TIPS_ADDRESS"
        header = f'-H "authorization: Bearer {token}"' if token else ""
        return self.shell.run(
            f".venv/bin/buf curl --schema {schema} --protocol grpc {header} -d @- "
            f"\"http://{address}/renkei.{service}/{method}\" 2>&1 <<'END' | .venv/bin/renkei explain\n"
            f"{json.dumps(request)}\nEND"
        )

    def reason(self, method: str, request: object, *, caller: str = "officer", schema: str = "contract.binpb") -> str:
        """Give the ErrorInfo's reason, which must be readable and stand alone."""
        said = self.send(method, request, caller=caller, schema=schema)
        (found,) = re.findall(r'^  ErrorInfo \{"reason": "([A-Z_]+)", "domain": "renkei"', said, re.MULTILINE) or [said]
        return str(found)


def a_request(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """Make a proper request to record a tip, with other fields of its tip or its own."""
    tip = {
        "source": "SOURCE_BANK",
        "text": "演習データ",
        "grading": {"reliability": "RELIABILITY_B", "accuracy": "ACCURACY_2"},
        "handling": {"purpose_code": "organised-robbery"},
    }
    own: dict[str, Any] = {key: changes.pop(key) for key in ("request_id", "parent") if key in changes}
    return {"request_id": str(uuid.uuid4()), "parent": "agencies/jp-13", **own, "tip": {**tip, **changes}}


async def test_every_kind_of_bad_input_gets_a_readable_reason(tmp_path: Path) -> None:
    federation = await asyncio.to_thread(Federation, tmp_path / "demo", ("jp-12", "jp-13"))
    await asyncio.to_thread(federation.set_up)
    await federation.start()
    try:
        foreign = await federation.record("jp-12", "jp-13")
        await until(lambda: asyncio.to_thread(federation.is_settled))
        tokens = await asyncio.to_thread(_tokens, federation["jp-13"], federation["jp-12"])
        await asyncio.to_thread(_refusals, tmp_path, federation["jp-13"], tokens, foreign.name)
    finally:
        await federation.stop()


def _tokens(here: Member, there: Member) -> dict[str, str]:
    officer = here.token("OFFICER")
    peer = mint(
        load_private(there.directory.service_key("exchange")),
        issuer=f"{there.name}/services/exchange",
        subject=f"{there.name}/services/exchange",
        audience=here.name,
        roles=("PEER",),
        now_us=WallClock().now_us(),
        life_seconds=300,
        token_id=uuid7(),
    )
    return {
        "officer": officer,
        "none": "",
        "auditor": here.token("AUDITOR"),
        "forged": f"{officer[:-6]}AAAAAA",
        "malformed": "abc",
        "foreign": there.token("OFFICER"),
        "peer": peer,
    }


def _refusals(folder: Path, member: Member, tokens: dict[str, str], foreign: str) -> None:
    look_like_a_clone(folder)
    _newer_contract(folder / "newer")
    with Shell(folder) as shell:
        # Compiled once: `--schema proto`, as the tour has it, compiles the whole contract at every call.
        shell.run(".venv/bin/buf build --path proto/renkei --output contract.binpb")
        shell.run("(cd newer && ../.venv/bin/buf build --path proto/renkei --output ../newer.binpb)")
        shell.run(f"TIPS_ADDRESS={member.ports.address('tips')} EXCHANGE_ADDRESS={member.ports.address('exchange')}")
        desk = Desk(shell=shell, tokens=tokens, foreign=foreign)
        _fields(desk)
        _names_and_states(desk)
        _pages_and_tokens(desk)


def _newer_contract(folder: Path) -> None:
    """Copy the contract with a field more, as a client may have that is newer than the node."""
    shutil.copytree(ROOT / "proto", folder / "proto")
    shutil.copy(ROOT / "buf.yaml", folder)
    tips = folder / "proto/renkei/tips/v1/tips.proto"
    tips.write_text(tips.read_text().replace("message Tip {", "message Tip {\n  string from_the_future = 900;", 1))


def _fields(desk: Desk) -> None:
    broken: dict[str, dict[str, Any]] = {
        "missing": a_request(text=""),
        "a NUL": a_request(text="a\0b"),
        "all missing": {},
        "huge": a_request(text="x" * 20_001),
        "a name of a hundred thousand": a_request(display_name="x" * 100_000),
        "malformed": a_request(request_id="6f1c"),
        "no such value": a_request(source=99),
        "too many": a_request(handling={"purpose_code": "x", "releasable_to": ["agencies/jp-12"] * 100}),
    }
    for what, request in broken.items():
        assert desk.reason("CreateTip", request) == "FIELD_INVALID", what
    for character in HOSTILE:
        said = desk.send("CreateTip", a_request(parent=f"agencies/jp-13{character}"))
        assert re.search(r'"reason": "(INVALID_RESOURCE_NAME|FIELD_INVALID)"', said), said
        assert character not in said, "what was sent is not repeated"
    assert desk.reason("CreateTip", a_request(from_the_future="x"), schema="newer.binpb") == "UNKNOWN_FIELD"
    assert desk.reason("CreateTip", a_request(text="x" * 300_000)) == "REQUEST_TOO_LARGE"
    kept = json.loads(desk.send("CreateTip", a_request(text=STRANGE)))
    assert kept["text"] == STRANGE, "what is merely strange is kept as it was written"


def _names_and_states(desk: Desk) -> None:
    request = a_request()
    made = json.loads(desk.send("CreateTip", request))
    change = {"request_id": str(uuid.uuid4()), "update_mask": "text", "reason": "演習"}
    new = {**change, "tip": {"name": made["name"], "text": "訂正", "etag": made["etag"]}}
    stale = {**new, "request_id": str(uuid.uuid4())}
    others = {**stale, "tip": {"name": desk.foreign, "text": "訂正", "etag": made["etag"]}}
    request["tip"]["text"] = "別の内容"

    assert desk.reason("CreateTip", request) == "REQUEST_ID_REUSED"
    assert json.loads(desk.send("UpdateTip", new))["version"] == 2
    assert desk.reason("UpdateTip", stale) == "ETAG_MISMATCH"
    assert desk.reason("UpdateTip", others) == "FOREIGN_ORIGINATOR"
    assert desk.reason("CreateTip", a_request(parent="agencies/jp-12")) == "FOREIGN_ORIGINATOR"
    assert desk.reason("GetTip", {"name": "tips/1"}) == "INVALID_RESOURCE_NAME"
    assert desk.reason("GetTip", {"name": f"agencies/jp-13/tips/{uuid7()}"}) == "DENIED"


def _pages_and_tokens(desk: Desk) -> None:
    asked = {"parent": "agencies/-", "page_size": 1}
    token = json.loads(desk.send("ListTips", asked))["nextPageToken"]
    changed = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")

    assert desk.reason("ListTips", {**asked, "page_token": changed}) == "INVALID_PAGE_TOKEN"
    assert desk.reason("ListTips", {**asked, "page_token": token, "parent": "agencies/jp-13"}) == "INVALID_PAGE_TOKEN"
    assert desk.reason("WatchTips", {"resume_token": changed}) == "INVALID_RESUME_TOKEN"
    assert desk.reason("ListTips", {**asked, "page_size": -1}) == "FIELD_INVALID"
    for held, reason in {
        "none": "TOKEN_MISSING",
        "malformed": "TOKEN_MALFORMED",
        "forged": "TOKEN_BAD_SIGNATURE",
        "foreign": "TOKEN_UNTRUSTED_ISSUER",
        "peer": "TOKEN_UNTRUSTED_ISSUER",
    }.items():
        assert desk.reason("ListTips", asked, caller=held) == reason, held
    assert desk.reason("CreateTip", a_request(), caller="auditor") == "ROLE_MISSING"
    assert desk.reason("ListPeers", {}, caller="peer") == "ROLE_MISSING"
