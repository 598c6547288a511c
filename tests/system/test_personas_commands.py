"""`renkei personas` against two real nodes: one investigation by commands alone, and no legend byte anywhere else."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner
from renkei.personas.v1 import contacts_pb2, documents_pb2, personas_pb2, reports_pb2
from renkei.policy.v1.errors_pb2 import ErrorReason

from renkei_node.cli import main
from renkei_node.commands.personas.group import VERBS, make
from renkei_node.commands.personas.request import descriptor_of, request_type
from renkei_node.commands.personas.rules_ja import RULES_JA
from renkei_node.officer_token import make_token
from tests.system.federation import Federation
from tests.system.tour import Shell, look_like_a_clone, shell_blocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_node.commands.personas.verb import Verb

pytestmark = pytest.mark.timeout(180)
PAGE: Final = Path(__file__).parents[2] / "docs" / "personas.md"
MARKER: Final = "MARKERxLEGENDxOFxCOMMANDS"
ROLES: Final = {
    "sato": "OFFICER",
    "suzuki": "SUPERVISOR",
    "tanaka": "CUSTODIAN",
    "chief": "HQ_CHIEF",
    "ito": "OFFICER",
    "abe": "OFFICER",
    "audit": "AUDITOR",
    "desk": "NPA_DESK",
}


class Desk:
    """Types commands as whoever a test wants to be. Blocks, as a terminal does."""

    def __init__(self, federation: Federation) -> None:
        self.federation = federation
        self.folder = federation.path / "papers"

    def file(self, name: str, content: str) -> str:
        self.folder.mkdir(exist_ok=True)
        path = self.folder / name
        path.write_text(content)
        return str(path)

    def type(self, who: str, *arguments: str, code: str = "jp-12", words: str | None = None) -> Any:  # noqa: ANN401
        """Type a command; returns what it wrote as JSON. The words come from standard input."""
        status, said, error = self.typed(who, *arguments, "--json", code=code, words=words)
        assert status == 0, (arguments, said, error)
        return json.loads(said)

    def refused(self, who: str, *arguments: str, code: str = "jp-12") -> dict[str, Any]:
        status, said, error = self.typed(who, *arguments, "--json", code=code)
        assert status == 1, (arguments, said, error)
        found: dict[str, Any] = json.loads(said)["refused"]
        return found

    def typed(
        self, who: str, verb: str, *arguments: str, code: str = "jp-12", words: str | None = None
    ) -> tuple[int, str, str]:
        member = self.federation.members[code]
        token = make_token(member.directory, member.name, who, (ROLES[who],), seconds=300)
        command = ["personas", verb, str(member.directory.path), *arguments]
        done = CliRunner().invoke(main, command, input=words, env={"RENKEI_TOKEN": token, "LANG": "C"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    def until(self, who: str, *arguments: str, code: str = "jp-12", field: str, value: object) -> Any:  # noqa: ANN401
        """Type a command again and again until its answer says what is waited for."""
        until = time.monotonic() + 30
        while not _says(found := self.type(who, *arguments, code=code), field, value):
            assert time.monotonic() < until, found
            time.sleep(0.05)
        return found


def _says(found: Any, field: str, value: object) -> bool:  # noqa: ANN401
    return any(one.get(field) == value for one in (found if isinstance(found, list) else [found]))


@asynccontextmanager
async def desk_of(directory: Path, *codes: str) -> AsyncIterator[Desk]:
    federation = await asyncio.to_thread(Federation, directory, codes)
    await asyncio.to_thread(federation.set_up)
    await federation.start()
    try:
        yield Desk(federation)
    finally:
        await federation.stop()


def plan_of_page(**changes: str) -> str:
    """Take the plan that docs/personas.md shows, with a period that is now."""
    (plan,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    now = datetime.now(UTC)
    changes = {
        "period_start": (now - timedelta(minutes=1)).isoformat(),
        "period_end": (now + timedelta(days=1)).isoformat(),
        **changes,
    }
    for name, value in changes.items():
        plan = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", plan)
    return str(plan)


def begun(desk: Desk) -> str:
    """From a draft that lacks a part to the beginning; returns the investigation's id."""
    plan = desk.file("plan.toml", plan_of_page(alternatives='""', necessity=f'"{MARKER}"'))
    draft = desk.type("sato", "draft", "--plan", plan)
    name = draft["name"].rpartition("/")[2]
    incomplete = desk.refused("sato", "submit", name)
    part = desk.file("part.toml", 'alternatives = "(演習)他の方法はない"\nunit = "(演習)名指ししない"\n')
    mended = desk.type("sato", "update", name, "--plan", part, "--mask", "alternatives", "--etag", draft["etag"])
    sent = desk.type("sato", "submit", name)
    by_himself = desk.refused("sato", "approve", name, "--hash", sent["plan_hash"])
    approved = desk.type("chief", "approve", name, "--hash", sent["plan_hash"])
    desk.type("suzuki", "report", name)
    reports = desk.until("desk", "reports", "--open", code="jp-npa", field="version", value=1)
    desk.type("desk", "acknowledge", reports[0]["name"], "--version", "1", code="jp-npa")
    desk.until("suzuki", "show", name, field="state", value="STATE_READY")
    desk.type("suzuki", "deconflict", name, "--reason", "(演習)")
    active = desk.type("suzuki", "activate", name)
    assert incomplete["reason"] == "PLAN_INCOMPLETE"
    assert incomplete["ja"] == "計画に記載漏れがある"
    assert incomplete["fields"] == ["plan.alternatives"]
    assert mended["plan"] == {**draft["plan"], "alternatives": "(演習)他の方法はない"}
    assert by_himself["reason"] == "ROLE_MISSING"
    assert (approved["state"], active["state"]) == ("STATE_APPROVED", "STATE_ACTIVE")
    return str(name)


