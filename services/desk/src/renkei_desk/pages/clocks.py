"""逮捕・勾留: the clocks of custody that run, soonest due first, each with what is left of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Clock

from renkei_desk.rendering import moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from renkei.arrests.v1.clocks_pb2 import ListClocksResponse, RunningClock

_ALL: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """One clock of the board."""

    name: str
    arrest: str
    kind: str
    """`KIND_TO_PROSECUTOR`."""
    due: datetime
    seconds: float
    """What is left; of one that is overdue, how long it has been so, below 0."""
    percent: int
    """How much of its time has passed, 0 to 100."""
    overdue: bool
    warned_level: int
    acknowledger: str
    escalation_desk: str
    case: str

    @property
    def waits(self) -> bool:
        """Say whether somebody is to answer a warning."""
        return bool(self.warned_level) and not self.acknowledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A page of the board."""

    rows: Sequence[ClockRow]
    waiting: int
    next_page_token: str


def view(answer: ListClocksResponse, *, now: datetime) -> Board:
    """Take what is shown, in the order of the service."""
    rows = [_row(clock, now) for clock in answer.clocks]
    return Board(rows=rows, waiting=sum(row.waits for row in rows), next_page_token=answer.next_page_token)


def _row(clock: RunningClock, now: datetime) -> ClockRow:
    start, due = moment_of(clock.start_time), moment_of(clock.due_time)
    whole = max((due - start).total_seconds(), 1.0)
    passed = (now - start).total_seconds()
    return ClockRow(
        name=clock.name,
        arrest=clock.arrest,
        kind=Clock.Kind.Name(clock.kind),
        due=due,
        seconds=(due - now).total_seconds(),
        percent=_ALL if clock.overdue else max(0, min(_ALL, int(passed / whole * _ALL))),
        overdue=clock.overdue,
        warned_level=clock.warned_level,
        acknowledger=clock.acknowledger if clock.HasField("acknowledge_time") else "",
        escalation_desk=clock.escalation_desk if clock.HasField("escalate_time") else "",
        case=clock.case_reference,
    )
