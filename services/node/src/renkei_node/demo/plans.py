"""The act about a fictitious-identity investigation: two people, and nothing of it leaves."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from renkei.personas.v1 import personas_pb2
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub

from renkei_files import JAPAN
from renkei_node.demo.agencies import label
from renkei_node.demo.columns import NOTE
from renkei_node.demo.play import ClaimError
from renkei_node.demo.told import TOKYO

if TYPE_CHECKING:
    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told


async def plan(play: Play, told: Told) -> None:
    """Claim that a plan needs a second person; that nothing of it is elsewhere is checked in the files."""
    told.say(
        "7. A plan for a fictitious-identity investigation needs a second person's approval; nothing of it leaves Tokyo"
    )
    agency = f"agencies/{TOKYO}"
    markers = play.markers()
    plan = personas_pb2.Plan(
        crime_code=personas_pb2.Plan.CRIME_CODE_ROBBERY,
        necessity=f"({NOTE}){markers.planted_text}",
        alternatives=f"({NOTE}){markers.planted_home}",
        unit=f"({NOTE})",
        supervisor=f"{agency}/officers/suzuki",
        custodian=f"{agency}/officers/tanaka",
        document_count=1,
        officers_consent=True,
        team=[f"{agency}/officers/sato"],
        supervisor_rank=personas_pb2.Plan.RANK_INSPECTOR,
    )
    now = datetime.now(JAPAN)
    plan.period_start.FromDatetime(now)
    plan.period_end.FromDatetime(now + timedelta(days=30))
    handler = play.federation.client(TOKYO, "personas", officer="sato")
    chief = play.federation.client(TOKYO, "personas", officer="chief", role="HQ_CHIEF")
    submit = personas_pb2.SubmitPersonaRequest(request_id=str(uuid.uuid4()), parent=agency, plan=plan)
    submitted = await handler.call(handler.stub(PersonasServiceStub).SubmitPersona, submit)
    play.journal.plans[submitted.name] = markers
    approve = personas_pb2.ApprovePersonaRequest(
        request_id=str(uuid.uuid4()), name=submitted.name, plan_hash=submitted.plan_hash
    )
    approved = await chief.call(chief.stub(PersonasServiceStub).ApprovePersona, approve)
    if approved.state != personas_pb2.Persona.STATE_APPROVED or approved.approver == approved.drafter:
        raise ClaimError("the plan was not approved by a second person")
    words = f"drafted by one officer, approved by the chief, and only this very text (hash {approved.plan_hash[:12]}…)"
    told.say(f"   {label(TOKYO)}: {words}")