def ended(desk: Desk, name: str) -> None:
    """A document, a request, an image shown, a place told, and the end."""
    legend = desk.file("legend.toml", f'display_name = "演習 花子{MARKER}"\nnumber = "{MARKER}-1"\n')
    asked = desk.type("sato", "request-document", name, "--kind", "DRIVING_LICENCE", "--legend", legend)
    document = asked["name"].partition("/personas/")[2]
    desk.type("tanaka", "issue-document", document)
    contact = ("--time", "now", "--with", "telegram:boss", "--conduct", "OBSERVED", "--text", "-")
    desk.type("sato", "log-request", name, *contact, words=f"(演習)見せろ {MARKER}")
    shown = ("--request", "1", "--to", "telegram:boss", "--form", "IMAGE")
    presented = desk.type("sato", "present", document, *shown)
    again = desk.refused("sato", "present", document, *shown)
    told = desk.file(
        "told.toml",
        'recipients = ["agencies/jp-npa"]\n[harm]\nplace = "(演習)駅前"\nharm_time = 2026-01-05T21:00:00+09:00\n'
        'reason = "(演習)集合の指示"\ncontact_desk = "(演習)捜査第一課"\n',
    )
    prepared = desk.type("sato", "disclose", f"{name}/contacts/1", "--content", told)
    became = desk.type("sato", "tell", "--prepared", desk.file("told.json", json.dumps(prepared)))
    harm = desk.until("desk", "harm", code="jp-npa", field="name", value=became["record"])
    desk.type("suzuki", "review", name, "--through", "1", "--note", "(演習)")
    desk.type("suzuki", "close", name, "--outcome", "LOST_CONTACT_AFTER_ID", "--reason", "(演習)")
    witnesses = [f"--witness=agencies/jp-12/officers/{who}" for who in ("ito", "abe")]
    desk.type("tanaka", "destroy", document, *witnesses)
    gone = [desk.type(who, "witness", document) for who in ("ito", "abe")]
    archived = desk.type("suzuki", "archive", name)
    assert presented["presented"] == 1
    assert again["reason"] == "NO_REQUEST_LOGGED"
    assert harm[0]["harm"]["place"] == "(演習)駅前"
    assert [one["state"] for one in gone] == ["STATE_DESTROY_ORDERED", "STATE_DESTROYED"]
    assert archived["state"] == "STATE_ARCHIVED"
    said = desk.typed("sato", "present", document, *shown)
    assert "拒否 refused: STATE_FORBIDS\n  規則: 現在の状態ではこの操作はできない\n  rule: " in said[2]


def counted(desk: Desk, name: str) -> None:
    """What is left to be read by others."""
    year = ("statistics", "--year", str(datetime.now(UTC).year))
    statistics = desk.until("desk", *year, code="jp-npa", field="documents_issued", value=1)
    refusals = desk.type("audit", "refusals")
    history = desk.type("chief", "history", name)
    shown_to_people = desk.typed("chief", "show", name, "--lang", "ja")
    assert statistics["rows"] == [
        {"crime_code": "CRIME_CODE_ROBBERY", "outcome": "OUTCOME_LOST_CONTACT_AFTER_ID", "investigations": 1}
    ]
    reasons = [one["reason"] for one in refusals]
    assert reasons == ["STATE_FORBIDS", "NO_REQUEST_LOGGED", "ROLE_MISSING", "PLAN_INCOMPLETE"]
    assert [one["action"] for one in history][-1] == "ARCHIVE"
    assert "state: 保管 ARCHIVED" in shown_to_people[1]
    assert places_of(desk, "jp-npa") == set()
    here = places_of(desk, "jp-12")
    assert here
    assert here <= {"personas.db", "personas.db-wal"}


