"""The table of transitions: from where, to where, by whom, under which guards, and what is recorded. Data, and no code.

Japanese police work is written about in Japanese: every row says itself in both languages, and docs/personas.md is
made from the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_personas.domain.rows_clocks import CLOCK_ROWS
from renkei_personas.domain.rows_contacts import CONTACT_ROWS
from renkei_personas.domain.rows_documents import DOCUMENT_ROWS
from renkei_personas.domain.rows_operation import OPERATION_ROWS
from renkei_personas.domain.rows_plan import PLAN_ROWS
from renkei_personas.domain.states import ClockKind, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_personas.domain.row import Row

ROWS: Final[Mapping[str, Row]] = {**PLAN_ROWS, **OPERATION_ROWS, **DOCUMENT_ROWS, **CONTACT_ROWS, **CLOCK_ROWS}

STRIKES: Final[Mapping[ClockKind, Mapping[State | None, str]]] = {
    ClockKind.PERIOD: {State.ACTIVE: "PERIOD_ENDS", None: "NEVER_BEGUN"},
    ClockKind.APPROVAL: {None: "NEVER_BEGUN"},
    ClockKind.WIND_DOWN: {None: "WIND_DOWN_ENDS"},
    ClockKind.VACANCY: {None: "POST_FALLS_VACANT"},
    ClockKind.CONTACT_REVIEW: {None: "REVIEW_FALLS_DUE"},
    ClockKind.HOLD_REVIEW: {None: "HOLD_FALLS_DUE"},
    ClockKind.LEGAL_BASIS: {None: "LEGAL_BASIS_ENDS"},
    ClockKind.EXTENSION_APPROVAL: {None: "EXTENSION_LAPSES"},
}
"""Which row a clock carries out: that of the state, or the one that holds otherwise."""
