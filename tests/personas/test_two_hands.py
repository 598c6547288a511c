"""Two hands stay two: over time, over changes of post, and whatever roles one token carries."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2
from renkei.personas.v1.personas_pb2 import Persona, Plan
from sqlalchemy import create_engine, select

from renkei_chassis.database.schema import migrate
from renkei_personas.store import tables
from renkei_personas.store.tables import SCHEMA
from tests.personas.before import back_to
from tests.personas.people import a_legend, a_plan, officer
from tests.personas.test_clocks import until

if TYPE_CHECKING:
    from tests.personas.people import People

INSPECTOR = Plan.RANK_INSPECTOR
WHY: Any = {"reason": "(演習)"}
EVERY_ROLE = ("OFFICER", "SUPERVISOR", "CUSTODIAN", "HQ_CHIEF")


async def extended(people: People, name: str, *, days: int, count: int = 2) -> Any:  # noqa: ANN401
    """Submit an extension and have it approved and reported."""
    begin = people.clock.now()
    found = await people.read(name)
    plan = Plan.FromString(found.plan.SerializeToString())
    plan.period_end.FromDatetime(begin + timedelta(days=days))
    plan.document_count = count
    asked = await people.call("sato", "ExtendPersona", name=name, plan=plan)
    await people.call("chief", "ApprovePersona", name=name, plan_hash=asked.extension.plan_hash)
    return await people.call("suzuki", "ReportPersona", name=name)


async def appoint(people: People, name: str, who: str, *, by: str = "chief") -> Any:  # noqa: ANN401
    return await people.call(
        by, "AppointSupervisor", role="HQ_CHIEF", name=name, supervisor=officer(who), rank=INSPECTOR
    )


@pytest.mark.on_both
async def test_the_approval_of_an_extension_lapses_and_another_can_be_submitted(people: People) -> None:
    active = await people.active(days=60)
    reported = await extended(people, active.name, days=85)
    people.clock.advance(timedelta(days=30).total_seconds())

    lapsed = await until(people, active.name, "EXTENSION_LAPSES")
    await people.acknowledge(active.name)  # what the NPA says now is about nothing any more
    late = await people.read(active.name)
    await extended(people, active.name, days=85, count=3)
    await people.acknowledge(active.name)
    in_force = await people.read(active.name)

    assert [clock.kind for clock in reported.clocks] == [
        enums_pb2.CLOCK_KIND_EXTENSION_APPROVAL,
        enums_pb2.CLOCK_KIND_PERIOD,
    ]
    assert lapsed.state == late.state == Persona.STATE_ACTIVE
    assert not lapsed.HasField("extension")
    assert (late.plan_version, late.plan.document_count) == (1, 1)
    assert in_force.plan.document_count == 3
    assert (await people.actions(active.name)).count("EXTENSION_LAPSES") == 1
    assert [task.kind for task in await people.tasks(active.name)] == [enums_pb2.TASK_KIND_RENEW_EXTENSION]


async def test_a_late_word_about_a_lapsed_extension_is_none_about_the_next(people: People) -> None:
    active = await people.active(days=60)
    await extended(people, active.name, days=85)
    events = await people.running.service.log.events(after=0)
    old = [event for event in events if event.type.endswith("PersonaReported")][-1]
    people.clock.advance(timedelta(days=30).total_seconds())
    await until(people, active.name, "EXTENSION_LAPSES")
    await extended(people, active.name, days=85, count=3)

    await people.acknowledge(active.name, of=old)
    before = await people.read(active.name)
    await people.acknowledge(active.name)
    after = await people.read(active.name)

    assert before.HasField("extension")
    assert (before.plan_version, after.plan_version) == (1, 3)


async def test_a_supervisor_does_not_review_what_he_reported_and_the_chief_does(people: People) -> None:
    active = await people.active()
    contact = people.contact(conduct=contacts_pb2.Contact.CONDUCT_PROPOSED)
    await people.call("suzuki", "ReportIncident", parent=active.name, contact=contact)
    review: Any = {"parent": active.name, "through_number": 1, "note": "(演習)"}

    own = await people.refused("suzuki", "ReviewContacts", **review)
    both = await people.refused("suzuki", "ReviewContacts", role="HQ_CHIEF", **review)
    await people.call("chief", "ReviewContacts", **review)
    resumed = await people.call("suzuki", "ResumePersona", name=active.name, **WHY)

    assert own.reason == both.reason == "OWN_INCIDENT"
    assert "本部長" in own.metadata["ja"]
    assert resumed.state == Persona.STATE_ACTIVE
    assert [one.reason for one in await people.refusals()] == ["OWN_INCIDENT", "OWN_INCIDENT"]


async def test_the_supervisor_who_comes_after_reviews_it_too(people: People) -> None:
    active = await people.active()
    contact = people.contact(conduct=contacts_pb2.Contact.CONDUCT_PROPOSED)
    await people.call("suzuki", "ReportIncident", parent=active.name, contact=contact)
    await appoint(people, active.name, "mori")
    review: Any = {"parent": active.name, "through_number": 1, "note": "(演習)"}

    chief = await people.refused("chief", "ReviewContacts", **review)
    reviewed = await people.call("mori", "ReviewContacts", **review)

    assert chief.reason == "NOT_YOUR_PART"
    assert reviewed.reviewed == 1


async def test_the_chief_reviews_nothing_that_the_supervisor_can(people: People) -> None:
    active = await people.active()
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    contact = people.contact(conduct=contacts_pb2.Contact.CONDUCT_PROPOSED)
    await people.call("kato", "ReportIncident", parent=active.name, contact=contact)
    await people.call("suzuki", "ReportIncident", parent=active.name, contact=contact)

    before_it = await people.refused("chief", "ReviewContacts", parent=active.name, through_number=2, note="(演習)")
    reviewed = await people.call("suzuki", "ReviewContacts", parent=active.name, through_number=2, note="(演習)")
    rest = await people.call("chief", "ReviewContacts", parent=active.name, through_number=3, note="(演習)")

    assert before_it.reason == "NOT_YOUR_PART"
    assert (reviewed.reviewed, rest.reviewed) == (2, 1)


async def test_who_approved_first_is_not_forgotten_when_an_extension_is_in_force(people: People) -> None:
    active = await people.active(days=20)
    begin = people.clock.now()
    plan = a_plan(begin=begin, days=40)
    asked = await people.call("sato", "ExtendPersona", name=active.name, plan=plan)
    approve = {"name": active.name, "plan_hash": asked.extension.plan_hash}
    await people.call("abe", "ApprovePersona", role="HQ_CHIEF", **approve)
    await people.call("suzuki", "ReportPersona", name=active.name)
    await people.acknowledge(active.name)

    for who in ("chief", "abe"):
        refused = await people.refused(
            "ito", "AppointSupervisor", role="HQ_CHIEF", name=active.name, supervisor=officer(who), rank=INSPECTOR
        )
        assert refused.reason == "SUPERVISOR_UNSUITABLE", who


async def test_who_supervised_in_between_approves_no_extension(people: People) -> None:
    active = await people.active(days=20)
    await appoint(people, active.name, "mori")
    await appoint(people, active.name, "suzuki")
    plan = a_plan(begin=people.clock.now(), days=40)
    asked = await people.call("sato", "ExtendPersona", name=active.name, plan=plan)

    refused = await people.refused(
        "mori", "ApprovePersona", role="HQ_CHIEF", name=active.name, plan_hash=asked.extension.plan_hash
    )

    assert refused.reason == "APPROVER_INVOLVED"


async def test_a_witness_who_came_to_supervise_witnesses_no_more(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    await people.call("suzuki", "SuspendPersona", name=active.name, **WHY)
    await people.call("tanaka", "DestroyDocument", name=document.name, witnesses=[officer("ito"), officer("abe")])
    await appoint(people, active.name, "ito")

    refused = await people.refused("ito", "WitnessDestruction", name=document.name)
    await appoint(people, active.name, "mori")
    former = await people.refused("ito", "WitnessDestruction", name=document.name)
    named = [officer("abe"), officer("suzuki")]
    replaced = await people.refused("tanaka", "DestroyDocument", name=document.name, witnesses=named)
    approver = await people.refused(
        "tanaka", "DestroyDocument", name=document.name, witnesses=[officer("abe"), officer("chief")]
    )
    await people.call("tanaka", "DestroyDocument", name=document.name, witnesses=[officer("abe"), officer("ueda")])
    await people.call("abe", "WitnessDestruction", name=document.name)
    gone = await people.call("ueda", "WitnessDestruction", role="OFFICER", name=document.name)

    assert refused.reason == former.reason == "NOT_A_WITNESS"
    assert replaced.reason == approver.reason == "WITNESSES_INVALID"
    assert gone.state == documents_pb2.Document.STATE_DESTROYED


@pytest.mark.parametrize(
    ("who", "reason"),
    [("sato", "APPROVER_INVOLVED"), ("suzuki", "APPROVER_INVOLVED"), ("tanaka", "APPROVER_INVOLVED")],
)
async def test_every_role_in_one_token_approves_no_plan_of_ones_own(people: People, who: str, reason: str) -> None:
    found = await people.submitted()

    refused = await people.refused(who, "ApprovePersona", role=EVERY_ROLE, name=found.name, plan_hash=found.plan_hash)

    assert refused.reason == reason


async def test_every_role_in_one_token_makes_nobody_two_people(people: People) -> None:
    """Each person holds every role there is; what they may do is what their one part says."""
    active = await people.active(document_count=3)
    asked = documents_pb2.Document(kind=documents_pb2.Document.KIND_DRIVING_LICENCE, legend=a_legend())
    entered = await people.call("sato", "RequestDocument", role=EVERY_ROLE, parent=active.name, document=asked)
    contact = people.contact(conduct=contacts_pb2.Contact.CONDUCT_PROPOSED)
    await people.call("sato", "ReportIncident", role=EVERY_ROLE, parent=active.name, contact=contact)
    review: Any = {"parent": active.name, "through_number": 1, "note": "(演習)"}
    tries: list[tuple[str, str, dict[str, Any], str]] = [
        ("sato", "IssueDocument", {"name": entered.name}, "NOT_YOUR_PART"),
        ("suzuki", "IssueDocument", {"name": entered.name}, "NOT_YOUR_PART"),
        ("tanaka", "RequestDocument", {"parent": active.name, "document": asked}, "NOT_YOUR_PART"),
        ("sato", "ReviewContacts", review, "NOT_YOUR_PART"),
        ("tanaka", "ReviewContacts", review, "NOT_YOUR_PART"),
        ("chief", "ResumePersona", {"name": active.name, **WHY}, "NOT_YOUR_PART"),
        ("sato", "ResumePersona", {"name": active.name, **WHY}, "NOT_YOUR_PART"),
        ("suzuki", "LogContact", {"parent": active.name, "contact": contact}, "NOT_YOUR_PART"),
        ("sato", "WitnessDestruction", {"name": entered.name}, "NOT_A_WITNESS"),
        (
            "suzuki",
            "AppointSupervisor",
            {"name": active.name, "supervisor": officer("suzuki"), "rank": INSPECTOR},
            "SUPERVISOR_UNSUITABLE",
        ),
        (
            "chief",
            "AppointSupervisor",
            {"name": active.name, "supervisor": officer("chief"), "rank": INSPECTOR},
            "SUPERVISOR_UNSUITABLE",
        ),
    ]

    for who, method, fields, reason in tries:
        refused = await people.refused(who, method, role=EVERY_ROLE, **fields)
        assert refused.reason == reason, (who, method)


def _as_of_before(dumped: dict[str, list[dict[str, Any]]]) -> tuple[list[Any], list[Any]]:
    """Take away what came later, and give what stood in it and what a migration makes of the rest."""
    written = select(tables.past.c.part, tables.past.c.officer).order_by(*tables.past.c)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, [SCHEMA])
        for table in SCHEMA.metadata.sorted_tables:
            if dumped[table.name]:
                connection.execute(table.insert(), dumped[table.name])
        known = list(connection.execute(written))
        back_to(connection, 2)
        migrate(connection, [SCHEMA])
        learned = list(connection.execute(written))
        assert not connection.scalar(select(tables.documents.c.collided))
    engine.dispose()
    return known, learned


async def test_a_database_of_before_learns_who_approved_and_who_supervised(people: People) -> None:
    active = await people.active(days=20)
    await people.document(active.name)
    await appoint(people, active.name, "mori")
    plan = a_plan(begin=people.clock.now(), days=40, supervisor=officer("mori"))
    asked = await people.call("sato", "ExtendPersona", name=active.name, plan=plan)
    approve = {"name": active.name, "plan_hash": asked.extension.plan_hash}
    await people.call("abe", "ApprovePersona", role="HQ_CHIEF", **approve)
    await people.submitted()
    dumped = await people.running.service.database.look(
        lambda connection: {
            table.name: [dict(row._mapping) for row in connection.execute(table.select())]
            for table in SCHEMA.metadata.sorted_tables
        }
    )
    known, learned = await asyncio.to_thread(_as_of_before, dumped)

    assert learned == known
    assert [(part, name.rpartition("/")[2]) for part, name in known] == [
        (1, "abe"),
        (1, "chief"),
        (2, "mori"),
        (2, "suzuki"),
    ]