async def test_an_investigation_is_carried_out_by_commands_alone(tmp_path: Path) -> None:
    async with desk_of(tmp_path, "jp-12", "jp-npa") as desk:
        name = await asyncio.to_thread(begun, desk)
        await asyncio.to_thread(ended, desk, name)
        await asyncio.to_thread(counted, desk, name)


def places_of(desk: Desk, code: str) -> set[str]:
    """Name the files of a node that hold the marker."""
    folder = desk.federation.members[code].directory.path
    return {path.name for path in folder.rglob("*") if path.is_file() and MARKER.encode() in path.read_bytes()}


async def test_the_pages_commands_work(tmp_path: Path) -> None:
    def typed() -> str:
        (block,) = shell_blocks("docs/personas.md")
        (tmp_path / "plan.toml").write_text(plan_of_page())
        look_like_a_clone(tmp_path)
        with Shell(tmp_path) as shell:
            shell.run("PATH=$PWD/.venv/bin:$PATH")
            return shell.run(block)

    async with desk_of(tmp_path, "jp-12"):
        said = await asyncio.to_thread(typed)

    assert '"state": "STATE_DRAFT"' in said
    assert said.count("agencies/jp-12/personas/") >= 2


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_command_says_whom_it_is_for_and_shows_an_example(verb: Verb) -> None:
    done = CliRunner().invoke(main, ["personas", verb.name, "--help"])

    assert done.exit_code == 0
    assert f"renkei personas {verb.name} ./jp-12" in done.stdout
    assert "For: " in done.stdout
    assert "--json" in done.stdout


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_example_fits_its_command(verb: Verb) -> None:
    """Its options are there, none that is required is missing, and each fills a field that the contract has."""
    command = make(verb)
    given = ["./jp-12", *verb.example.split()]

    context = command.make_context(verb.name, given)

    assert context.params["directory"] == Path("jp-12")
    for field in verb.fields:
        if field.path:
            assert descriptor_of(verb, field) is not None


