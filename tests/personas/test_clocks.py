"""Clocks: they work alone, fire once, survive restarts and turned clocks, and only ever make things stricter."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from renkei.personas.v1 import documents_pb2, enums_pb2, personas_pb2
from renkei.personas.v1.personas_pb2 import Persona

from renkei_chassis.database.retention import see_hour
from renkei_personas.settings import Settings
from renkei_personas.wiring import blueprint
from tests.personas.people import START, People, a_plan, officer
from tests.running import AGENCY, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.clock import ManualClock

TASK = enums_pb2.TaskKind


async def until(people: People, persona: str, action: str) -> Persona:
    """Wait until something happened by itself; the looking is the clocks' own, nobody calls a method that writes."""
    async with asyncio.timeout(20):
        while action not in await people.actions(persona):  # noqa: ASYNC110 (another task sets no event)
            await asyncio.sleep(0.01)
    found: Persona = await people.read(persona)
    return found


async def test_the_period_ends_by_itself(people: People) -> None:
    active = await people.active(days=10)
    people.clock.advance(timedelta(days=10).total_seconds())

    halted = await until(people, active.name, "PERIOD_ENDS")

    assert (halted.state, halted.suspend_reason) == (Persona.STATE_SUSPENDED, enums_pb2.SUSPEND_REASON_PERIOD_ENDED)
    assert [task.kind for task in await people.tasks(active.name)] == [TASK.TASK_KIND_CLOSE]
    resumed = await people.refused("suzuki", "ResumePersona", name=active.name, reason="(演習)")
    assert resumed.reason == "OUT_OF_PERIOD"


async def test_an_approval_that_is_not_used_lapses(people: People) -> None:
    ready = await people.ready(days=60)
    people.clock.advance(timedelta(days=30).total_seconds())

    expired = await until(people, ready.name, "NEVER_BEGUN")

    assert expired.state == Persona.STATE_EXPIRED


async def test_a_halted_operation_expires_for_good_after_its_time_to_wind_down(people: People) -> None:
    active = await people.active(days=10)
    people.clock.advance(timedelta(days=10).total_seconds())
    await until(people, active.name, "PERIOD_ENDS")
    people.clock.advance(timedelta(days=14).total_seconds())

    expired = await until(people, active.name, "WIND_DOWN_ENDS")

    assert expired.state == Persona.STATE_EXPIRED


async def test_a_vacancy_that_was_announced_halts_on_its_day(people: People) -> None:
    active = await people.active()
    when = people.clock.now() + timedelta(days=2)
    request = personas_pb2.ReportVacancyRequest()
    request.vacancy_time.FromDatetime(when)
    told = await people.call(
        "suzuki", "ReportVacancy", name=active.name, reason="(演習)異動", vacancy_time=request.vacancy_time
    )
    people.clock.set(when)

    halted = await until(people, active.name, "POST_FALLS_VACANT")

    assert told.state == Persona.STATE_ACTIVE
    assert (halted.state, halted.supervisor) == (Persona.STATE_SUSPENDED, "")
    assert [task.kind for task in await people.tasks(active.name)] == [TASK.TASK_KIND_APPOINT_SUPERVISOR]


async def test_a_contact_that_nobody_reviews_halts(people: People) -> None:
    active = await people.active()
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    people.clock.advance(timedelta(hours=72).total_seconds())

    halted = await until(people, active.name, "REVIEW_FALLS_DUE")
    overdue = await people.refused("suzuki", "ResumePersona", name=active.name, reason="(演習)")
    await people.call("suzuki", "ReviewContacts", parent=active.name, through_number=1, note="(演習)")
    resumed = await people.call("suzuki", "ResumePersona", name=active.name, reason="(演習)")

    assert halted.suspend_reason == enums_pb2.SUSPEND_REASON_REVIEW_OVERDUE
    assert overdue.reason == "REVIEW_OVERDUE"
    assert resumed.state == Persona.STATE_ACTIVE


