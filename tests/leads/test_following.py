"""Whatever people do while leads join, end and grow in any order: their word stays, and nothing unseen stays closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from renkei.leads.v1 import follow_up_pb2 as pb
from renkei.leads.v1.events_pb2 import LeadFollowedUp
from sqlalchemy import select

from renkei_chassis.clock import from_us
from renkei_chassis.database.transaction import Transaction
from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.identity import Principal, PrincipalKind
from renkei_leads import follow_up_rows, tables
from renkei_leads.domain import FollowUp, Sight, Standing, StepKind
from renkei_leads.domain.follow_up import settle
from renkei_leads.follow_up_rows import Followed
from renkei_leads.follow_up_rules import FollowUpRules
from renkei_leads.matching import Gone
from renkei_leads.settings import Settings
from renkei_leads.wiring import terms_of
from tests.leads.records import CHIBA
from tests.leads.worlds import IDENTIFIERS, NAMES, World, a_world, seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei_leads.content import Terms
    from renkei_leads.matching import Change, Seen
    from tests.leads.oracle import Expected

SATO, SUZUKI = (f"{CHIBA}/officers/{name}" for name in ("sato", "suzuki"))
TERMS: Final[Terms] = terms_of(Settings())
NEW, TAKEN, ACKNOWLEDGED, SNOOZED, CONFIRMED, DISMISSED = Standing
BY_ITSELF: Final = {StepKind.GREW, StepKind.JOINED, StepKind.CARRIED_OVER}
CLOSED: Final = {ACKNOWLEDGED, SNOOZED, CONFIRMED, DISMISSED}


@dataclass(frozen=True, kw_only=True)
class Try:
    """Somebody tries a step with one of the leads that there are."""

    step: str
    actor: str
    which: int


# The slow model of the steps: from which standings, whether only the holder may, where to, and who holds the lead then.
STEPS: Final[Mapping[str, tuple[set[Standing], str, Standing | None, str]]] = {
    "take": ({NEW, ACKNOWLEDGED, SNOOZED}, "nobody", TAKEN, "actor"),
    "assign": ({NEW, TAKEN, ACKNOWLEDGED, SNOOZED}, "anybody", TAKEN, SUZUKI),
    "assign_unit": ({NEW, TAKEN, ACKNOWLEDGED, SNOOZED}, "anybody", NEW, ""),
    "hand_over": ({NEW, TAKEN, ACKNOWLEDGED, SNOOZED}, "holder", TAKEN, SUZUKI),
    "acknowledge": ({NEW, SNOOZED}, "nobody", ACKNOWLEDGED, ""),
    "snooze": ({NEW, TAKEN, ACKNOWLEDGED, SNOOZED}, "holder", SNOOZED, "same"),
    "confirm": ({NEW, TAKEN, ACKNOWLEDGED, SNOOZED}, "holder", CONFIRMED, ""),
    "dismiss": ({NEW, TAKEN, ACKNOWLEDGED, SNOOZED}, "holder", DISMISSED, ""),
    "reopen": ({CONFIRMED, DISMISSED}, "anybody", NEW, ""),
}
MORE: Final[Mapping[str, dict[str, Any]]] = {
    "assign": {"assignee": SUZUKI},
    "assign_unit": {"unit": "2課"},
    "hand_over": {"assignee": SUZUKI},
}


class Desk:
    """People before a world of leads, and what each of them saw."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rules = FollowUpRules(agency=CHIBA, terms=TERMS)
        self.seen: dict[str, set[tuple[str, ...]]] = {}

    def followed(self) -> dict[str, Followed]:
        rows = self.world.connection.execute(select(tables.follow_ups.c.lead))
        return follow_up_rows.find_many(self.world.connection, [row.lead for row in rows])

    def standing(self, lead: str) -> FollowUp:
        return self.followed().get(lead, Followed(lead=lead)).follow_up

    def attempt(self, one: Try) -> None:
        """Take a step, and compare what became of it with the slow model."""
        leads = sorted(self.world.live())
        if not leads:
            return
        lead = leads[one.which % len(leads)]
        before = self.standing(lead)
        sources, who, target, holder = STEPS[one.step]
        allowed = before.standing in sources and (
            who == "anybody" or not before.holder or (who == "holder" and before.holder == one.actor)
        )

        refused = self._call(one, lead)

        after = self.standing(lead)
        assert (refused is None) == allowed
        if refused is None:
            held = {"actor": one.actor, "same": before.holder}.get(holder, holder)
            assert (after.standing, after.holder) == (target, held)
            assert not after.has_grown
        else:
            assert after == before
            is_held = before.holder and one.step != "reopen"
            assert refused.reason == ("LEAD_HELD" if is_held else "FOLLOW_UP_REFUSED")

    def _call(self, one: Try, lead: str) -> FailedPrecondition | None:
        self.world.now_us += 1
        transaction = Transaction(self.world.connection, now_us=self.world.now_us)
        caller = Principal(
            subject=one.actor,
            agency=CHIBA,
            roles=frozenset(),
            kind=PrincipalKind.OFFICER,
            token_id="",
            expire_time=from_us(0),
        )
        method = one.step.removesuffix("_unit")
        kind = getattr(pb, f"{method.title().replace('_', '')}LeadRequest")
        request = kind(name=f"{CHIBA}/leads/{lead}", **MORE.get(one.step, {}))
        if one.step == "snooze":
            request.snooze_end_time.FromMicroseconds(self.world.now_us + 3_600_000_000)
        try:
            getattr(self.rules, method)(transaction, request, caller)
        except FailedPrecondition as refused:
            return refused
        transaction.complete()
        for event in transaction.events:
            assert isinstance(event.payload, LeadFollowedUp)
            self.world.followed[lead] = event.payload
        return None


