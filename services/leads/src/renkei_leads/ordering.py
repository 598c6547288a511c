"""In which order leads are listed, and where in it each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, case, func, tuple_

from renkei_leads.domain import Standing, State
from renkei_leads.tables import follow_ups, leads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select

    Place = tuple[str | int, ...]
    """Where a lead stands in an order: the values of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order by some columns, the last of which is the lead's id."""

    columns: Sequence[ColumnElement[Any]]
    descending: bool = False

    def page(self, statement: Select[Any], *, after: Place | None, limit: int) -> Select[Any]:
        """Let a statement give the next leads after a place, each with its own place as its last columns."""
        if after is not None:
            place = tuple_(*self.columns)
            statement = statement.where(place < after if self.descending else place > after)
        statement = statement.add_columns(*self.columns)
        return statement.order_by(*(each.desc() if self.descending else each for each in self.columns)).limit(limit)

    def place(self, row: Row[Any]) -> Place:
        """Tell where the lead of such a row stands."""
        return tuple(row[-len(self.columns) :])


# About a lead without a row nobody did anything; the time to look at it runs from when it was found.
STANDING: Final[ColumnElement[int]] = func.coalesce(follow_ups.c.standing, int(Standing.NEW))
_SINCE: Final = case((follow_ups.c.update_us > 0, follow_ups.c.update_us), else_=leads.c.create_us)
_WAITS: Final = STANDING.in_([int(Standing.NEW)])
_KINDS: Final = {int(State.SUPPORTED): 0, int(State.CANDIDATE): 1}

LAST_CHANGED: Final = Order(columns=(leads.c.update_us, leads.c.id), descending=True)
URGENCY: Final = Order(
    columns=(
        case(_KINDS, value=leads.c.state, else_=len(_KINDS)),
        case((_WAITS, 0), else_=1),
        # All leads of a kind have the same time to be looked at.
        case((_WAITS, _SINCE), else_=-leads.c.update_us),
        leads.c.id,
    )
)
