"""At the NPA: reports come in, are acknowledged once, and are counted in the shape that it publishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.personas.v1 import enums_pb2, events_pb2
from renkei.personas.v1.personas_pb2 import Plan

from renkei_chassis.follower.apply import SetAside
from renkei_personas.wiring import blueprint
from tests.personas.people import People
from tests.running import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.clock import ManualClock
    from renkei_personas.settings import Settings

NPA: Final = "agencies/jp-npa"
CHIBA: Final = "agencies/jp-12"


@pytest.fixture
async def npa(tmp_path: Path, kind: str, clock: ManualClock, settings: Settings) -> AsyncIterator[People]:
    del kind
    async with running(blueprint(settings), tmp_path, agency=NPA, clock=clock) as started:
        yield People(started, clock)


def a_report(
    agency: str = CHIBA, number: int = 1, *, version: int = 1, start: datetime | None = None, **more: int
) -> events_pb2.PersonaReported:
    told = events_pb2.PersonaReported(
        plan=f"{agency}/plans/00000000-0000-4000-8000-{number:012}",
        agency=agency,
        crime_code=Plan.CRIME_CODE_ROBBERY,
        document_count=2,
        version=version,
    )
    begin = start or datetime(2026, 1, 10, tzinfo=UTC)
    told.period_start.FromDatetime(begin)
    told.period_end.FromDatetime(begin + timedelta(days=30))
    for name, value in more.items():
        setattr(told, name, value)
    return told


def an_outcome(report: Any, outcome: enums_pb2.Outcome.ValueType, documents: int = 1) -> Any:  # noqa: ANN401
    return events_pb2.PersonaOutcomeReported(
        plan=report.plan,
        agency=report.agency,
        crime_code=report.crime_code,
        period_start=report.period_start,
        period_end=report.period_end,
        documents_issued=documents,
        outcome=outcome,
    )


async def test_a_report_is_acknowledged_once_and_to_who_made_it(npa: People) -> None:
    report = a_report()
    await npa.bring(report, origin=CHIBA)
    (waiting,) = (await npa.call("desk", "ListReports", parent=NPA, only_open=True)).reports

    wrong = await npa.refused("desk", "AcknowledgeReport", name=report.plan, version=2)
    done = await npa.call("desk", "AcknowledgeReport", name=report.plan, version=1)
    again = await npa.refused("desk", "AcknowledgeReport", name=report.plan, version=1)
    events = [event for event in await npa.running.service.log.events(after=0) if event.audience]

    assert (waiting.name, waiting.document_count) == (report.plan, 2)
    assert {wrong.reason, again.reason} == {"REPORT_VERSION_MISMATCH"}
    assert done.acknowledger.endswith("/officers/desk")
    assert [[entry.agency for entry in event.audience] for event in events] == [[CHIBA]]
    assert not (await npa.call("desk", "ListReports", parent=NPA, only_open=True)).reports


@pytest.mark.on_both
async def test_a_new_version_waits_for_an_acknowledgement_of_its_own(npa: People) -> None:
    await npa.bring(a_report(), origin=CHIBA)
    await npa.call("desk", "AcknowledgeReport", name=a_report().plan, version=1)

    await npa.bring(a_report(version=2, document_count=3), origin=CHIBA)
    await npa.bring(a_report(version=1), origin=CHIBA)  # late, and known
    (waiting,) = (await npa.call("desk", "ListReports", parent=NPA, only_open=True)).reports

    assert (waiting.version, waiting.document_count) == (2, 3)
    assert not waiting.HasField("acknowledge_time")


async def test_no_agency_reports_for_another(npa: People) -> None:
    for payload in (a_report(), an_outcome(a_report(), enums_pb2.OUTCOME_ARREST)):
        with pytest.raises(SetAside):
            await npa.bring(payload, origin="agencies/jp-13")
    strange = a_report()
    strange.plan = "agencies/jp-13/plans/1"

    with pytest.raises(SetAside):
        await npa.bring(strange, origin=CHIBA)

    assert not (await npa.call("desk", "ListReports", parent=NPA)).reports


async def test_an_outcome_of_what_was_never_reported_is_set_aside(npa: People) -> None:
    with pytest.raises(SetAside):
        await npa.bring(an_outcome(a_report(), enums_pb2.OUTCOME_ARREST), origin=CHIBA)


@pytest.mark.on_both
async def test_a_year_is_counted_by_offence_and_outcome(npa: People) -> None:
    """The year is that of the period's start in Japan: New Year there is nine hours before that of UTC."""
    new_year = datetime(2025, 12, 31, 15, tzinfo=UTC)
    reports = [
        a_report(number=1, start=new_year),
        a_report(number=2, start=new_year - timedelta(seconds=1)),
        a_report("agencies/jp-13", 3, crime_code=Plan.CRIME_CODE_FRAUD),
        a_report("agencies/jp-13", 4),
    ]
    for report in reports:
        await npa.bring(report, origin=report.agency)
    for report, outcome in zip(
        reports,
        (enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID, enums_pb2.OUTCOME_ARREST, enums_pb2.OUTCOME_ARREST),
        strict=False,
    ):
        await npa.bring(an_outcome(report, outcome), origin=report.agency)

    year = await npa.call("desk", "GetStatistics", parent=NPA, year=2026)

    assert (year.investigations, year.agencies, year.documents_issued) == (3, 2, 2)
    assert [(row.crime_code, row.outcome, row.investigations) for row in year.rows] == [
        (Plan.CRIME_CODE_ROBBERY, enums_pb2.OUTCOME_UNSPECIFIED, 1),
        (Plan.CRIME_CODE_ROBBERY, enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID, 1),
        (Plan.CRIME_CODE_FRAUD, enums_pb2.OUTCOME_ARREST, 1),
    ]


async def test_a_force_counts_its_own_and_acknowledges_nothing(people: People) -> None:
    active = await people.active()
    await people.document(active.name)
    await people.call("chief", "ClosePersona", name=active.name, outcome=enums_pb2.OUTCOME_ARREST, reason="(演習)")

    own = await people.call("chief", "GetStatistics", parent=CHIBA, year=2026)
    refused = await people.refused("desk", "AcknowledgeReport", name=a_report().plan, version=1)
    await people.bring(a_report("agencies/jp-13"), origin="agencies/jp-13")

    assert [(row.outcome, row.investigations) for row in own.rows] == [(enums_pb2.OUTCOME_ARREST, 1)]
    assert own.documents_issued == 1
    assert refused.reason == "NOT_THE_NPA"
    assert not (await people.call("desk", "ListReports", parent=CHIBA)).reports


async def test_nobody_but_the_desk_sees_reports(npa: People) -> None:
    for role in ("OFFICER", "SUPERVISOR", "HQ_CHIEF", "AUDITOR"):
        refused = await npa.refused("mori", "ListReports", role=role, parent=NPA)
        assert refused.reason == "ROLE_MISSING"


@pytest.mark.on_both
async def test_lists_go_on_page_by_page(npa: People) -> None:
    for number in range(5):
        await npa.bring(a_report(number=number), origin=CHIBA)

    first = await npa.call("desk", "ListReports", parent=NPA, page_size=3)
    second = await npa.call("desk", "ListReports", parent=NPA, page_size=3, page_token=first.next_page_token)

    names = [one.name for one in (*first.reports, *second.reports)]
    assert len(set(names)) == 5
    assert second.next_page_token == ""
