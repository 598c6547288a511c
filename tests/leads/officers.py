"""Officers who follow leads up over a real connection."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from renkei.leads.v1 import follow_up_pb2 as pb
from renkei.leads.v1.follow_up_pb2_grpc import FollowUpServiceStub

from renkei_chassis.errors import RenkeiError
from renkei_leads.succession import lead_id
from tests.leads.house import AGENCY
from tests.leads.records import tip_name

if TYPE_CHECKING:
    from renkei_chassis.rpc.client import Client

SATO, SUZUKI = (f"{AGENCY}/officers/{name}" for name in ("sato", "suzuki"))
KIND, STATE = pb.LeadStep.Kind, pb.FollowUp.State


class Door(Protocol):
    """Where officers call."""

    def client(self, *roles: str, officer: str = "sato") -> Client:
        """Call as somebody."""
        ...


class Officer:
    """Somebody at the desk."""

    def __init__(self, door: Door, name: str, role: str = "OFFICER") -> None:
        self._client = door.client(role, officer=name)
        self._stub = self._client.stub(FollowUpServiceStub)

    async def do(self, method: str, lead: str, **more: Any) -> pb.FollowUp:  # noqa: ANN401 (fields of the request)
        request = getattr(pb, f"{method}Request")(**{"request_id": str(uuid.uuid4()), "name": lead, **more})
        answer: pb.FollowUp = await self._client.call(getattr(self._stub, method), request)
        return answer

    async def refused(self, method: str, lead: str, **more: Any) -> RenkeiError:  # noqa: ANN401 (the same)
        with pytest.raises(RenkeiError) as refused:
            await self.do(method, lead, **more)
        return refused.value

    async def many(self, step: str, *leads: pb.LeadToFollowUp, **more: Any) -> list[pb.LeadFollowUpResult]:  # noqa: ANN401
        request = pb.BatchFollowUpLeadsRequest(
            **{"request_id": str(uuid.uuid4()), "parent": AGENCY, "step": f"STEP_{step}", "leads": leads, **more}
        )
        return list((await self._client.call(self._stub.BatchFollowUpLeads, request)).results)

    async def history(self, lead: str, page_size: int = 0) -> list[pb.LeadStep]:
        request = pb.ListLeadStepsRequest(name=lead, page_size=page_size)
        return [step async for step in self._client.items(self._stub.ListLeadSteps, request, "steps")]


def kinds(steps: list[pb.LeadStep]) -> list[str]:
    return [KIND.Name(step.kind).removeprefix("KIND_") for step in steps]


def name_of(first: int) -> str:
    return f"{AGENCY}/leads/{lead_id(tip_name(first))}"
