"""How a client meets each reason for a refusal, over the wire and with grpc-js; and which it cannot meet, and why."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from renkei.tips.v1 import tips_pb2

from renkei_chassis.identity import generate, load_private, mint
from renkei_chassis.ids import uuid7
from tests.system.grpc_js import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from tests.system.federation import Federation, Member
    from tests.system.grpc_js import GrpcJs

HERE, THERE, STRANGER = "jp-12", "jp-13", "jp-47"
TIPS: Final = "renkei.tips.v1.TipsService"
OPINIONS: Final = "renkei.tips.v1.OpinionsService"
ARRESTS: Final = "renkei.arrests.v1.ArrestsService"
CLOCKS: Final = "renkei.arrests.v1.ClocksService"
EXHIBITS: Final = "renkei.arrests.v1.ExhibitsService"
BLOCKS: Final = "renkei.arrests.v1.SealedBlocksService"
LEADS: Final = "renkei.leads.v1.LeadsService"
FOLLOW_UP: Final = "renkei.leads.v1.FollowUpService"
EXCHANGE: Final = "renkei.exchange.v1.ExchangeService"
LOG: Final = "renkei.event.v1.LogService"

NOT_FROM_OUTSIDE: Final = {
    "DEADLINE": "a client's own ends its call first, and the server's takes 20 s; tests/chassis/rpc/test_pipeline.py",
    "UNDELETE_EXPIRED": "a record lasts for 30 days after its deletion; tests/tips/test_undeleting.py",
    "RESOURCE_EXISTS": "a request is known for 30 days; tests/arrests/test_exhibits.py",
    "TOO_MANY_EXHIBITS": "an arrest has 50,000 of them; tests/arrests/test_exhibits.py",
    "ORIGINATOR_MISSING": "it takes a third agency; tests/tips/test_opinions.py",
    "ONWARD_REFUSED": "it takes a third agency; tests/tips/test_opinions.py",
}
"""The reasons that no client can meet, in the time that a test has; each says why and where it is tested instead."""

MEETINGS: Final[dict[str, Callable[[Ground], Awaitable[object]]]] = {}
"""How each of the others is met, by reason."""


def meets(reason: str) -> Callable[[Callable[[Ground], Awaitable[object]]], Callable[[Ground], Awaitable[object]]]:
    """Say of a function that its last call is refused for this reason."""

    def register(meeting: Callable[[Ground], Awaitable[object]]) -> Callable[[Ground], Awaitable[object]]:
        assert reason not in MEETINGS
        MEETINGS[reason] = meeting
        return meeting

    return register


def new_id() -> str:
    return str(uuid.uuid4())


def a_tip(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of a message are of many types)
    """Make a tip that is complete, as JSON."""
    return {
        "handling": {"purpose_code": "organised-robbery"},
        "source": "SOURCE_OTHER",
        "grading": {"reliability": "RELIABILITY_B", "accuracy": "ACCURACY_2"},
        "text": "演習データ",
        **changes,
    }


def an_arrest(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 (the same)
    """Make an arrest that is complete, as JSON: restrained on 1 October 2024."""
    return {
        "handling": {"purpose_code": "organised-robbery"},
        "kind": "KIND_WARRANT",
        "restraint_time": {"seconds": 1_727_752_500},
        "offence": "(演習データ) 強盗致傷",
        **changes,
    }


def a_phone(original: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 (the same)
    return {
        "identifier": {"type": "IDENTIFIER_TYPE_PHONE", "original": original},
        "provenance": "PROVENANCE_TIP",
        "relation": "RELATION_USED_BY_SUBJECT",
        **changes,
    }


@dataclass(slots=True, kw_only=True)
class Ground:
    """Two nodes, the client, and who calls."""

    federation: Federation
    js: GrpcJs
    at: str = HERE
    roles: tuple[str, ...] = ("OFFICER", "SUPERVISOR")

    @property
    def member(self) -> Member:
        return self.federation[self.at]

    def address(self, path: str) -> str:
        """Give where a service of the node is called."""
        if path.startswith(LOG):
            return self.member.ports.address("tips")
        return self.member.ports.address(path.split(".")[1])

    async def token(self, **changes: Any) -> str:  # noqa: ANN401 (arguments of `mint`)
        return await asyncio.to_thread(self._token, **changes)

    def _token(self, *, key: Ed25519PrivateKey | None = None, **changes: Any) -> str:  # noqa: ANN401 (the same)
        given: dict[str, Any] = {
            "issuer": self.member.name,
            "subject": f"{self.member.name}/officers/sato",
            "audience": self.member.name,
            "roles": self.roles,
            "now_us": time.time_ns() // 1000,
            "life_seconds": 600,
            "token_id": uuid7(),
        }
        return mint(key or load_private(self.member.directory.issuer_key), **given | changes)

    async def call(self, path: str, request: Mapping[str, Any], *, token: str | None = None, **options: Any) -> Any:  # noqa: ANN401
        return await self.js.call(
            self.address(path), path, request, token=await self.token() if token is None else token, **options
        )

    async def bytes(self, path: str, raw: bytes) -> bytes:
        return await self.js.bytes(self.address(path), path, raw, token=await self.token())

    async def create(self, *, request_id: str = "", parent: str = "", tries: int | None = None, **changes: Any) -> Any:  # noqa: ANN401
        request = {"request_id": request_id or new_id(), "parent": parent or self.member.name, "tip": a_tip(**changes)}
        options: dict[str, Any] = {} if tries is None else {"tries": tries}
        return await self.call(f"{TIPS}/CreateTip", request, **options)

    async def update(self, tip: Mapping[str, Any], *paths: str, etag: str = "") -> Any:  # noqa: ANN401
        changed = {**tip, "text": "演習データ 2", "etag": etag or tip["etag"]}
        mask = {"paths": paths or ("text",)}
        request = {"request_id": new_id(), "tip": changed, "update_mask": mask, "reason": "(演習)"}
        return await self.call(f"{TIPS}/UpdateTip", request)

    async def delete(self, name: str) -> Any:  # noqa: ANN401
        return await self.call(f"{TIPS}/DeleteTip", {"request_id": new_id(), "name": name, "reason": "(演習)"})

    async def step(self, method: str, tip: Mapping[str, Any], **fields: Any) -> Any:  # noqa: ANN401
        request = {"request_id": new_id(), "name": tip["name"], "reason": "(演習)", **fields}
        return await self.call(f"{TIPS}/{method}", request)

    async def merged(self) -> tuple[Any, Any]:
        """Make a tip that is part of another, and give both."""
        part, whole = await self.step("TriageTip", await self.create()), await self.create()
        return await self.step("MergeTip", part, into=whole["name"]), whole

    async def received(self, **label: Any) -> Any:  # noqa: ANN401
        """Make a tip at the other agency that is released to this one, and give the copy that came."""
        there = replace(self, at=THERE)
        handling = {"purpose_code": "organised-robbery", "releasable_to": [self.member.name], **label}
        tip = await there.create(handling=handling)
        while True:
            try:
                return await self.call(f"{TIPS}/GetTip", {"name": tip["name"]})
            except Refused:
                await asyncio.sleep(0.02)

    async def opine(self, tip: str, *audience: str, **changes: Any) -> Any:  # noqa: ANN401
        opinion = {
            "handling": {"purpose_code": "organised-robbery", "releasable_to": audience},
            "tip": tip,
            "stance": "STANCE_DOUBTS",
            "text": "演習データ",
            **changes,
        }
        request = {"request_id": new_id(), "parent": self.member.name, "opinion": opinion}
        return await self.call(f"{OPINIONS}/CreateOpinion", request)

    async def create_arrest(self, **changes: Any) -> Any:  # noqa: ANN401
        request = {"request_id": new_id(), "parent": self.member.name, "arrest": an_arrest(**changes)}
        return await self.call(f"{ARRESTS}/CreateArrest", request)

    async def raise_harm(self, *recipients: str) -> Any:  # noqa: ANN401
        told = {
            "place": "(演習) 駅前",
            "harm_time": {"seconds": 1_728_000_000},
            "reason": "(演習)",
            "contact_desk": "110",
        }
        request = {"request_id": new_id(), "harm": told, "recipients": recipients}
        return await self.call(f"{EXCHANGE}/RaiseImminentHarm", request)

    async def review_harm(self, name: str) -> Any:  # noqa: ANN401
        auditor = await self.token(subject=f"{self.member.name}/officers/abe", roles=("AUDITOR",))
        request = {"request_id": new_id(), "name": name, "note": "(演習)"}
        return await self.call(f"{EXCHANGE}/ReviewImminentHarm", request, token=auditor)

    async def get_with(self, token: str) -> Any:  # noqa: ANN401
        return await self.call(f"{TIPS}/ListTips", {"parent": self.member.name}, token=token)


@meets("FIELD_INVALID")
async def _(ground: Ground) -> None:
    await ground.create(text="")


@meets("MALFORMED_REQUEST")
async def _(ground: Ground) -> None:
    await ground.bytes(f"{TIPS}/GetTip", b"\xff\xff")


@meets("UNKNOWN_FIELD")
async def _(ground: Ground) -> None:
    await ground.bytes(f"{TIPS}/GetTip", tips_pb2.GetTipRequest(name="x").SerializeToString() + b"\xfa\x07\x01a")


@meets("REQUEST_TOO_LARGE")
async def _(ground: Ground) -> None:
    await ground.bytes(f"{TIPS}/CreateTip", b"\x1a" + b"x" * 300_000)


@meets("INVALID_RESOURCE_NAME")
async def _(ground: Ground) -> None:
    await ground.call(f"{TIPS}/GetTip", {"name": "tips/1"})


@meets("INVALID_PAGE_TOKEN")
async def _(ground: Ground) -> None:
    for _ in range(2):
        await ground.create()
    page = await ground.call(f"{TIPS}/ListTips", {"parent": ground.member.name, "page_size": 1})
    other = {"parent": "agencies/-", "page_size": 1, "page_token": page["next_page_token"]}
    await ground.call(f"{TIPS}/ListTips", other)


@meets("INVALID_RESUME_TOKEN")
async def _(ground: Ground) -> None:
    path = f"{TIPS}/WatchTips"
    request = {"resume_token": "x"}
    async with aclosing(ground.js.watch(ground.address(path), path, request, token=await ground.token())) as answers:
        async for _answer in answers:
            pass


@meets("REQUEST_ID_REUSED")
async def _(ground: Ground) -> None:
    request_id = new_id()
    await ground.create(request_id=request_id)
    await ground.create(request_id=request_id, text="演習データ 2")


@meets("ETAG_MISMATCH")
async def _(ground: Ground) -> None:
    tip = await ground.create()
    await ground.update(tip)
    await ground.update(tip)


@meets("INVALID_UPDATE_MASK")
async def _(ground: Ground) -> None:
    await ground.update(await ground.create(), "unknown")


@meets("FOREIGN_ORIGINATOR")
async def _(ground: Ground) -> None:
    await ground.create(parent=f"agencies/{THERE}")


@meets("DENIED")
async def _(ground: Ground) -> None:
    await ground.call(f"{TIPS}/GetTip", {"name": f"{ground.member.name}/tips/{uuid7()}"})


@meets("DELETED")
async def _(ground: Ground) -> None:
    tip = await ground.create()
    await ground.delete(tip["name"])
    await ground.update(tip)


@meets("NOT_DELETED")
async def _(ground: Ground) -> None:
    tip = await ground.create()
    await ground.call(f"{TIPS}/UndeleteTip", {"request_id": new_id(), "name": tip["name"]})


@meets("NO_SUCH_VERSION")
async def _(ground: Ground) -> None:
    tip = await ground.create()
    await ground.call(f"{TIPS}/GetTip", {"name": tip["name"], "version": 7})


@meets("SEARCH_TOO_SHORT")
async def _(ground: Ground) -> None:
    await ground.call(f"{TIPS}/SearchTips", {"identifier": "09"})


@meets("SPAN_REVERSED")
async def _(ground: Ground) -> None:
    span = {"valid_from": {"seconds": 1_700_000_000}, "valid_until": {"seconds": 1_600_000_000}}
    await ground.create(identifiers=[a_phone("090-1234-5678", **span)])


@meets("PROTECTED_IDENTIFIER")
async def _(ground: Ground) -> None:
    await ground.create(identifiers=[a_phone("#9110")])


@meets("INSTRUMENT_UNSUPPORTED")
async def _(ground: Ground) -> None:
    instrument = f"{ground.member.name}/instruments/1"
    await ground.create(handling={"purpose_code": "organised-robbery", "instrument": instrument})


@meets("UNKNOWN_AGENCY")
async def _(ground: Ground) -> None:
    await ground.create(handling={"purpose_code": "organised-robbery", "releasable_to": ["agencies/jp-99"]})


@meets("RECIPIENT_UNKNOWN")
async def _(ground: Ground) -> None:
    await ground.raise_harm("agencies/jp-99")


@meets("REVIEW_REFUSED")
async def _(ground: Ground) -> None:
    raised = await ground.raise_harm(f"agencies/{THERE}")
    for _ in range(2):
        await ground.review_harm(raised["name"])


@meets("ROLE_MISSING")
async def _(ground: Ground) -> None:
    await ground.get_with(await ground.token(roles=("AUDITOR",)))


@meets("TOKEN_MISSING")
async def _(ground: Ground) -> None:
    await ground.get_with("")


@meets("TOKEN_MALFORMED")
async def _(ground: Ground) -> None:
    await ground.get_with((await ground.token())[:40])


@meets("TOKEN_EXPIRED")
async def _(ground: Ground) -> None:
    await ground.get_with(await ground.token(now_us=time.time_ns() // 1000 - 3_600_000_000))


@meets("TOKEN_NOT_YET_VALID")
async def _(ground: Ground) -> None:
    await ground.get_with(await ground.token(now_us=time.time_ns() // 1000 + 3_600_000_000))


@meets("TOKEN_WRONG_AUDIENCE")
async def _(ground: Ground) -> None:
    await ground.get_with(await ground.token(audience=f"agencies/{THERE}"))


@meets("TOKEN_UNTRUSTED_ISSUER")
async def _(ground: Ground) -> None:
    other = f"{ground.member.name}/services/other"
    await ground.get_with(await ground.token(issuer=other, subject=other, roles=("SERVICE",), life_seconds=60))


@meets("TOKEN_BAD_SIGNATURE")
async def _(ground: Ground) -> None:
    await ground.get_with(await ground.token(key=generate()))


@meets("TOKEN_ROLE_NOT_ALLOWED")
async def _(ground: Ground) -> None:
    await ground.get_with(await ground.token(roles=("SERVICE",)))


async def service_token(ground: Ground, service: str, *, of: str = HERE, role: str = "SERVICE") -> str:
    """Make the token of a service of an agency for the node."""
    member = ground.federation[of]
    key = await asyncio.to_thread(load_private, member.directory.service_key(service))
    name = f"{member.name}/services/{service}"
    return await ground.token(key=key, issuer=name, subject=name, roles=(role,), life_seconds=60)


@meets("LOG_AHEAD")
async def _(ground: Ground) -> None:
    token = await service_token(ground, "leads")
    await ground.call(f"{LOG}/ReadLog", {"after_sequence": "1000000"}, token=token)


@meets("LANE_AHEAD")
async def _(ground: Ground) -> None:
    token = await service_token(ground, "exchange", of=THERE, role="PEER")
    first = await ground.call(f"{EXCHANGE}/ReadLane", {"lane": "LANE_DATA"}, token=token)
    request = {"lane": "LANE_DATA", "after_bundle": "1000000", "epoch": first["epoch"]}
    await ground.call(f"{EXCHANGE}/ReadLane", request, token=token)
