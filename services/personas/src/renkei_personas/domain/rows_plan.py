"""The rows about plans and their extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_personas.domain import guards as g
from renkei_personas.domain.row import (
    BEING_WRITTEN,
    CHIEF,
    DRAFTER,
    GOING,
    HASHED,
    NPA,
    SENT,
    SUPERVISOR,
    WHEN,
    WHY,
    Row,
    parts,
    states,
)
from renkei_personas.domain.states import Stage, State

if TYPE_CHECKING:
    from collections.abc import Mapping

WAITS: Final[frozenset[Stage | None]] = frozenset({Stage.SUBMITTED})

PLAN_ROWS: Final[Mapping[str, Row]] = {
    "UPDATE": Row(
        ja="計画の修正",
        en="change a plan being written",
        sources=BEING_WRITTEN,
        parts=parts(DRAFTER),
        elsewhere="PLAN_FROZEN",
    ),
    "SUBMIT": Row(
        ja="提出",
        en="submit",
        sources=BEING_WRITTEN,
        target=State.SUBMITTED,
        parts=parts(DRAFTER),
        guards=(g.plan_whole,),
        records=("起案者・時刻・計画ハッシュ", "who, when, the hash"),
    ),
    "RETURN": Row(
        ja="差戻し",
        en="return",
        sources=states(State.SUBMITTED),
        target=State.RETURNED,
        parts=parts(CHIEF),
        guards=(g.uninvolved, g.hash_read),
        elsewhere="NOT_SUBMITTED",
        records=WHY,
    ),
    "REJECT": Row(
        ja="不承認",
        en="reject",
        sources=states(State.SUBMITTED),
        target=State.REJECTED,
        parts=parts(CHIEF),
        guards=(g.uninvolved, g.hash_read),
        elsewhere="NOT_SUBMITTED",
        records=WHY,
    ),
    "APPROVE": Row(
        ja="承認",
        en="approve one hash",
        sources=states(State.SUBMITTED),
        target=State.APPROVED,
        parts=parts(CHIEF),
        guards=(g.uninvolved, g.hash_read, g.still_possible),
        elsewhere="NOT_SUBMITTED",
        records=HASHED,
    ),
    "REPORT": Row(
        ja="警察庁への報告",
        en="report to the NPA",
        sources=states(State.APPROVED),
        target=State.NPA_REPORTED,
        parts=parts(SUPERVISOR, CHIEF),
        guards=(g.approval_valid,),
        records=SENT,
    ),
    "ACKNOWLEDGE": Row(
        ja="警察庁の受理",
        en="the NPA acknowledges",
        sources=states(State.NPA_REPORTED),
        target=State.READY,
        parts=parts(NPA),
        records=WHEN,
    ),
    "EXTEND": Row(
        ja="延長の提出",
        en="submit an extension",
        sources=GOING,
        parts=parts(DRAFTER),
        guards=(g.extension_valid,),
        stages=frozenset({None, Stage.RETURNED}),
        stage=Stage.SUBMITTED,
        records=("起案者・時刻・計画ハッシュ", "who, when, the hash"),
    ),
    "RETURN_EXTENSION": Row(
        ja="延長の差戻し",
        en="return an extension",
        sources=GOING,
        parts=parts(CHIEF),
        guards=(g.uninvolved, g.hash_read),
        stages=WAITS,
        stage=Stage.RETURNED,
        records=WHY,
    ),
    "REJECT_EXTENSION": Row(
        ja="延長の不承認",
        en="reject an extension",
        sources=GOING,
        parts=parts(CHIEF),
        guards=(g.uninvolved, g.hash_read),
        stages=WAITS,
        records=WHY,
    ),
    "APPROVE_EXTENSION": Row(
        ja="延長の承認",
        en="approve one hash of an extension",
        sources=GOING,
        parts=parts(CHIEF),
        guards=(g.uninvolved, g.hash_read, g.still_possible),
        stages=WAITS,
        stage=Stage.APPROVED,
        records=HASHED,
    ),
    "REPORT_EXTENSION": Row(
        ja="延長の警察庁への報告",
        en="report an extension to the NPA",
        sources=GOING,
        parts=parts(SUPERVISOR, CHIEF),
        guards=(g.extension_approval_valid,),
        stages=frozenset({Stage.APPROVED}),
        stage=Stage.NPA_REPORTED,
        records=SENT,
    ),
    "ACKNOWLEDGE_EXTENSION": Row(
        ja="延長の受理",
        en="the NPA acknowledges an extension, which is in force now",
        sources=GOING,
        parts=parts(NPA),
        guards=(g.still_possible, g.extension_approval_valid),
        stages=frozenset({Stage.NPA_REPORTED}),
        records=WHEN,
    ),
}
