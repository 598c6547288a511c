"""Who the source of a tip is: apart, opened with a reason that is kept, and never elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRecorded
from renkei.tips.v1.tips_pb2 import SourceIdentity, Tip
from sqlalchemy import select

from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, RenkeiError
from renkei_tips.store import OPENINGS, SCHEMA, SOURCES
from tests.agency import AGENCY, TOKYO, Agency, request_id
from tests.tips.calls import Tips, a_tip

if TYPE_CHECKING:
    from pathlib import Path

MARKER: Final = "RKSRC7e2b"
IDENTITY: Final = SourceIdentity(
    person_name=f"(演習) {MARKER}-name", contact=f"{MARKER}-contact", address=f"{MARKER}-address", note=f"{MARKER}-note"
)


async def set_source(tips: Tips, tip: Tip, identity: SourceIdentity = IDENTITY, **fields: Any) -> Any:  # noqa: ANN401
    return await tips.ask("SetTipSource", tip=tip.name, identity=identity, **fields)


async def reveal(tips: Tips, tip: Tip, reason: str = "(演習) 証人保護", **fields: Any) -> SourceIdentity:  # noqa: ANN401
    answer: SourceIdentity = await tips.ask("RevealTipSource", tip=tip.name, reason=reason, **fields)
    return answer


async def openings(tips: Tips, **fields: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401
    answer = await tips.ask("ListTipSourceOpenings", parent=AGENCY, **fields)
    return [(each.tip, each.caller.rpartition("/")[2], each.reason) for each in answer.openings]


@pytest.mark.parametrize("role", ["OFFICER", "NPA_DESK", "AUDITOR"])
async def test_only_a_supervisor_opens_a_source_and_a_refusal_opens_nothing(
    agency: Agency, tips: Tips, role: str
) -> None:
    made = await tips.create()
    await set_source(tips, made)

    with pytest.raises(NotAllowed) as refused:
        await reveal(Tips(agency.client(role)), made)

    assert refused.value.reason == "ROLE_MISSING"
    assert await openings(tips) == []


@pytest.mark.parametrize("role", ["NPA_DESK", "AUDITOR"])
async def test_nobody_but_officers_and_supervisors_sets_a_source(agency: Agency, tips: Tips, role: str) -> None:
    made = await tips.create()

    with pytest.raises(NotAllowed):
        await set_source(Tips(agency.client(role)), made)


async def test_an_officer_does_not_see_who_opened_what_and_an_auditor_does(agency: Agency, tips: Tips) -> None:
    made = await tips.create()
    await set_source(tips, made)
    await reveal(tips, made)

    with pytest.raises(NotAllowed):
        await openings(Tips(agency.client("OFFICER")))
    assert await openings(Tips(agency.client("AUDITOR"))) == [(made.name, "sato", "(演習) 証人保護")]


async def test_a_source_is_not_opened_without_a_reason(tips: Tips) -> None:
    made = await tips.create()
    await set_source(tips, made)

    with pytest.raises(InvalidArgument):
        await reveal(tips, made, reason="")

    assert await openings(tips) == []


async def test_the_anonymous_hotline_has_no_source_to_store_or_open(tips: Tips) -> None:
    made = await tips.create(a_tip(source=Tip.SOURCE_ANON_HOTLINE))
    reasons = set()

    for act in (set_source, reveal):
        with pytest.raises(FailedPrecondition) as refused:
            await act(tips, made)
        reasons.add(refused.value.reason)

    assert reasons == {"SOURCE_ANONYMOUS"}
    assert await openings(tips) == []
    assert not (await tips.ask("SetTipSource", tip=made.name)).known


async def test_a_tip_whose_source_is_known_does_not_become_one_of_the_hotline(tips: Tips) -> None:
    made = await tips.create()
    await set_source(tips, made)
    made.source = Tip.SOURCE_ANON_HOTLINE

    with pytest.raises(FailedPrecondition) as refused:
        await tips.update(made, "source")
    await tips.ask("SetTipSource", tip=made.name)
    corrected = await tips.update(made, "source")

    assert refused.value.reason == "SOURCE_ANONYMOUS"
    assert corrected.source == Tip.SOURCE_ANON_HOTLINE


async def test_a_source_that_nobody_recorded_cannot_be_opened(tips: Tips) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        await reveal(tips, await tips.create())

    assert refused.value.reason == "SOURCE_NOT_RECORDED"
    assert await openings(tips) == []


async def test_another_agencys_tip_has_no_source_here(tips: Tips, agency: Agency) -> None:
    theirs = a_tip(name=f"{TOKYO}/tips/0191aaaa-0000-7000-8000-000000000001", version=1)
    await agency.bring(TipRecorded(tip=theirs), grade=GRADE_FULL)
    reasons = set()

    for act in (set_source, reveal):
        with pytest.raises(FailedPrecondition) as refused:
            await act(tips, theirs)
        reasons.add(refused.value.reason)
    for wanted in ({"tip": theirs.name}, {"parent": TOKYO}):
        with pytest.raises(FailedPrecondition) as refused:
            await tips.ask("ListTipSourceOpenings", **{"parent": AGENCY, **wanted})
        reasons.add(refused.value.reason)

    assert reasons == {"FOREIGN_ORIGINATOR"}


async def test_every_opening_leaves_a_row_that_is_committed_before_the_answer(tips: Tips, agency: Agency) -> None:
    made = await tips.create()
    known = await set_source(tips, made)

    answer = await reveal(tips, made)
    rows = await agency.service.database.read(lambda connection: connection.execute(select(OPENINGS)).all())

    assert (known.known, known.recorder) == (True, f"{AGENCY}/officers/sato")
    assert answer == IDENTITY
    assert [(row.caller, row.reason) for row in rows] == [(f"{AGENCY}/officers/sato", "(演習) 証人保護")]


async def test_a_repeat_of_an_opening_is_refused_since_it_would_leave_no_row(tips: Tips) -> None:
    made = await tips.create()
    await set_source(tips, made)
    request = request_id()
    await reveal(tips, made, request_id=request)

    with pytest.raises(FailedPrecondition) as refused:
        await reveal(tips, made, request_id=request)

    assert refused.value.reason == "REQUEST_ANSWER_GONE"
    assert len(await openings(tips)) == 1


async def test_openings_come_newest_first_in_pages_and_of_one_tip(tips: Tips, agency: Agency) -> None:
    first, second = [await tips.create() for _ in range(2)]
    for tip in (first, second):
        await set_source(tips, tip)
    chief = Tips(agency.client("SUPERVISOR", officer="kato"))
    for number in range(5):
        await reveal(chief if number % 2 else tips, second if number % 2 else first, reason=f"(演習) {number}")

    page = await tips.ask("ListTipSourceOpenings", parent=AGENCY, page_size=3)
    rest = await tips.ask("ListTipSourceOpenings", parent=AGENCY, page_size=3, page_token=page.next_page_token)

    assert [each.reason[-1] for each in [*page.openings, *rest.openings]] == ["4", "3", "2", "1", "0"]
    assert not rest.next_page_token
    assert [caller for _, caller, _ in await openings(tips, tip=second.name)] == ["kato", "kato"]


async def test_a_source_is_replaced_and_forgotten_and_nothing_old_is_left(
    tips: Tips, agency: Agency, tmp_path: Path
) -> None:
    made = await tips.create()
    request = request_id()
    first = await set_source(tips, made, request_id=request)
    await set_source(tips, made, SourceIdentity(person_name="(演習) 別人"))
    replaced = await reveal(tips, made)
    repeated = await set_source(tips, made, request_id=request)
    forgotten = await tips.ask("SetTipSource", tip=made.name)

    assert replaced == SourceIdentity(person_name="(演習) 別人")
    assert (first.known, repeated.known, forgotten.known) == (True, True, False)
    assert await agency.service.database.read(lambda connection: connection.execute(select(SOURCES)).all()) == []
    assert await asyncio.to_thread(holding, tmp_path, MARKER) == []


def holding(directory: Path, marker: str) -> list[str]:
    """Name the files that hold a text. Blocks."""
    return [path.name for path in directory.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()]


async def test_no_log_error_list_or_event_says_who_the_source_is(
    tips: Tips, agency: Agency, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    made = await tips.triaged(a_tip(releasable_to=[TOKYO]))
    await set_source(tips, made)
    await reveal(tips, made, reason=f"(演習) {MARKER}")
    said: list[str] = []
    too_long = SourceIdentity(person_name=MARKER * 100)
    for call in (set_source(tips, made, too_long), reveal(tips, made, reason=MARKER * 100)):
        with pytest.raises(RenkeiError) as refused:
            await call
        said.append(f"{refused.value} {refused.value.metadata} {refused.value.violations}")
    made = await tips.step("AssignTip", made, unit="(演習) 捜査一課")
    await tips.delete(made.name)

    said += [str(await tips.page(show_deleted=True)), str(await tips.ask("ListTipSteps", name=made.name))]
    events = b"".join(event.SerializeToString() for event in await agency.events())
    out = capfd.readouterr()

    assert len(await agency.events()) == 4
    assert MARKER.encode() not in events
    assert MARKER not in "".join(said)
    assert MARKER not in out.out + out.err + caplog.text


def test_an_identity_stands_in_a_table_of_its_own() -> None:
    holding_it = [table.name for table in SCHEMA.metadata.tables.values() if "identity" in table.columns]

    assert holding_it == ["tip_source"]
    assert not any(field.message_type is SourceIdentity.DESCRIPTOR for field in Tip.DESCRIPTOR.fields)