@pytest.mark.on_both
async def test_a_hold_for_trial_asks_for_its_review_once(people: People) -> None:
    active = await people.active(days=80)
    document = await people.document(active.name)
    request = documents_pb2.HoldDocumentRequest()
    request.review_time.FromDatetime(people.clock.now() + timedelta(days=5))
    await people.call(
        "suzuki", "HoldDocument", name=document.name, reason="(演習)公判", review_time=request.review_time
    )
    people.clock.advance(timedelta(days=6).total_seconds())

    await until(people, active.name, "HOLD_FALLS_DUE")
    people.clock.advance(timedelta(days=6).total_seconds())
    await people.call("suzuki", "SuspendPersona", name=active.name, reason="(演習)")  # looks at every clock, too

    assert (await people.actions(active.name)).count("HOLD_FALLS_DUE") == 1


@pytest.fixture
def restarting(tmp_path: Path, kind: str, clock: ManualClock) -> Restarting:
    del kind
    return Restarting(tmp_path, clock)


class Restarting:
    """A service that is stopped and started again over the same database."""

    def __init__(self, directory: Path, clock: ManualClock) -> None:
        self.directory = directory
        self.clock = clock

    @asynccontextmanager
    async def service(self, *, review_hours: int = 72) -> AsyncIterator[People]:
        settings = Settings(clock_seconds=0.02, review_hours=review_hours)
        async with running(blueprint(settings), self.directory, clock=self.clock) as started:
            yield People(started, self.clock)


@pytest.mark.on_both
async def test_clocks_that_fall_due_while_the_node_is_off_strike_once_at_its_start(restarting: Restarting) -> None:
    async with restarting.service() as people:
        active = await people.active(days=10)
    restarting.clock.advance(timedelta(days=40).total_seconds())
    async with restarting.service() as people:
        expired = await until(people, active.name, "WIND_DOWN_ENDS")
    async with restarting.service() as people:
        await people.refused("suzuki", "ActivatePersona", name=active.name)
        actions = await people.actions(active.name)

    assert expired.state == Persona.STATE_EXPIRED
    assert [actions.count(name) for name in ("PERIOD_ENDS", "WIND_DOWN_ENDS")] == [1, 1]


async def test_an_extension_that_lapses_while_the_node_is_off_opens_one_task(restarting: Restarting) -> None:
    async with restarting.service() as people:
        active = await people.active(days=60)
        asked = await people.call("sato", "ExtendPersona", name=active.name, plan=a_plan(begin=START, days=80))
        await people.call("chief", "ApprovePersona", name=active.name, plan_hash=asked.extension.plan_hash)
    restarting.clock.advance(timedelta(days=31).total_seconds())
    async with restarting.service() as people:
        lapsed = await until(people, active.name, "EXTENSION_LAPSES")
        restarting.clock.set(START + timedelta(days=1))  # behind for a while, and put right
        await people.refused("suzuki", "RecordDeconfliction", name=active.name, reason="(演習)")
        restarting.clock.set(START + timedelta(days=40))
    async with restarting.service() as people:
        await people.call("suzuki", "RecordDeconfliction", name=active.name, reason="(演習)")
        tasks = await people.tasks(active.name)

        assert lapsed.state == Persona.STATE_ACTIVE
        assert [task.kind for task in tasks] == [TASK.TASK_KIND_RENEW_EXTENSION]
        await people.call("suzuki", "CompleteTask", name=tasks[0].name, note="(演習)再提出しない")
        assert not await people.tasks(active.name)


async def test_a_stricter_setting_counts_from_the_next_start_on(restarting: Restarting) -> None:
    """What a clock's time was computed with is the setting of that day, and is computed anew."""
    async with restarting.service() as people:
        active = await people.active()
        await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    restarting.clock.advance(timedelta(hours=2).total_seconds())
    async with restarting.service(review_hours=1) as people:
        halted = await until(people, active.name, "REVIEW_FALLS_DUE")

    assert halted.state == Persona.STATE_SUSPENDED


async def test_a_clock_that_was_turned_back_takes_nothing_back(restarting: Restarting) -> None:
    async with restarting.service() as people:
        active = await people.active(days=10)
        restarting.clock.advance(timedelta(days=11).total_seconds())
        await until(people, active.name, "PERIOD_ENDS")
        restarting.clock.set(START + timedelta(days=1))

        refused = await people.refused("suzuki", "ResumePersona", name=active.name, reason="(演習)")
        still = await people.read(active.name)

    assert refused.code.name == "UNAVAILABLE"  # nothing is written by a clock that stands behind the log
    assert still.state == Persona.STATE_SUSPENDED


