"""A whole node is sent every hostile value in every field of every method: each gets a clear answer, and no harm."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from renkei.policy.v1 import policy_pb2

from renkei_chassis import contract
from renkei_chassis.clock import WallClock
from renkei_chassis.errors import Internal, RenkeiError, Unclassified, from_rpc_error
from renkei_chassis.identity import load_private, mint
from renkei_chassis.ids import uuid7
from renkei_node.layout import SERVICES
from tests.hostile import AGENCY, MARK, Hostile, proper, requests, wrecked
from tests.system.federation import Federation, Member

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
# Each service has these; one of them stands for all.
SHARED: Final = {"renkei.event.v1.LogService": "tips", "renkei.event.v1.FollowerService": "leads"}
REASONS: Final = {
    value.name.removeprefix("ERROR_REASON_")
    for file in contract.FILES
    for enum in file.enum_types_by_name.values()
    if enum.name == "ErrorReason"
    for value in enum.values
    if value.number
}
# What there must be, or nothing could be wrong with it.
BEGINNING: Final = {
    "/renkei.tips.v1.TipsService/CreateTip": "tips",
    "/renkei.arrests.v1.ArrestsService/CreateArrest": "arrests",
    "/renkei.arrests.v1.ArrestsService/RecordDisposition": "arrests",
    "/renkei.arrests.v1.ExhibitsService/CreateExhibit": "exhibits",
    "/renkei.personas.v1.PersonasService/CreatePersona": "personas",
}
GETTING: Final = {
    "tips": "/renkei.tips.v1.TipsService/GetTip",
    "arrests": "/renkei.arrests.v1.ArrestsService/GetArrest",
    "exhibits": "/renkei.arrests.v1.ExhibitsService/GetExhibit",
    "personas": "/renkei.personas.v1.PersonasService/GetPersona",
}
# What makes a record has no etag to be stale.
NEW: Final = ("Create", "Load", "Raise", "Request")
# Roles that an officer's token can carry.
OFFICIAL: Final = set(policy_pb2.Role.values()) - {
    policy_pb2.ROLE_UNSPECIFIED,
    policy_pb2.ROLE_SERVICE,
    policy_pb2.ROLE_PEER,
}
EXPECTED: Final = {
    "nobody": {"TOKEN_MISSING"},
    "a foreign officer": {"TOKEN_UNTRUSTED_ISSUER"},
    "another role": {"ROLE_MISSING"},
    "a peer": {"TOKEN_UNTRUSTED_ISSUER", "ROLE_MISSING"},
}


@dataclass(slots=True, kw_only=True)
class Caller:
    """Calls every method of a node with a token that may, and keeps what was wrong with the answers."""

    member: Member
    peer: str
    channels: dict[str, grpc.Channel]
    names: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, bytes | None] = field(default_factory=dict)
    """What was acknowledged, by name; None where only the name was told."""
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str, str]] = field(default_factory=list)

    def send(
        self,
        path: str,
        request: Any,  # noqa: ANN401 (of any method)
        service: str = "",
        token: str | None = None,
    ) -> tuple[list[Any], RenkeiError | None]:
        """Call; gives the answers and the error with which it ended."""
        method = METHODS[path]
        served = path[1:].partition("/")[0]
        channel = self.channels[service or SHARED.get(served, served.split(".")[1])]
        answer = contract.message_type(method.output_type.full_name)
        given = {
            "metadata": (("authorization", f"Bearer {self._token(method) if token is None else token}"),)
            if token != ""
            else (),
            "timeout": 20,
        }
        raw = request.SerializeToString()
        calls: Any = channel
        answers: list[Any] = []
        try:
            if method.client_streaming:
                answers.extend(map(answer.FromString, calls.stream_stream(path)(iter([raw]), **given)))
            elif method.server_streaming:
                call = calls.unary_stream(path)(raw, **given)
                answers.extend(map(answer.FromString, islice(call, 1)))
                call.cancel()
            else:
                answers.append(answer.FromString(calls.unary_unary(path)(raw, **given)))
        except grpc.RpcError as error:
            return answers, from_rpc_error(error)
        return answers, None

    def _token(self, method: Any) -> str:  # noqa: ANN401 (upb's own descriptor)
        roles = {policy_pb2.Role.Name(r)[5:] for r in method.GetOptions().Extensions[policy_pb2.method].roles}
        if roles == {"PEER"}:
            return self.peer
        if roles == {"SERVICE"}:
            return _mint(self.member, "leads", "SERVICE", audience=self.member.name)
        return self.member.token(*sorted(roles - {"PEER", "SERVICE"}))

    def proper(self, path: str, collection: str) -> None:
        """Send what keeps every rule, and keep the name of what it made."""
        request: Any = proper(requests()[path], self.names)
        if "etag" in request.DESCRIPTOR.fields_by_name:
            request.etag = self.etags[request.name]
        answers, error = self.send(path, request)
        assert error is None, (path, error)
        self.names[collection] = answers[0].name
        self.keep(answers)

    def hostile(self, path: str, hostile: Hostile) -> None:
        """Send what is wrecked."""
        request: Any = hostile.request
        holders: tuple[Any, ...] = (*(getattr(request, word, None) for word in ("tip", "arrest", "exhibit")), request)
        for holder in holders:
            named = getattr(holder, "name", None)
            if hostile.field.endswith(".etag") or named not in self.etags or not hasattr(holder, "etag"):
                continue
            holder.etag = self.etags[named]
        answers, error = self.send(path, request)
        self.keep(answers)
        for status in [error, *_errors_of_rows(answers)]:
            self.ends["OK" if status is None else status.reason] += 1
            if status is not None and (what := _wrong_with(status)):
                self.wrong.append((path, hostile.path, hostile.what, what))
        refused = error is not None or any(_errors_of_rows(answers))
        if hostile.field.endswith(".etag") and not refused and not path.rpartition("/")[2].startswith(NEW):
            self.wrong.append((path, hostile.path, hostile.what, "a stale etag"))
        if hostile.must_be_refused and not refused:
            self.wrong.append((path, hostile.path, hostile.what, "taken"))

    def keep(self, answers: list[Any]) -> None:
        """Remember what was acknowledged, and the etag to go on from."""
        for answer in answers:
            if hasattr(answer, "etag") and hasattr(answer, "name"):
                self.etags[answer.name] = answer.etag
                self.recorded[answer.name] = _content(answer)
            for result in getattr(answer, "results", ()):
                if result.name and not result.HasField("error"):
                    self.recorded[result.name] = None

    def let_in(self, foreign: str) -> list[tuple[str, str, str]]:
        """Name the methods that answer somebody who has no business there."""
        found = []
        for path, kind in requests().items():
            roles = set(METHODS[path].GetOptions().Extensions[policy_pb2.method].roles)
            others = [policy_pb2.Role.Name(role)[5:] for role in OFFICIAL - roles]
            tokens = {"nobody": "", "a foreign officer": foreign, "another role": self.member.token(*others)}
            if path != "/renkei.exchange.v1.ExchangeService/ReadLane":
                tokens["a peer"] = self.peer
            for who, token in tokens.items():
                _, error = self.send(path, proper(kind, self.names), token=token)
                reason = "answered" if error is None else error.reason
                if reason not in EXPECTED[who]:
                    found.append((path, who, reason))
        return found

    def lost(self) -> list[str]:
        """Name what was acknowledged and is not there as it was."""
        found = []
        for name, content in self.recorded.items():
            path = GETTING[name.split("/")[-2]]
            answers, error = self.send(path, requests()[path](name=name))
            if error is not None or content not in {None, _content(answers[0])}:
                found.append(name)
        return found

    def alarms(self) -> dict[str, int]:
        """Count the alarms and the events set aside, by service, where there are any."""
        told: dict[str, int] = {}
        for service in SERVICES:
            for word, things in (("ListAlarms", "alarms"), ("ListSetAside", "events")):
                path = f"/renkei.event.v1.FollowerService/{word}"
                (answer,), _ = self.send(path, requests()[path](), service)
                told[f"{service} {things}"] = len(getattr(answer, things))
        return {what: count for what, count in told.items() if count}


METHODS: Final = {path: method for path, method, _ in contract.methods()}


def _content(answer: Any) -> bytes:  # noqa: ANN401 (any resource)
    """Give what is stored of an answer: clocks are read anew each time."""
    kept = type(answer)()
    kept.CopyFrom(answer)
    if "clocks" in kept.DESCRIPTOR.fields_by_name:
        kept.ClearField("clocks")
    return bytes(kept.SerializeToString(deterministic=True))


def _errors_of_rows(answers: list[Any]) -> list[RenkeiError]:
    return [
        _error_of(result.error)
        for answer in answers
        for result in getattr(answer, "results", ())
        if result.HasField("error")
    ]


def _error_of(status: status_pb2.Status) -> RenkeiError:
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return RenkeiError(info.reason, status.message, metadata=dict(info.metadata))


def _wrong_with(error: RenkeiError) -> str:
    """Say what is wrong with a refusal: it must be one of the contract's, and repeat nothing."""
    told = [str(error), *error.metadata.values(), *(v.field + v.description for v in error.violations)]
    if isinstance(error, Internal | Unclassified) or error.reason not in REASONS:
        return f"{type(error).__name__} {error.reason}"
    return "repeated" if any(MARK in text for text in told) else ""


