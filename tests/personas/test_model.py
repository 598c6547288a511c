"""Every configuration within reach is lawful, none is stuck, and planted mistakes are found."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import pytest

from renkei_personas.domain import clocks, decide, effects, guards
from renkei_personas.domain.effects import EFFECTS
from renkei_personas.domain.row import EVERY
from renkei_personas.domain.states import ClockKind, Paper, Part, Stage, State
from renkei_personas.domain.table import ROWS
from tests.personas.model import ViolatedError, explore
from tests.personas.models import MODELS, SHORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEAST: Final = {
    "plans": 20_000,
    "extension": 5_000,
    "posts": 1_000,
    "documents": 4_000,
    "later records": 5_000,
    "contacts": 20_000,
}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.usefixtures("untraced")]


@pytest.mark.parametrize("name", MODELS)
def test_every_reachable_configuration_is_lawful_and_none_is_stuck(name: str) -> None:
    """A bound that shrinks by accident would prove less, so it has a floor."""
    explored = explore(MODELS[name])

    assert len(explored.worlds) >= LEAST[name]
    assert State.ARCHIVED in explored.states
    if name == "plans":
        assert explored.states == set(State)


def row(action: str, **changes: Any) -> Any:  # noqa: ANN401
    """Plant a mistake in a row."""
    return mock.patch.object(decide, "ROWS", {**ROWS, action: replace(ROWS[action], **changes)})


def without(action: str, *left_out: Callable[..., None], **changes: Any) -> Any:  # noqa: ANN401
    """Plant a row that lacks a guard."""
    kept = tuple(guard for guard in ROWS[action].guards if guard not in left_out)
    assert len(kept) == len(ROWS[action].guards) - len(left_out)
    return row(action, guards=kept, **changes)


def effect(action: str, does: Callable[..., Any]) -> Any:  # noqa: ANN401
    """Plant another effect."""
    return mock.patch.object(decide, "EFFECTS", {**EFFECTS, action: does})


def no_effect(action: str) -> Any:  # noqa: ANN401
    return effect(action, lambda case, _act, _row: case)


def _take_at_once(case: Any, act: Any, a_row: Any) -> Any:  # noqa: ANN401
    return effects._take_over(effects._move_extension(case, act, a_row), act, a_row)


def _one_witness(case: Any, act: Any, _row: Any) -> Any:  # noqa: ANN401
    document = case.document(act.document)
    return case.with_document(replace(document, witnessed=(act.who,), paper=Paper.DESTROYED))


def _forgetting(case: Any, act: Any, a_row: Any) -> Any:  # noqa: ANN401
    return replace(effects._move_extension(case, act, a_row), approvers=frozenset({act.who}))


def _forgetting_who(case: Any, act: Any, a_row: Any) -> Any:  # noqa: ANN401
    return replace(effects._appoint(case, act, a_row), supervisors=frozenset())


def _no_lapse() -> Any:  # noqa: ANN401
    """Let every clock run but that of an extension's approval."""
    real = clocks.clocks_of

    def without_it(case: Any, rules: Any) -> Any:  # noqa: ANN401
        return [one for one in real(case, rules) if one.kind != ClockKind.EXTENSION_APPROVAL]

    return mock.patch.object(decide, "clocks_of", without_it)


@contextmanager
def _no_clocks() -> Iterator[None]:
    with mock.patch.object(decide, "clocks_of", return_value=[]):
        yield


def _custodian_asks_too() -> Any:  # noqa: ANN401
    """Take both locks away: a custodian may ask for a document, and may issue what he asked for."""
    asks, issues = ROWS["REQUEST_DOCUMENT"], ROWS["ISSUE_DOCUMENT"]
    kept = tuple(guard for guard in issues.guards if guard is not guards.two_people)
    rows = {
        "REQUEST_DOCUMENT": replace(asks, parts=asks.parts | {Part.CUSTODIAN}),
        "ISSUE_DOCUMENT": replace(issues, guards=kept),
    }
    return mock.patch.object(decide, "ROWS", {**ROWS, **rows})