async def test_a_clock_that_jumped_ahead_only_ended_things(restarting: Restarting) -> None:
    async with restarting.service() as people:
        active, waiting = await people.active(days=10), await people.submitted(days=10)
        restarting.clock.advance(timedelta(days=365).total_seconds())
        await until(people, active.name, "WIND_DOWN_ENDS")
        approved = await people.refused("chief", "ApprovePersona", name=waiting.name, plan_hash=waiting.plan_hash)

    assert approved.reason == "PERIOD_INVALID"


@pytest.mark.on_both
async def test_an_acknowledgement_that_comes_too_late_changes_nothing_and_breaks_nothing(people: People) -> None:
    """The clock strikes in the same transaction in which the acknowledgement is refused; both must be whole."""
    found = await people.approved(days=10)
    await people.call("suzuki", "ReportPersona", name=found.name)
    people.clock.advance(timedelta(days=11).total_seconds())

    await people.acknowledge(found.name)
    expired = await until(people, found.name, "NEVER_BEGUN")
    closed = await people.call(
        "chief", "ClosePersona", name=found.name, outcome=enums_pb2.OUTCOME_NOT_USED, reason="(演習)"
    )

    assert expired.state == Persona.STATE_EXPIRED
    assert closed.state == Persona.STATE_CLOSED
    assert (await people.actions(found.name))[-2:] == ["NEVER_BEGUN", "CLOSE"]


async def test_an_acknowledgement_of_another_agency_or_version_is_none(people: People) -> None:
    found = await people.approved()
    await people.call("suzuki", "ReportPersona", name=found.name)

    with pytest.raises(Exception, match="FOREIGN_ORIGINATOR"):
        await people.acknowledge(found.name, npa="agencies/jp-13")

    assert (await people.read(found.name)).state == Persona.STATE_NPA_REPORTED


async def test_longer_needs_a_new_version_and_the_whole_approval_anew(people: People) -> None:
    active = await people.active(days=20)
    longer = a_plan(begin=START, days=40, document_count=2)
    asked = await people.call("sato", "ExtendPersona", name=active.name, plan=longer)
    meanwhile = await people.refused("chief", "ApprovePersona", name=active.name, plan_hash=active.plan_hash)
    await people.call("chief", "ApprovePersona", name=active.name, plan_hash=asked.extension.plan_hash)
    await people.call("suzuki", "ReportPersona", name=active.name)
    before = await people.read(active.name)
    await people.acknowledge(active.name)
    after = await people.read(active.name)
    plans = (await people.call("sato", "ListPlanVersions", parent=active.name)).plans

    assert meanwhile.reason == "PLAN_HASH_MISMATCH"
    assert (before.plan_version, before.plan.document_count) == (1, 1)
    assert (after.plan_version, after.plan.document_count) == (2, 2)
    assert after.state == Persona.STATE_ACTIVE
    assert [one.plan_hash for one in plans] == [active.plan_hash, after.plan_hash]
    assert officer("chief") == after.approver
    assert AGENCY in active.name


@pytest.mark.on_both
async def test_nothing_is_done_by_a_clock_that_this_node_saw_later_before(restarting: Restarting) -> None:
    """Off for weeks and started with an old clock: no event tells, but the hours in which the node ran do."""
    async with restarting.service() as people:
        active, waiting = await people.active(days=80), await people.submitted(days=10)
        began = restarting.clock.now()
        restarting.clock.advance(timedelta(days=20).total_seconds())
        await saw_the_hour(people)
    restarting.clock.set(began + timedelta(days=1))
    approve = {"name": waiting.name, "plan_hash": waiting.plan_hash}
    async with restarting.service() as people:
        approved = await people.refused("chief", "ApprovePersona", **approve)
        entry = people.contact()
        logged = await people.refused("sato", "LogContact", parent=active.name, contact=entry)
        await people.call("ito", "ReportDanger", name=active.name, text="(演習)")
        halted = await people.read(active.name)
        restarting.clock.advance(timedelta(days=19).total_seconds())
        right = await people.refused("chief", "ApprovePersona", **approve)

    assert [one.code.name for one in (approved, logged)] == ["UNAVAILABLE", "UNAVAILABLE"]
    assert halted.suspend_reason == enums_pb2.SUSPEND_REASON_DANGER
    assert right.reason == "PERIOD_INVALID"


async def saw_the_hour(people: People) -> None:
    """Have the service note the hour, as it does by itself once an hour."""
    await people.running.service.writer.run(see_hour)