def _mint(member: Member, service: str, role: str, *, audience: str) -> str:
    name = f"{member.name}/services/{service}"
    return mint(
        load_private(member.directory.service_key(service)),
        issuer=name,
        subject=name,
        audience=audience,
        roles=(role,),
        now_us=WallClock().now_us(),
        life_seconds=300,
        token_id=uuid7(),
    )


async def test_no_method_answers_who_has_no_business_there(tmp_path: Path) -> None:
    """No token, another agency's officer or exchange, and an officer with every role but those of the contract."""
    federation = await asyncio.to_thread(Federation, tmp_path / "demo", ("jp-12", "jp-13"))
    await asyncio.to_thread(federation.set_up, courier=False)
    member = federation["jp-13"]
    peer = await asyncio.to_thread(_mint, federation["jp-12"], "exchange", "PEER", audience=AGENCY)
    foreign = await asyncio.to_thread(federation["jp-12"].token, "OFFICER", "OPERATOR")
    await asyncio.to_thread(member.start)
    try:
        await member.ready()
        assert await asyncio.to_thread(_let_in, member, peer, foreign) == []
    finally:
        await federation.stop()


def _let_in(member: Member, peer: str, foreign: str) -> list[tuple[str, str, str]]:
    with _calling(member, peer) as caller:
        return caller.let_in(foreign)


