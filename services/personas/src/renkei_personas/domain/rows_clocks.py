"""The rows that carry themselves out: what a clock does, and only ever makes stricter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_personas.domain.row import (
    AFTER_APPROVAL,
    BEGUN,
    CLOCK,
    ENDING,
    EVERY,
    GOING,
    NOT_BEGUN,
    WHEN,
    Row,
    parts,
    states,
)
from renkei_personas.domain.states import Halt, Paper, Stage, State, TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK_ROWS: Final[Mapping[str, Row]] = {
    "PERIOD_ENDS": Row(
        ja="期間満了（実施中は中断）",
        en="the period ends: what is under way is halted",
        sources=states(State.ACTIVE),
        parts=parts(CLOCK),
        halts=Halt.PERIOD_ENDED,
        opens=(TaskKind.CLOSE,),
        records=WHEN,
    ),
    "NEVER_BEGUN": Row(
        ja="未開始のまま期限切れ",
        en="the approval lapses or the period ends before the beginning",
        sources=NOT_BEGUN,
        target=State.EXPIRED,
        parts=parts(CLOCK),
        opens=(TaskKind.CLOSE,),
        records=WHEN,
    ),
    "EXTENSION_LAPSES": Row(
        ja="延長の承認の失効（計画はそのまま・再提出できる）",
        en="the approval of an extension lapses: the plan in force goes on, and another can be submitted",
        sources=GOING,
        parts=parts(CLOCK),
        opens=(TaskKind.RENEW_EXTENSION,),
        stages=frozenset({Stage.APPROVED, Stage.NPA_REPORTED}),
        records=WHEN,
    ),
    "WIND_DOWN_ENDS": Row(
        ja="中断のまま期限切れ",
        en="a halted operation whose period ended expires for good",
        sources=states(State.SUSPENDED),
        target=State.EXPIRED,
        parts=parts(CLOCK),
        opens=(TaskKind.CLOSE,),
        records=WHEN,
    ),
    "POST_FALLS_VACANT": Row(
        ja="監督者欠員の到来",
        en="the supervisor's post falls vacant",
        sources=EVERY - {State.ARCHIVED},
        parts=parts(CLOCK),
        halts=Halt.VACANCY,
        opens=(TaskKind.APPOINT_SUPERVISOR,),
        records=WHEN,
    ),
    "REVIEW_FALLS_DUE": Row(
        ja="接触記録の確認期限の徒過",
        en="a contact waited too long for review",
        sources=BEGUN | ENDING,
        parts=parts(CLOCK),
        halts=Halt.REVIEW_OVERDUE,
        opens=(TaskKind.REVIEW_CONTACTS,),
        records=WHEN,
    ),
    "LEGAL_BASIS_ENDS": Row(
        ja="法的根拠の失効（実施中は中断）",
        en="the legal basis that allows the crime ends: what is under way is halted",
        sources=states(State.ACTIVE),
        parts=parts(CLOCK),
        halts=Halt.LEGAL_BASIS,
        opens=(TaskKind.CLOSE,),
        records=WHEN,
    ),
    "HOLD_FALLS_DUE": Row(
        ja="公判保管の見直し日の到来",
        en="a hold for trial must be reviewed",
        sources=AFTER_APPROVAL | {State.ARCHIVED},
        parts=parts(CLOCK),
        opens=(TaskKind.REVIEW_HOLD,),
        papers=frozenset({Paper.HELD, Paper.DESTROY_ORDERED}),
        records=WHEN,
    ),
}