def test_every_method_of_the_service_has_its_command() -> None:
    methods = {
        method
        for file in (personas_pb2, documents_pb2, contacts_pb2, reports_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods_by_name
    }
    there = {verb.method for verb in VERBS.values() if verb.service == "personas"}

    assert methods - there == {"GetDocument"}  # `documents` lists them
    assert all(request_type(verb) for verb in VERBS.values())


def test_a_refusal_of_any_service_on_the_way_is_said_in_japanese_too() -> None:
    """Its own reasons bring their Japanese along; those of the chassis and of who is told do not."""
    on_the_way = {"JUDICIAL_USE_WITHHELD", "SOURCE_WITHHELD", "GRADING_CODE_INVALID"}
    on_the_way |= {"RECIPIENT_UNKNOWN", "REVIEW_REFUSED"}
    shared = {name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number}

    assert set(RULES_JA) == shared | on_the_way
    assert all(re.search(r"[ぁ-んァ-ン一-龥]", words) for words in RULES_JA.values())


def signed(desk: Desk, key: Path) -> None:
    """Sign with the key, which lies on no node; register and revoke as the chief."""
    basis = desk.file(
        "basis.toml",
        'id = "law-1"\ntitle = "(演習)"\nallows = ["ALLOWS_FICTITIOUS_ACCOUNT"]\n'
        "valid_from = 2026-01-01\nvalid_until = 2027-01-01T00:00:00+09:00\n",
    )
    there = str(desk.folder)
    names = {name: [f"{there}/{name}.binpb", "--signature", f"{there}/{name}.sig"] for name in ("basis", "end")}
    runs = [
        alone("sign-basis", "--basis", basis, "--key", str(key), "--out", f"{there}/basis"),
        alone("sign-revocation", "--id", "law-1", "--reason", "(演習)", "--key", str(key), "--out", f"{there}/end"),
    ]
    registered = desk.type("chief", "register-basis", "--basis", *names["basis"])
    mixed = desk.refused("chief", "revoke-basis", "--revocation", *names["basis"])
    revoked = desk.type("chief", "revoke-basis", "--revocation", *names["end"])
    (listed,) = desk.type("audit", "bases")

    assert key.stat().st_mode & 0o077 == 0
    assert [done.exit_code for done in runs] == [0, 0], [done.output for done in runs]
    assert (registered["id"], "revoke_time" in registered) == ("law-1", False)
    assert mixed["reason"] == "LEGAL_BASIS_UNSIGNED"
    assert listed == revoked
    assert "revoke_time" in listed


def alone(*arguments: str) -> Any:  # noqa: ANN401
    """Type a command that asks no node."""
    return CliRunner().invoke(main, ["personas", *arguments])


async def test_a_legal_basis_is_signed_off_the_node_and_registered_and_revoked_by_the_chief(tmp_path: Path) -> None:
    def make_ready() -> tuple[Path, Federation]:
        key = tmp_path / "elsewhere" / "basis.key"
        key.parent.mkdir()
        public = alone("basis-key", "--out", str(key)).stdout.strip()
        federation = Federation(tmp_path / "nodes", ("jp-12",))
        federation.set_up()
        settings = federation.members["jp-12"].directory.settings
        settings.write_text(_with_key(settings.read_text(), public))
        return key, federation

    key, federation = await asyncio.to_thread(make_ready)
    await federation.start()
    try:
        await asyncio.to_thread(signed, Desk(federation), key)
    finally:
        await federation.stop()


def _with_key(settings: str, public: str) -> str:
    line = f'legal_basis_keys = ["{public}"]'
    if "[personas]" in settings:
        return settings.replace("[personas]", f"[personas]\n{line}")
    return f"{settings}\n[personas]\n{line}\n"


def test_a_signing_key_is_kept_off_nodes_and_guarded_and_signs_nothing_broken(tmp_path: Path) -> None:
    node, key = tmp_path / "node", tmp_path / "basis.key"
    (node / "keys").mkdir(parents=True)
    (node / "node.toml").write_text("")
    basis = tmp_path / "basis.toml"
    basis.write_text(
        'id = "law-1"\nallows = ["ALLOWS_WIDER_CRIME_LIST"]\nvalid_from = 2027-01-01\nvalid_until = 2026-01-01\n'
    )
    signing = ("sign-basis", "--basis", str(basis), "--key", str(key), "--out", str(tmp_path / "signed"))

    on_a_node = alone("basis-key", "--out", str(node / "keys" / "basis.key"))
    made, again = alone("basis-key", "--out", str(key)), alone("basis-key", "--out", str(key))
    ends_first = alone(*signing)
    basis.write_text(f'id = "law-1"\nvalid_from = 2026-01-01\nvalid_until = 2027-01-01\ntitle = "{MARKER}"\n')
    allows_nothing = alone(*signing)
    whole = basis.read_text() + 'allows = ["ALLOWS_WIDER_CRIME_LIST"]\n'
    basis.write_text(whole + "revoke_time = 2026-01-01\n")
    revoked = alone(*signing)
    basis.write_text(whole)
    key.chmod(0o644)
    open_to_all = alone(*signing)

    refused = (on_a_node, again, ends_first, allows_nothing, revoked, open_to_all)
    assert made.exit_code == 0
    assert [done.exit_code for done in refused] == [1] * 6
    said = [done.output for done in refused]
    assert "keep this key away from every node" in said[0]
    assert "never replaced" in said[1]
    assert "valid_until must come after" in said[2]
    assert "allows" in said[3]
    assert "revoke_time is no part" in said[4]
    assert "0600" in said[5]
    assert not any(MARKER in one for one in said)
    assert not list(tmp_path.glob("signed*"))


def unfit(desk: Desk) -> None:
    missing = str(desk.folder / "missing.toml")
    wrong = [
        desk.typed("sato", "draft", "--plan", desk.file("a.toml", f'nothing = "{MARKER}"')),
        desk.typed("sato", "draft", "--plan", desk.file("b.toml", f"no toml {MARKER}")),
        desk.typed("sato", "draft", "--plan", missing),
        desk.typed("sato", "vacancy", "x", "--reason", "r", "--from", "yesterday"),
        desk.typed("sato", "tell", "--prepared", desk.file("c.json", f'{{"x": "{MARKER}"}}')),
    ]

    assert [status for status, _, _ in wrong] == [1] * 5
    assert not any(MARKER in said + error for _, said, error in wrong)
    assert "its fields may be: crime_code, necessity" in wrong[0][2]


def test_signing_tells_a_program_which_files_it_made(tmp_path: Path) -> None:
    key = tmp_path / "basis.key"
    made = alone("basis-key", "--out", str(key), "--json")
    out = tmp_path / "end"
    signed = alone(
        "sign-revocation", "--id", "law-1", "--reason", "(演習)", "--key", str(key), "--out", str(out), "--json"
    )

    assert json.loads(made.stdout).keys() == {"key", "public_key"}
    assert json.loads(signed.stdout) == {"signed": f"{out}.binpb", "signature": f"{out}.sig"}
    assert all(Path(path).stat().st_size for path in json.loads(signed.stdout).values())


async def test_a_file_that_does_not_fit_is_refused_without_its_words(tmp_path: Path) -> None:
    async with desk_of(tmp_path, "jp-12") as desk:
        await asyncio.to_thread(unfit, desk)
