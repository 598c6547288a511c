"""Carry out an act upon a case by the table, or refuse it: the one way in which a case ever changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from renkei_personas.domain.case import Act, Case, is_vacant, parts_of
from renkei_personas.domain.clocks import Clock, clocks_of, row_of
from renkei_personas.domain.effects import EFFECTS
from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.states import Halt, Part, Stage, State, TaskKind
from renkei_personas.domain.table import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from renkei_personas.domain.plan import Rules
    from renkei_personas.domain.row import Row

CLOCK_ROLE: Final = frozenset({"CLOCK"})
_ENDS_EXTENSION: Final = frozenset({State.EXPIRED, State.COMPROMISED, State.CLOSED})
_OF_EXTENSION: Final = frozenset({"RETURN", "REJECT", "APPROVE", "REPORT", "ACKNOWLEDGE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What came of an act: the case as it is now, and the tasks that were opened."""

    action: str
    case: Case
    opens: tuple[TaskKind, ...]


def decide(case: Case, act: Act, rules: Rules) -> Step:
    """Carry out an act. Raises Refused, and changes nothing then.

    Whoever has no part is refused first, then the state, the extension's stage and the document's, then each guard.
    """
    row = ROWS[act.action]
    _check_part(case, act, row)
    if case.state not in row.sources:
        raise Refused(row.elsewhere, state=case.state.name)
    _check_stage(case, row)
    _check_paper(case, act, row)
    for guard in row.guards:
        guard(case, act, rules)
    changed = _moved(EFFECTS.get(act.action, _nothing)(case, act, row), row)
    return Step(action=act.action, case=changed, opens=row.opens)


def action_on(case: Case, action: str) -> str:
    """Name the row that a decision about a plan is about: the extension's where there is one."""
    return f"{action}_EXTENSION" if action in _OF_EXTENSION and case.extension is not None else action


def strike(case: Case, now: datetime, rules: Rules) -> Iterator[tuple[Clock, Step]]:
    """Carry out every clock that is due, the earliest first, each upon the case that the one before left."""
    while True:
        clock = next((one for one in clocks_of(case, rules) if one.due <= now), None)
        if clock is None:
            return
        act = Act(action=row_of(clock, case), who="clock", roles=CLOCK_ROLE, now=now, document=clock.subject)
        step = decide(case, act, rules)
        case = step.case
        yield clock, step


def _nothing(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return case


def _check_part(case: Case, act: Act, row: Row) -> None:
    parts = parts_of(case, act) & row.parts
    if parts == {Part.SUPERVISOR} and is_vacant(case, act.now):
        raise Refused("SUPERVISOR_VACANT")
    if parts:
        return
    if row.parts == {Part.WITNESS}:
        raise Refused("NOT_A_WITNESS")
    raise Refused("NOT_YOUR_PART", parts=", ".join(sorted(part.name for part in row.parts)))


def _check_stage(case: Case, row: Row) -> None:
    if row.stages is None:
        return
    stage = case.extension.stage if case.extension is not None else None
    if stage not in row.stages:
        raise Refused("EXTENSION_PENDING" if None in row.stages else "NOT_SUBMITTED", state=_stage_name(stage))


def _stage_name(stage: Stage | None) -> str:
    return "NONE" if stage is None else stage.name


def _check_paper(case: Case, act: Act, row: Row) -> None:
    if row.papers is None:
        return
    document = case.document(act.document)
    if document is None or document.paper not in row.papers:
        raise Refused("DOCUMENT_STATE_FORBIDS", state="NONE" if document is None else document.paper.name)


def _moved(case: Case, row: Row) -> Case:
    if row.halts is not None and case.state == State.ACTIVE:
        return replace(case, state=State.SUSPENDED, halt=row.halts)
    if row.target is None:
        return case
    kept = None if row.target in _ENDS_EXTENSION else case.extension
    return replace(case, state=row.target, halt=_halt_after(case, row), extension=kept)


def _halt_after(case: Case, row: Row) -> Halt | None:
    """Keep why an operation was halted, to be read after its end; one that goes on is not halted."""
    return None if row.target == State.ACTIVE else case.halt