def _anybody_witnesses() -> Any:  # noqa: ANN401
    """Take both locks away: who is named as a witness, and who has no part when he says so."""
    once = tuple(guard for guard in ROWS["WITNESS_DESTRUCTION"].guards if guard is not guards.witness_unrelated)
    rows = {
        "DESTROY_DOCUMENT": replace(ROWS["DESTROY_DOCUMENT"], guards=()),
        "WITNESS_DESTRUCTION": replace(ROWS["WITNESS_DESTRUCTION"], guards=once),
    }
    return mock.patch.object(decide, "ROWS", {**ROWS, **rows})


BUGS: Final[dict[str, tuple[str, Callable[[], Any]]]] = {
    "begins before the NPA acknowledged": (
        "plans",
        lambda: without(
            "ACTIVATE",
            guards.acknowledged,
            guards.deconflicted,  # which can only be recorded afterwards
            sources=frozenset({State.NPA_REPORTED, State.READY}),
        ),
    ),
    "begins after its period": ("plans", lambda: without("ACTIVATE", guards.in_period)),
    "begins in danger": ("plans", lambda: without("ACTIVATE", guards.safe)),
    "begins without asking others": ("plans", lambda: without("ACTIVATE", guards.deconflicted)),
    "begins with an approval that lapsed": ("plans", lambda: without("ACTIVATE", guards.approval_valid)),
    "begins by anybody": ("plans", lambda: row("ACTIVATE", parts=frozenset({Part.SUPERVISOR, Part.CUSTODIAN}))),
    "danger halts nothing": ("operation", lambda: row("REPORT_DANGER", halts=None)),
    "goes on in danger": ("operation", lambda: without("RESUME", guards.safe)),
    "goes on after the identity was noticed": (
        "operation",
        lambda: row("RESUME", sources=frozenset({State.SUSPENDED, State.COMPROMISED})),
    ),
    "approves another hash": ("plans", lambda: without("APPROVE", guards.hash_read)),
    "approves by somebody involved": ("plans", lambda: without("APPROVE", guards.uninvolved)),
    "approves what was rejected": (
        "plans",
        lambda: row("APPROVE", sources=frozenset({State.SUBMITTED, State.REJECTED}), guards=()),
    ),
    "lets a plan be changed after its approval": (
        "plans",
        lambda: row("UPDATE", sources=frozenset({State.DRAFT, State.APPROVED, State.READY})),
    ),
    "a supervisor who left goes on": (
        "plans",
        lambda: mock.patch.object(decide, "is_vacant", return_value=False),
    ),
    "a vacancy halts nothing": ("operation", lambda: row("POST_FALLS_VACANT", halts=None)),
    "the end of the period halts nothing": ("operation", lambda: row("PERIOD_ENDS", halts=None)),
    "no clock ever strikes": ("operation", _no_clocks),
    "a clock wakes what is halted": ("extension", lambda: row("WIND_DOWN_ENDS", target=State.READY)),
    "danger can be refused": ("plans", lambda: row("REPORT_DANGER", sources=EVERY - {State.ARCHIVED})),
    "anybody says that the danger is over": (
        "plans",
        lambda: row("SETTLE_DANGER", parts=frozenset({Part.TEAM, Part.CHIEF})),
    ),
    "a compromise cannot be closed": (
        "operation",
        lambda: row("CLOSE", sources=ROWS["CLOSE"].sources - {State.COMPROMISED}),
    ),
    "a compromise is archived with its danger open": ("plans", lambda: without("ARCHIVE", guards.safe)),
    "an extension is in force before the NPA knows": (
        "extension",
        lambda: mock.patch.multiple(
            decide,
            EFFECTS={**EFFECTS, "APPROVE_EXTENSION": _take_at_once},
            ROWS={**ROWS, "APPROVE_EXTENSION": replace(ROWS["APPROVE_EXTENSION"], stage=Stage.APPROVED)},
        ),
    ),
    "an approval of an extension that never lapses": ("extension", _no_lapse),
    "an extension goes on with an approval that lapsed": (
        "extension",
        lambda: without("ACKNOWLEDGE_EXTENSION", guards.extension_approval_valid),
    ),
    "an extension is reported with an approval that lapsed": (
        "extension",
        lambda: without("REPORT_EXTENSION", guards.extension_approval_valid),
    ),
    "a lapse takes the plan in force with it": (
        "extension",
        lambda: row("EXTENSION_LAPSES", target=State.READY),
    ),
    "the first approver is forgotten": ("posts", lambda: effect("APPROVE_EXTENSION", _forgetting)),
    "who supervised in between approves": ("posts", lambda: effect("APPOINT", _forgetting_who)),
    "an extension is approved by another hash": ("extension", lambda: without("APPROVE_EXTENSION", guards.hash_read)),
    "more documents than planned": ("documents", lambda: without("REQUEST_DOCUMENT", guards.documents_left)),
    "a document of one person": ("documents", _custodian_asks_too),
    "a document issued after the period": (
        "documents",
        lambda: without("ISSUE_DOCUMENT", guards.in_period),
    ),
    "shown without being asked": (
        "documents",
        lambda: without("PRESENT_DOCUMENT", guards.was_asked, guards.is_asker),
    ),
    "shown twice on one request": (
        "documents",
        lambda: effect("PRESENT_DOCUMENT", lambda case, _act, _row: case),
    ),
    "shown to another account": ("documents", lambda: without("PRESENT_DOCUMENT", guards.is_asker)),
    "the original is shown": ("documents", lambda: without("PRESENT_DOCUMENT", guards.is_image)),
    "shown while it is halted": (
        "documents",
        lambda: row("PRESENT_DOCUMENT", sources=frozenset({State.ACTIVE, State.SUSPENDED})),
    ),
    "shown although a record says the same": (
        "later records",
        lambda: without("PRESENT_DOCUMENT", guards.not_collided),
    ),
    "handed out although a record says the same": (
        "later records",
        lambda: without("HAND_OUT_DOCUMENT", guards.not_collided),
    ),
    "a hit that is forgotten": ("later records", lambda: no_effect("COLLIDE")),
    "anybody says that a hit is none": (
        "later records",
        lambda: row("SETTLE_COLLISION", parts=frozenset({Part.TEAM, Part.CHIEF})),
    ),
    "archived with a document left": ("documents", lambda: without("ARCHIVE", guards.documents_settled)),
    "one witness is enough": ("documents", lambda: effect("WITNESS_DESTRUCTION", _one_witness)),
    "the custodian is a witness": ("documents", _anybody_witnesses),
    "a witness who came to supervise": (
        "documents",
        lambda: without("WITNESS_DESTRUCTION", guards.witness_unrelated),
    ),
    "held without a review to come": ("documents", lambda: without("HOLD_DOCUMENT", guards.review_ahead)),
    "a hold that is told of again and again": ("documents", lambda: no_effect("HOLD_FALLS_DUE")),
    "an entry that describes taking part": ("contacts", lambda: without("LOG_CONTACT", guards.observed_only)),
    "a backdated entry": ("contacts", lambda: without("LOG_CONTACT", guards.timely)),
    "goes on with an open incident": ("contacts", lambda: without("RESUME", guards.no_incident)),
    "an overdue review halts nothing": ("contacts", lambda: row("REVIEW_FALLS_DUE", halts=None)),
    "archived with a contact that nobody reviewed": ("contacts", lambda: without("ARCHIVE", guards.contacts_reviewed)),
    "logged while it is halted": (
        "contacts",
        lambda: row("LOG_CONTACT", sources=frozenset({State.ACTIVE, State.SUSPENDED})),
    ),
    "a supervisor reviews his own incident": (
        "contacts",
        lambda: without("REVIEW_CONTACTS", guards.reviewed_by_another),
    ),
    "the chief reviews whatever he likes": (
        "contacts",
        lambda: without("REVIEW_CONTACTS", guards.supervisors_to_review),
    ),
    "a review by anybody": ("a day of contacts", lambda: row("REVIEW_CONTACTS", parts=frozenset({Part.CHIEF}))),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_mistake_is_found(bug: str) -> None:
    model, plant = BUGS[bug]

    with plant(), pytest.raises(ViolatedError):
        explore({**MODELS, **SHORT}[model])
