"""What the story is told with: record, correct and delete as an officer, and wait for leads with a stopwatch."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.identifiers.v1 import identifiers_pb2 as identifiers
from renkei.leads.v1 import leads_pb2
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.errors import NotAllowed
from renkei_node.demo.agencies import CODES
from renkei_node.demo.columns import NOTE
from renkei_node.demo.markers import Markers, find_markers, make_markers
from renkei_node.standing import Standing, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from renkei_node.demo.federation import Federation, Member
    from renkei_node.demo.journal import Journal

WAIT_SECONDS: Final = 60.0  # a machine may be busy; the bars are the report's
_POLL_SECONDS: Final = 0.02
_SEED: Final = 77


class ClaimError(Exception):
    """A claim of the story did not come true; the text says which."""


class Play:
    """The federation as the story sees it."""

    def __init__(self, federation: Federation, journal: Journal) -> None:
        """Note in the journal what is acknowledged."""
        self.federation = federation
        self.journal = journal
        self._chance = random.Random(_SEED)  # noqa: S311 (markers, no secrets)

    def tip(
        self,
        *,
        text: str,
        source: tips_pb2.Tip.Source.ValueType,
        found: Iterable[identifiers.Occurrence],
        to: Iterable[str],
        observed: datetime,
        index_only: bool = False,
    ) -> tips_pb2.Tip:
        """Write a tip of the story; nothing is recorded yet."""
        markers = make_markers(self._chance)
        tip = tips_pb2.Tip(
            source=source,
            grading=tips_pb2.Grading(reliability=tips_pb2.Grading.RELIABILITY_B, accuracy=tips_pb2.Grading.ACCURACY_2),
            text=f"({NOTE}){text} {markers.planted_text}",
            external_reference=f"演{markers.planted_home}",
            handling=_handling(to, index_only=index_only),
            identifiers=found,
        )
        tip.observe_time.FromDatetime(observed)
        return tip

    def arrest(
        self,
        *,
        text: str,
        offence: str,
        role: arrests_pb2.Arrest.Role.ValueType,
        found: Iterable[identifiers.Occurrence],
        to: Iterable[str],
        restrained: datetime,
    ) -> arrests_pb2.Arrest:
        """Write an arrest of the story; nothing is recorded yet."""
        markers = make_markers(self._chance)
        arrest = arrests_pb2.Arrest(
            kind=arrests_pb2.Arrest.KIND_WARRANT,
            offence=offence,
            role=role,
            text=f"({NOTE}){text} {markers.planted_text}",
            external_reference=f"演{markers.planted_home}",
            person=arrests_pb2.Person(display_name="演習 太郎", kana="エンシュウ タロウ"),
            handling=_handling(to, index_only=False),
            seized_items=[arrests_pb2.SeizedItem(description="スマートフォン1台(演習)", identifiers=found)],
        )
        arrest.restraint_time.FromDatetime(restrained)
        return arrest

    def markers(self) -> Markers:
        """Draw the markers of something that is neither tip nor arrest."""
        return make_markers(self._chance)

    async def holds_tip(self, code: str, name: str) -> bool:
        """Say whether an agency can read a tip."""
        try:
            await self.read_tip(code, name)
        except NotAllowed:
            return False
        return True

    async def record_tip(self, code: str, tip: tips_pb2.Tip) -> tips_pb2.Tip:
        """Record a tip and note that it was acknowledged."""
        client = self.federation.client(code, "tips")
        request = tips_pb2.CreateTipRequest(request_id=_new_id(), parent=f"agencies/{code}", tip=tip)
        answer = await client.call(client.stub(TipsServiceStub).CreateTip, request)
        self.journal.created(tip, name=answer.name, markers=find_markers(tip))
        return answer

    async def record_arrest(self, code: str, arrest: arrests_pb2.Arrest) -> arrests_pb2.Arrest:
        """Record an arrest and note that it was acknowledged."""
        client = self.federation.client(code, "arrests")
        request = arrests_pb2.CreateArrestRequest(request_id=_new_id(), parent=f"agencies/{code}", arrest=arrest)
        answer = await client.call(client.stub(ArrestsServiceStub).CreateArrest, request)
        self.journal.created(arrest, name=answer.name, markers=find_markers(arrest))
        return answer

    async def withdraw_tip(self, code: str, tip: tips_pb2.Tip, *, reason: str) -> None:
        """Correct a tip's label so that nobody else may have it."""
        client = self.federation.client(code, "tips")
        narrowed = tips_pb2.Tip()
        narrowed.CopyFrom(tip)
        del narrowed.handling.releasable_to[:]
        request = tips_pb2.UpdateTipRequest(request_id=_new_id(), tip=narrowed, reason=reason)
        request.update_mask.paths.append("handling.releasable_to")
        answer = await client.call(client.stub(TipsServiceStub).UpdateTip, request)
        self.journal.relabelled(answer)

    async def read_tip(self, code: str, name: str) -> tips_pb2.Tip:
        """Read a tip at one agency."""
        client = self.federation.client(code, "tips")
        return await client.call(client.stub(TipsServiceStub).GetTip, tips_pb2.GetTipRequest(name=name))

    async def leads(self, code: str, *, record: str = "") -> list[leads_pb2.Lead]:
        """List the live leads of one agency, or those that hold a record."""
        client = self.federation.client(code, "leads")
        request = leads_pb2.ListLeadsRequest(parent=f"agencies/{code}", record=record, page_size=200)
        return [lead async for lead in client.items(client.stub(LeadsServiceStub).ListLeads, request, "leads")]

    async def wait_lead(
        self, code: str, record: str, what: str, true: Callable[[leads_pb2.Lead], bool], *, since: float
    ) -> tuple[leads_pb2.Lead, float]:
        """Wait for a lead that holds a record and is as told; returns it and the seconds since `since`."""

        async def look() -> leads_pb2.Lead | None:
            return next((lead for lead in await self.leads(code, record=record) if true(lead)), None)

        return await self.wait(f"{code}: {what}", look, since=since)

    async def wait(self, what: str, look: Callable[[], Any], *, since: float) -> tuple[Any, float]:
        """Look until something is found. Raises ClaimError when it takes too long."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            found = await look()
            if found is not None:
                return found, time.monotonic() - since
            if time.monotonic() > until:
                raise ClaimError(f"not within {WAIT_SECONDS:.0f} s: {what}")
            await asyncio.sleep(_POLL_SECONDS)

    async def caught_up(self) -> float:
        """Wait until every lane and follower of every agency is at its end; returns the seconds it took."""

        async def look() -> bool | None:
            return True if all([await self._is_level(code) for code in CODES]) else None

        _, seconds = await self.wait("every lane is received", look, since=time.monotonic())
        return seconds

    async def at_rest(self) -> float:
        """Wait until everything recorded is in effect everywhere it goes; returns the seconds it took."""
        began = time.monotonic()
        for what in (self._followers_level, self.caught_up, self._followers_level):  # out, across, and in
            await what()
        return time.monotonic() - began

    async def _followers_level(self) -> None:
        async def look() -> bool | None:
            standings = [await asyncio.to_thread(_ask, member) for member in self.federation.members.values()]
            followers = [f for standing in standings for service in standing.services for f in service.followers]
            return True if followers and not any(follower.lag for follower in followers) else None

        await self.wait("every follower is level", look, since=time.monotonic())

    async def peer(self, code: str, other: str) -> exchange_pb2.Peer:
        """Ask one agency how it sees another."""
        return next(peer for peer in await self._peers(code) if peer.name == f"agencies/{other}")

    async def _peers(self, code: str) -> list[exchange_pb2.Peer]:
        client = self.federation.client(code, "exchange")
        answer = await client.call(client.stub(ExchangeServiceStub).ListPeers, exchange_pb2.ListPeersRequest())
        return list(answer.peers)

    async def _is_level(self, code: str) -> bool:
        return all(
            lane.received_bundle >= lane.last_bundle
            for peer in await self._peers(code)
            for lane in peer.lanes
            if lane.lane == exchange_pb2.LANE_DATA and lane.outbound
        )


def _ask(member: Member) -> Standing:
    return ask(member.settings, member.ports, member.directory.operator_token.read_text())


def occurrence(
    kind: identifiers.IdentifierType.ValueType,
    original: str,
    provenance: identifiers.Provenance.ValueType,
    relation: identifiers.Relation.ValueType = identifiers.RELATION_USED_BY_SUBJECT,
) -> identifiers.Occurrence:
    """Write an identifier where it stands."""
    return identifiers.Occurrence(
        identifier=identifiers.Identifier(type=kind, original=original), provenance=provenance, relation=relation
    )


def holds(*names: str) -> Callable[[leads_pb2.Lead], bool]:
    """Say whether a lead holds exactly these records."""
    return lambda lead: {record.name for record in lead.records} == set(names)


def _handling(to: Iterable[str], *, index_only: bool) -> handling_pb2.Handling:
    action = handling_pb2.PERMITTED_ACTION_INDEX_ONLY if index_only else handling_pb2.PERMITTED_ACTION_COORDINATE_FIRST
    return handling_pb2.Handling(
        purpose_code="organised-robbery",
        permitted_action=action,
        releasable_to=[f"agencies/{code}" for code in to],
        caveat=f"{NOTE}。接触前に発信元へ連絡 / Training data. Ask the originator before any contact.",
    )


def _new_id() -> str:
    return str(uuid.uuid4())
