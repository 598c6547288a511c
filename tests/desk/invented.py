"""Invented leads and records."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from renkei.arrests.v1.arrests_pb2 import Clock
from renkei.arrests.v1.clocks_pb2 import RunningClock
from renkei.identifiers.v1.identifiers_pb2 import (
    IDENTIFIER_TYPE_HANDLE,
    IDENTIFIER_TYPE_PHONE,
    PROVENANCE_ADVERTISEMENT,
    PROVENANCE_TIP,
    PROVENANCE_WITHHELD_ASK_ORIGINATOR,
    RELATION_MENTIONED,
)
from renkei.leads.v1.follow_up_pb2 import FollowUp
from renkei.leads.v1.leads_pb2 import Evidence, EvidenceRecord, Lead, LeadRecord
from renkei.policy.v1.handling_pb2 import Handling
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.tips_pb2 import Grading, Tip

from tests.desk.fakes import AGENCY

NOW: Final = Timestamp(seconds=1_704_067_200)


def lead_name(number: int) -> str:
    return f"{AGENCY}/leads/00000000-0000-8000-8000-{number:012d}"


def tip_name(number: int, agency: str = AGENCY) -> str:
    return f"{agency}/tips/00000000-0000-7000-8000-{number:012d}"


def lead(
    number: int = 1,
    *,
    state: Lead.State.ValueType = Lead.STATE_CANDIDATE,
    caveat: str = "",
    follow_up: FollowUp.State.ValueType = FollowUp.STATE_NEW,
    **more: Any,  # noqa: ANN401 (any other field of its follow-up)
) -> Lead:
    """A lead of two records: a strong number, a weak handle, and one source that is withheld."""
    names = [tip_name(10 * number), tip_name(10 * number + 1, "agencies/jp-13")]
    return Lead(
        name=lead_name(number),
        state=state,
        create_time=NOW,
        update_time=NOW,
        explanation_ja="演習データの説明",
        explanation_en="an invented explanation",
        follow_up=FollowUp(lead=lead_name(number), state=follow_up, etag=f"etag{number}", **more),
        records=[
            LeadRecord(name=names[0], version=1, caveat=caveat, contact_desk="演習窓口"),
            LeadRecord(name=names[1], version=1, grade=GRADE_FULL),
        ],
        evidence=[
            Evidence(
                type=IDENTIFIER_TYPE_PHONE,
                normal_form="+819012345678",
                strength=Evidence.STRENGTH_STRONG,
                records=[
                    EvidenceRecord(name=names[0], provenance=PROVENANCE_ADVERTISEMENT, relation=RELATION_MENTIONED),
                    EvidenceRecord(
                        name=names[1], provenance=PROVENANCE_WITHHELD_ASK_ORIGINATOR, relation=RELATION_MENTIONED
                    ),
                ],
            ),
            Evidence(
                type=IDENTIFIER_TYPE_HANDLE,
                normal_form="renkei_demo",
                strength=Evidence.STRENGTH_WEAK,
                records=[
                    EvidenceRecord(name=name, provenance=PROVENANCE_TIP, relation=RELATION_MENTIONED) for name in names
                ],
            ),
        ],
    )


def arrest_name(number: int, agency: str = AGENCY) -> str:
    return f"{agency}/arrests/00000000-0000-7000-8000-{number:012d}"


def clock(number: int = 1, *, now: int, left: int = 3600, warned: int = 0, **more: Any) -> RunningClock:  # noqa: ANN401 (any other field)
    """The 48 hours of an arrest, of which so many seconds are left."""
    return RunningClock(
        name=f"{arrest_name(number)}/clocks/to-prosecutor",
        arrest=arrest_name(number),
        kind=Clock.KIND_TO_PROSECUTOR,
        start_time=Timestamp(seconds=now + left - 48 * 3600),
        due_time=Timestamp(seconds=now + left),
        overdue=left < 0,
        warned_level=warned,
        **more,
    )


def tip(number: int = 10, *, text: str = "演習データ", title: str = "題", caveat: str = "", version: int = 1) -> Tip:
    return Tip(
        name=tip_name(number),
        version=version,
        source=Tip.SOURCE_OFFICER,
        grading=Grading(reliability=Grading.RELIABILITY_B, accuracy=Grading.ACCURACY_2),
        handling=Handling(purpose_code="training", caveat=caveat),
        display_name=title,
        text=text,
        create_time=NOW,
        observe_time=NOW,
    )