TRIES: Final = st.builds(
    Try, step=st.sampled_from(sorted(STEPS)), actor=st.sampled_from([SATO, SUZUKI]), which=st.integers(0, 9)
)


@st.composite
def interleaved(draw: st.DrawFn) -> list[tuple[list[Change], list[Try]]]:
    """Draw records that come, change and go, so that a few leads join and part all the time, and what people try.

    Phones link whatever has them, so that a record with two of them is a bridge.
    """
    history: list[tuple[list[Change], list[Try]]] = []
    for version in range(1, draw(st.integers(2, 10))):
        changes: list[Change] = []
        for name in draw(st.lists(st.sampled_from(NAMES[:6]), min_size=1, max_size=3, unique=True)):
            phones = draw(st.lists(st.sampled_from(IDENTIFIERS[:2]), max_size=2, unique=True))
            provenance = draw(st.sampled_from([1, 5]))
            sites = [(phone, provenance, 1, None, None) for phone in phones]
            changes.append(seen(name, version, *sites) if phones else Gone(name=name, version=version))
        history.append((changes, draw(st.lists(TRIES, max_size=2))))
    return history


def check_change(
    desk: Desk, before: Mapping[str, Followed], was: Mapping[str, Expected], homes: dict[str, str]
) -> None:
    """Compare what a change of leads did to people's word with what it may do."""
    now, after = desk.world.expected(), desk.followed()
    assert before.keys() <= after.keys(), "a row is never lost"
    for lead, row in after.items():
        old = before.get(lead, Followed(lead=lead))
        if lead not in now:
            assert row == old, "an ended lead keeps what was done about it"
            continue
        if old.follow_up.holder and lead in was:
            assert row.follow_up.holder == old.follow_up.holder, "whoever holds a lead goes on holding it"
    for lead, is_now in now.items():
        row = after.get(lead, Followed(lead=lead))
        givers = {homes[name] for name in is_now.records if name in homes and homes[name] not in now}
        if any(before[giver].follow_up.holder for giver in givers if giver in before):
            known = lead in before and before[lead].follow_up.act_us
            assert row.follow_up.holder or known, "and whoever held one that ended holds what goes on"


def check_always(desk: Desk) -> None:
    now = desk.world.expected()
    steps = desk.world.connection.execute(
        select(tables.lead_steps).order_by(tables.lead_steps.c.lead, tables.lead_steps.c.number)
    ).all()
    taken: dict[str, list[Any]] = {}
    for step in steps:
        taken.setdefault(step.lead, []).append(step)
    followed = desk.followed()
    assert followed.keys() == taken.keys()
    for lead, row in followed.items():
        mine = taken[lead]
        assert [step.number for step in mine] == list(range(1, row.steps + 1)), "steps are numbered without a gap"
        last = mine[-1]
        assert (last.standing, last.holder) == (row.follow_up.standing, row.follow_up.holder)
        assert (desk.world.followed[lead].kind, desk.world.followed[lead].number) == (last.kind, row.steps)
        assert all(bool(step.actor) == (step.kind not in BY_ITSELF) for step in mine)
        if lead in now and row.follow_up.standing in CLOSED:
            seen, is_now = row.follow_up.seen, Sight.of(now[lead].records, state=now[lead].state, evidence=0)
            assert is_now.records <= seen.records, "nothing that nobody saw stays closed"
            assert is_now.state <= seen.state


@given(interleaved())
@settings(max_examples=40)
def test_what_people_did_survives_every_change_of_leads(history: list[tuple[list[Change], list[Try]]]) -> None:
    with a_world() as world:
        desk = Desk(world)
        for batch, tries in history:
            before, was = desk.followed(), world.expected()
            world.bring(batch)
            check_change(desk, before, was, {name: lead for lead, each in was.items() for name in each.records})
            check_always(desk)
            for one in tries:
                desk.attempt(one)
            check_always(desk)