async def test_no_value_in_any_field_of_any_method_harms_a_node(tmp_path: Path) -> None:
    federation = await asyncio.to_thread(Federation, tmp_path / "demo", ("jp-12", "jp-13"))
    await asyncio.to_thread(federation.set_up, courier=False)
    member = federation["jp-13"]
    peer = await asyncio.to_thread(_mint, federation["jp-12"], "exchange", "PEER", audience=AGENCY)
    await asyncio.to_thread(member.start)
    try:
        await member.ready()
        recorded = await asyncio.to_thread(_ask, member, peer)
        await asyncio.to_thread(member.kill)
        await asyncio.to_thread(member.start)
        await member.ready()
        await asyncio.to_thread(_look, member, peer, recorded)
    finally:
        await federation.stop()


LONG: Final = frozenset({"huge", "too many"})
"""What takes the most time to send; tests/contract/test_hostile_values.py has each of them validated."""


@contextmanager
def _calling(member: Member, peer: str) -> Iterator[Caller]:
    with ExitStack() as stack:
        channels = {name: stack.enter_context(grpc.insecure_channel(member.ports.address(name))) for name in SERVICES}
        yield Caller(member=member, peer=peer, channels=channels)


def _ask(member: Member, peer: str) -> dict[str, bytes | None]:
    with _calling(member, peer) as caller:
        for path, collection in BEGINNING.items():
            caller.proper(path, collection)
        for path, kind in requests().items():
            for hostile in wrecked(kind, caller.names):
                if hostile.what not in LONG:
                    caller.hostile(path, hostile)
        for collection, name in caller.names.items():  # a report of danger moves a persona without showing it
            answers, _ = caller.send(GETTING[collection], requests()[GETTING[collection]](name=name))
            caller.keep(answers)

        assert caller.wrong == []
        assert caller.ends["OK"] > 1000, caller.ends
        assert len(caller.ends) > 15, caller.ends
        assert len(caller.recorded) > 500
        return caller.recorded


def _look(member: Member, peer: str, recorded: dict[str, bytes | None]) -> None:
    """Nothing acknowledged is lost, nothing followed was set aside, and nothing failed or was told of."""
    with _calling(member, peer) as caller:
        caller.recorded = recorded

        assert caller.lost() == []
        assert caller.alarms() == {}
    log = member.directory.log.read_text()
    assert '"call"' in log
    assert [line for line in log.splitlines() if "a call failed" in line or "a task failed" in line] == []
    assert MARK not in log
