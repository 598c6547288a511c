"""The rows about contacts with offenders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_personas.domain import guards as g
from renkei_personas.domain.row import BEGUN, CHAINED, CHIEF, ENDING, SUPERVISOR, TEAM, WHAT, Row, parts, states
from renkei_personas.domain.states import Halt, State, TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGS: Final = (g.in_period, g.post_filled, g.timely, g.observed_only)

CONTACT_ROWS: Final[Mapping[str, Row]] = {
    "LOG_REQUEST": Row(
        ja="相手方の求めの記録",
        en="log an offender's request",
        sources=states(State.ACTIVE),
        parts=parts(TEAM),
        guards=LOGS,
        records=CHAINED,
    ),
    "LOG_CONTACT": Row(
        ja="接触の記録",
        en="log a contact",
        sources=states(State.ACTIVE),
        parts=parts(TEAM),
        guards=LOGS,
        records=CHAINED,
    ),
    "REPORT_INCIDENT": Row(
        ja="事案の報告（自動中断）",
        en="report an incident, which halts the operation",
        sources=BEGUN | ENDING,
        parts=parts(TEAM, SUPERVISOR),
        halts=Halt.INCIDENT,
        opens=(TaskKind.REVIEW_CONTACTS,),
        records=("実施者・時刻・内容（連鎖ハッシュ）", "who, when, the words, chained"),
    ),
    "REVIEW_CONTACTS": Row(
        ja="接触記録の監督者確認",
        en="review contacts",
        sources=BEGUN | ENDING,
        parts=parts(SUPERVISOR, CHIEF),
        guards=(g.entry_waits, g.supervisors_to_review, g.reviewed_by_another),
        records=("実施者・時刻・確認範囲・所見", "who, when, up to which entry, remarks"),
    ),
    "DISCLOSE": Row(
        ja="識別子等の提供準備",
        en="prepare what is told of a contact",
        sources=BEGUN | ENDING,
        parts=parts(TEAM, SUPERVISOR),
        guards=(g.entry_exists,),
        records=WHAT,
    ),
}
