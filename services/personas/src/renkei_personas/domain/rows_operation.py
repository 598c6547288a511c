"""The rows about the operation, from its beginning to the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_personas.domain import guards as g
from renkei_personas.domain.row import (
    ANYBODY,
    BEGUN,
    CHIEF,
    EVERY,
    GOING,
    NOT_BEGUN,
    OPEN,
    SUPERVISOR,
    WHAT,
    WHOLE_TEAM,
    WHY,
    Row,
    parts,
    states,
)
from renkei_personas.domain.states import Halt, State, TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

GOES_ON: Final = (g.acknowledged, g.crime_allowed, g.in_period, g.safe, g.deconflicted)
BEGINS: Final = (g.approval_valid, *GOES_ON)

OPERATION_ROWS: Final[Mapping[str, Row]] = {
    "DECONFLICT": Row(
        ja="競合確認の記録",
        en="record that others were asked",
        sources=GOING,
        parts=parts(SUPERVISOR),
        records=WHY,
    ),
    "ACTIVATE": Row(
        ja="開始",
        en="activate",
        sources=states(State.READY),
        target=State.ACTIVE,
        parts=parts(SUPERVISOR),
        guards=BEGINS,
    ),
    "SUSPEND": Row(
        ja="中断",
        en="suspend by hand",
        sources=states(State.ACTIVE),
        parts=WHOLE_TEAM,
        halts=Halt.BY_HAND,
        records=WHY,
    ),
    "RESUME": Row(
        ja="再開",
        en="resume",
        sources=states(State.SUSPENDED),
        target=State.ACTIVE,
        parts=parts(SUPERVISOR),
        guards=(*GOES_ON, g.no_incident, g.reviewed_in_time),
        records=WHY,
    ),
    "COMPROMISE": Row(
        ja="身分露見",
        en="the identity was noticed",
        sources=NOT_BEGUN | BEGUN | {State.EXPIRED},
        target=State.COMPROMISED,
        parts=WHOLE_TEAM,
        opens=(TaskKind.SAFETY,),
        records=WHY,
    ),
    "REPORT_DANGER": Row(
        ja="危険の報告（拒否されない・実施中は中断）",
        en="report danger: never refused; what is under way is halted",
        sources=EVERY,
        parts=parts(ANYBODY),
        halts=Halt.DANGER,
        opens=(TaskKind.SAFETY,),
        records=("報告者・時刻・内容・留意点", "who, when, what, and flags"),
    ),
    "SETTLE_DANGER": Row(
        ja="安全確保の完了",
        en="the safety task is done",
        sources=EVERY,
        parts=parts(SUPERVISOR, CHIEF),
        records=WHY,
    ),
    "COMPLETE_TASK": Row(
        ja="任務の完了",
        en="another task is done",
        sources=EVERY,
        parts=parts(SUPERVISOR, CHIEF),
        records=WHY,
    ),
    "VACATE": Row(
        ja="監督者の欠員",
        en="the supervisor's post is, or will be, vacant",
        sources=EVERY - {State.ARCHIVED},
        parts=WHOLE_TEAM,
        records=WHY,
    ),
    "APPOINT": Row(
        ja="監督者の任命",
        en="appoint a supervisor",
        sources=EVERY - {State.ARCHIVED},
        parts=parts(CHIEF),
        guards=(g.suitable_supervisor,),
        records=WHAT,
    ),
    "CLOSE": Row(
        ja="終了",
        en="close with an outcome",
        sources=OPEN,
        target=State.CLOSED,
        parts=parts(SUPERVISOR, CHIEF),
        guards=(g.outcome_fits,),
        records=("実施者・時刻・結果・理由", "who, when, outcome, why"),
    ),
    "ARCHIVE": Row(
        ja="保管",
        en="archive",
        sources=states(State.CLOSED),
        target=State.ARCHIVED,
        parts=parts(SUPERVISOR, CHIEF),
        guards=(g.documents_settled, g.no_incident, g.contacts_reviewed, g.safe),
    ),
}
