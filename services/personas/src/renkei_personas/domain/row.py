"""What a row of the table of transitions says, and the sets of states and parts that rows are written with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_personas.domain.states import Halt, Paper, Part, Stage, State, TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_personas.domain.case import Act, Case
    from renkei_personas.domain.plan import Rules

    Guard = Callable[[Case, Act, Rules], None]

DRAFTER, TEAM, SUPERVISOR, CUSTODIAN = Part.DRAFTER, Part.TEAM, Part.SUPERVISOR, Part.CUSTODIAN
CHIEF, NPA, WITNESS, CLOCK, ANYBODY = Part.CHIEF, Part.NPA, Part.WITNESS, Part.CLOCK, Part.ANYBODY
EVERY: Final = frozenset(State)
BEING_WRITTEN: Final = frozenset({State.DRAFT, State.RETURNED})
NOT_BEGUN: Final = frozenset({State.APPROVED, State.NPA_REPORTED, State.READY})
GOING: Final = frozenset({State.READY, State.ACTIVE, State.SUSPENDED})
BEGUN: Final = frozenset({State.ACTIVE, State.SUSPENDED})
ENDING: Final = frozenset({State.EXPIRED, State.COMPROMISED, State.CLOSED})
AFTER_APPROVAL: Final = NOT_BEGUN | BEGUN | ENDING
OPEN: Final = EVERY - {State.CLOSED, State.ARCHIVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One transition.

    `target` None: the state stays. `halts`: an operation under way is halted for that reason.
    `stages` and `stage` are about the extension, `papers` and `paper` about the document, in the same way.
    """

    ja: str
    en: str
    sources: frozenset[State]
    parts: frozenset[Part]
    target: State | None = None
    guards: tuple[Guard, ...] = ()
    halts: Halt | None = None
    opens: tuple[TaskKind, ...] = ()
    stages: frozenset[Stage | None] | None = None
    stage: Stage | None = None
    papers: frozenset[Paper] | None = None
    paper: Paper | None = None
    elsewhere: str = "STATE_FORBIDS"
    """The reason of a refusal in any other state."""
    records: tuple[str, str] = ("実施者・時刻", "who, when")


def states(*states: State) -> frozenset[State]:
    """Name states."""
    return frozenset(states)


def parts(*parts: Part) -> frozenset[Part]:
    """Name parts."""
    return frozenset(parts)


WHOLE_TEAM: Final = parts(DRAFTER, TEAM, SUPERVISOR, CUSTODIAN, CHIEF)
WHY: Final = ("実施者・時刻・理由", "who, when, why")
WHAT: Final = ("実施者・時刻・対象", "who, when, of what")
HASHED: Final = ("決裁者・時刻・計画ハッシュ", "who, when, the hash")
SENT: Final = (
    "実施者・時刻（計画番号・罪種・期間・数のみ送る）",
    "who, when; only plan id, crime, period and counts are sent",
)
CHAINED: Final = ("実施者・時刻・相手方・内容（連鎖ハッシュ）", "who, when, with whom, the words, chained")
WHEN: Final = ("時刻", "when")