@given(interleaved(), st.permutations(NAMES), st.integers(1, 4))
@settings(max_examples=40)
def test_finding_every_lead_anew_changes_nothing_that_people_did(
    history: list[tuple[list[Change], list[Try]]], order: Sequence[str], size: int
) -> None:
    """A rebuild empties what is found and reads the records again, in another order and other batches.

    Where an identifier becomes too common on the way there is evidence for a moment that was never there before, and
    what it touches may come back: so here none does.
    """
    with a_world(bound=len(NAMES)) as world:
        desk = Desk(world)
        for batch, tries in history:
            world.bring(batch)
            for one in tries:
                desk.attempt(one)
        before, live = desk.followed(), world.live()
        records = [world.visible[name] for name in order if name in world.visible]

        rebuild(world, records, size)

        assert world.live() == live
        after = desk.followed()
        for lead, row in before.items():
            if lead in live:
                assert after[lead].follow_up == row.follow_up
            assert after[lead].steps >= row.steps


def test_a_lead_that_was_carried_over_and_given_back_is_not_carried_over_again() -> None:
    """Finding anew meets the old lead for a moment, with its old holder: others have decided since."""
    with a_world(bound=len(NAMES)) as world:
        desk = Desk(world)
        first, *later = ([_with_phone(number) for number in those] for those in ((2, 3), (1,), (4,)))
        world.bring(first)
        desk.attempt(Try(step="assign", actor=SATO, which=0))
        for batch in later:
            world.bring(batch)
            desk.attempt(Try(step="assign_unit", actor=SATO, which=0))
        world.bring([_with_phone(5)])
        (lead,) = world.live()
        before = desk.standing(lead)

        rebuild(world, [*first, *(change for batch in later for change in batch), _with_phone(5)], 2)

        assert (before.standing, before.holder, before.has_grown) == (NEW, "", True)
        assert desk.standing(lead) == before


def _with_phone(number: int) -> Seen:
    return seen(NAMES[number], 1, (IDENTIFIERS[0], 5, 1, None, None))


A, AB, ABC = (Sight.of(names, state=1, evidence=1) for names in ("a", "ab", "abc"))
HELD: Final = FollowUp(standing=TAKEN, holder=SATO, seen=A, act_us=1)


@pytest.mark.parametrize(
    ("own", "ended", "now", "expected"),
    [
        pytest.param(None, {}, AB, [], id="nobody did anything"),
        pytest.param(FollowUp(standing=DISMISSED, seen=ABC, act_us=9), {"x": HELD}, AB, [], id="all of it was seen"),
        pytest.param(HELD, {}, AB, [("GREW", "", TAKEN, SATO)], id="what is held grows and stays"),
        pytest.param(replace(HELD, has_grown=True), {}, AB, [], id="once"),
        pytest.param(
            FollowUp(standing=SNOOZED, holder=SATO, seen=A, act_us=1, snooze_end_us=5),
            {},
            AB,
            [("GREW", "", TAKEN, SATO)],
            id="what is put off comes back to its holder",
        ),
        pytest.param(
            FollowUp(standing=CONFIRMED, seen=A, act_us=1),
            {},
            replace(A, state=2),
            [("GREW", "", NEW, "")],
            id="surer",
        ),
        pytest.param(
            FollowUp(standing=CONFIRMED, seen=A, act_us=1),
            {},
            replace(A, evidence=2),
            [("GREW", "", NEW, "")],
            id="more evidence",
        ),
        pytest.param(
            FollowUp(standing=DISMISSED, unit="2課", seen=A, act_us=9),
            {"x": HELD},
            AB,
            [("CARRIED_OVER", "x", TAKEN, SATO), ("GREW", "", TAKEN, SATO)],
            id="whoever holds one that ended goes on",
        ),
        pytest.param(
            replace(HELD, holder=SUZUKI),
            {"x": replace(HELD, act_us=9)},
            AB,
            [("JOINED", "x", TAKEN, SUZUKI), ("GREW", "", TAKEN, SUZUKI)],
            id="but not before its own holder",
        ),
        pytest.param(
            None,
            {"x": FollowUp(standing=DISMISSED, seen=AB, act_us=3), "y": FollowUp(standing=CONFIRMED, seen=A, act_us=2)},
            AB,
            [("CARRIED_OVER", "x", DISMISSED, ""), ("JOINED", "y", DISMISSED, "")],
            id="the last word on what ended",
        ),
    ],
)
def test_a_change_of_a_lead_settles_what_people_did(
    own: FollowUp | None, ended: dict[str, FollowUp], now: Sight, expected: list[tuple[str, str, Standing, str]]
) -> None:
    steps = settle(own, ended, now)

    assert [(kind.name, lead, after.standing, after.holder) for kind, lead, after in steps] == expected
    assert all(after.unit == (own.unit if own is not None else "") for _, _, after in steps)


def rebuild(world: World, records: Sequence[Seen], size: int) -> None:
    for table in (tables.records, tables.identifiers, tables.occurrences, tables.leads, tables.lead_records):
        world.connection.execute(table.delete())
    world.visible, world.places, world.told = {}, {}, {}
    for start in range(0, len(records), size):
        world.bring(records[start : start + size])
