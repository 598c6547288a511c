"""Who sees what, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.personas.v1 import documents_pb2, enums_pb2

from tests.personas.people import a_legend, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from tests.personas.people import People

OUTSIDERS = (("ito", "OFFICER"), ("mori", "SUPERVISOR"), ("mori", "CUSTODIAN"))


async def test_everybody_lists_what_he_has_a_part_in_and_the_chief_all(people: People) -> None:
    mine = await people.submitted()
    others = await people.submitted(team=[officer("ito")])

    listed = {
        who: [one.name for one in (await people.call(who, "ListPersonas", parent=AGENCY)).personas]
        for who in ("kato", "ito", "sato", "chief", "abe")
    }

    assert listed == {
        "kato": [mine.name],
        "ito": [others.name],
        "sato": [others.name, mine.name],
        "chief": [others.name, mine.name],
        "abe": [],
    }


async def test_lists_go_on_page_by_page(people: People) -> None:
    names = [(await people.submitted()).name for _ in range(5)]
    found: list[str] = []
    token = ""
    for _ in range(3):
        page = await people.call("chief", "ListPersonas", parent=AGENCY, page_size=2, page_token=token)
        found += [one.name for one in page.personas]
        token = page.next_page_token
    refusals = [await people.refused("ito", "GetPersona", name=name) for name in names]
    first = await people.call("audit", "ListRefusals", parent=AGENCY, page_size=3)
    second = await people.call("audit", "ListRefusals", parent=AGENCY, page_size=3, page_token=first.next_page_token)

    assert found == names[::-1]
    assert token == ""
    assert [one.resource for one in (*first.refusals, *second.refusals)] == names[: -len(refusals) - 1 : -1]
    assert second.next_page_token == ""


@pytest.mark.parametrize(("who", "role"), OUTSIDERS)
async def test_who_has_no_part_sees_nothing_of_it(people: People, who: str, role: str) -> None:
    active = await people.active()
    document = await people.document(active.name)
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    reads = {
        "GetPersona": {"name": active.name},
        "ListEntries": {"parent": active.name},
        "ListTasks": {"parent": active.name},
        "ListPlanVersions": {"parent": active.name},
        "ListDocuments": {"parent": active.name},
        "GetDocument": {"name": document.name},
        "ListContacts": {"parent": active.name},
    }

    refusals = [await people.refused(who, method, role=role, **fields) for method, fields in reads.items()]

    assert {one.reason for one in refusals} == {"DENIED"}
    assert len({one.message for one in refusals}) == 1


async def test_a_witness_confirms_one_document_and_reads_nothing_else(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    await people.call("suzuki", "SuspendPersona", name=active.name, reason="(演習)")
    await people.call("tanaka", "DestroyDocument", name=document.name, witnesses=[officer("ito"), officer("abe")])

    seen = await people.call("ito", "WitnessDestruction", name=document.name)
    twice = await people.refused("ito", "WitnessDestruction", name=document.name)
    read = await people.refused("ito", "GetDocument", name=document.name)
    case = await people.refused("ito", "GetPersona", name=active.name)

    assert list(seen.witnessed) == [officer("ito")]
    assert twice.reason == "NOT_A_WITNESS"
    assert {read.reason, case.reason} == {"DENIED"}


async def test_a_witness_is_shown_no_word_of_the_legend(people: People) -> None:
    """Who sees a destruction need not learn what the document said."""
    active = await people.active()
    document = await people.document(active.name)
    await people.call("suzuki", "SuspendPersona", name=active.name, reason="(演習)")
    await people.call("tanaka", "DestroyDocument", name=document.name, witnesses=[officer("ito"), officer("abe")])

    seen = await people.call("ito", "WitnessDestruction", name=document.name)
    of_custodian = await people.call("tanaka", "GetDocument", name=document.name)

    assert not seen.HasField("legend")
    assert of_custodian.legend == a_legend()


async def test_an_open_task_is_listed_until_it_is_done(people: People) -> None:
    active = await people.active()
    await people.call("sato", "ReportDanger", name=active.name, text="(演習)")
    (task,) = await people.tasks(active.name)

    by_handler = await people.refused("sato", "CompleteTask", role="SUPERVISOR", name=task.name, note="(演習)")
    done = await people.call("suzuki", "CompleteTask", name=task.name, note="(演習)保護した")
    again = await people.refused("chief", "CompleteTask", name=task.name, note="(演習)")
    all_tasks = (await people.call("chief", "ListTasks", parent=active.name, show_completed=True)).tasks

    assert by_handler.reason == "NOT_YOUR_PART"
    assert (done.completer, done.note) == (officer("suzuki"), "(演習)保護した")
    assert again.reason == "TASK_DONE"
    assert [one.kind for one in all_tasks] == [enums_pb2.TASK_KIND_SAFETY]
    assert await people.tasks(active.name) == []
    assert not (await people.read(active.name)).in_danger


async def test_a_stale_etag_is_refused(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    await people.call("tanaka", "HandOutDocument", name=document.name, holder=officer("kato"), reason="(演習)")

    of_document = await people.refused("tanaka", "ReturnDocument", name=document.name, etag=document.etag)
    of_case = await people.refused("suzuki", "SuspendPersona", name=active.name, etag=active.etag, reason="(演習)")

    assert {of_document.reason, of_case.reason} == {"ETAG_MISMATCH"}
    assert document.state == documents_pb2.Document.STATE_IN_CUSTODY
