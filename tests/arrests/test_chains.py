"""Re-arrests: linked both ways, never in a circle, never of two people; each starts its own clocks."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.chains_pb2 import ChainedArrest, ListArrestChainRequest, ListArrestChainResponse
from renkei.arrests.v1.events_pb2 import ArrestRecorded, ArrestRevised, ArrestWithdrawn
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, NotFoundOrDenied
from tests.agency import AGENCY, TOKYO, Agency
from tests.arrests.calls import RESTRAINT, Arrests, an_arrest, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.arrests.v1.arrests_pb2 import Arrest


def born(day: str) -> arrests_pb2.Person:
    return arrests_pb2.Person(birth_date=day)


async def rearrest(arrests: Arrests, earlier: str, *, after: int, **changes: Any) -> Arrest:  # noqa: ANN401
    """Record an arrest that follows on another one, so many days after the first."""
    return await arrests.create(
        an_arrest(restraint=RESTRAINT + timedelta(days=after), earlier_arrest=earlier, **changes)
    )


async def page(arrests: Arrests, name: str, **asked: Any) -> ListArrestChainResponse:  # noqa: ANN401
    request = ListArrestChainRequest(name=name, **asked)
    return await arrests.client.call(arrests.client.stub(ArrestsServiceStub).ListArrestChain, request)


async def chain(arrests: Arrests, name: str) -> Sequence[ChainedArrest]:
    return (await page(arrests, name)).arrests


async def test_only_officers_and_supervisors_are_told(agency: Agency, arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(NotAllowed) as refused:
        await chain(Arrests(agency.client("NPA_DESK")), made.name)

    assert refused.value.reason == "ROLE_MISSING"


@pytest.mark.parametrize("name", ["arrests/1", f"{AGENCY}/tips/{uuid.UUID(int=1)}", f"{AGENCY}/arrests/1"])
async def test_what_is_no_name_of_an_arrest_is_refused(arrests: Arrests, name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await rearrest(arrests, name, after=1)

    assert (refused.value.reason, refused.value.violations[0].field) == ("FIELD_INVALID", "arrest.earlier_arrest")


async def test_an_arrest_that_is_not_here_cannot_be_followed(arrests: Arrests) -> None:
    deleted = await arrests.create()
    await arrests.delete(deleted.name)

    for name in (f"{AGENCY}/arrests/{uuid.uuid4()}", f"{TOKYO}/arrests/{uuid.uuid4()}", deleted.name):
        with pytest.raises(FailedPrecondition) as refused:
            await rearrest(arrests, name, after=1)
        assert refused.value.reason == "EARLIER_ARREST_UNKNOWN"
        assert name not in str(refused.value)


async def test_a_chain_of_a_missing_record_is_denied(arrests: Arrests) -> None:
    with pytest.raises(NotFoundOrDenied):
        await chain(arrests, f"{AGENCY}/arrests/{uuid.uuid4()}")


async def test_an_arrest_follows_only_on_one_before_it(arrests: Arrests) -> None:
    first = await arrests.create()

    for after in (0, -1):
        with pytest.raises(FailedPrecondition) as refused:
            await rearrest(arrests, first.name, after=after)
        assert (refused.value.reason, refused.value.metadata["contradiction"]) == (
            "CHAIN_CONTRADICTORY",
            "restraint_time",
        )


async def test_an_arrest_of_another_person_cannot_be_followed(arrests: Arrests) -> None:
    first = await arrests.create(an_arrest(person=born("1990-01-02")))

    with pytest.raises(FailedPrecondition) as refused:
        await rearrest(arrests, first.name, after=1, person=born("1990-01-03"))
    same = await rearrest(arrests, first.name, after=1, person=born("1990-01-02"))
    unknown = await rearrest(arrests, same.name, after=2)

    assert refused.value.metadata["contradiction"] == "birth_date"
    assert "1990" not in str(refused.value)
    assert unknown.earlier_arrest == same.name


async def test_no_correction_of_either_breaks_a_link(arrests: Arrests) -> None:
    first = await arrests.create(an_arrest(person=born("1990-01-02")))
    second = await rearrest(arrests, first.name, after=1, person=born("1990-01-02"))
    late = arrests_pb2.Arrest(
        name=first.name, etag=first.etag, restraint_time=stamp(RESTRAINT + timedelta(days=2)), person=born("1980-01-02")
    )
    circle = arrests_pb2.Arrest(name=first.name, etag=first.etag, earlier_arrest=second.name)
    itself = arrests_pb2.Arrest(name=second.name, etag=second.etag, earlier_arrest=second.name)

    for change, path in (
        (late, "restraint_time"),
        (late, "person"),
        (circle, "earlier_arrest"),
        (itself, "earlier_arrest"),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            await arrests.update(change, path)
        assert refused.value.reason == "CHAIN_CONTRADICTORY"


async def test_a_chain_is_found_from_every_link_of_it(arrests: Arrests) -> None:
    first = await arrests.create(an_arrest(case_reference="(演習) 甲"))
    second = await rearrest(arrests, first.name, after=20)
    third = await rearrest(arrests, second.name, after=40)
    other = await rearrest(arrests, second.name, after=30)
    alone = await arrests.create()

    names = [first.name, second.name, *sorted((third.name, other.name))]
    for name in names:
        found = await chain(arrests, name)
        assert [(each.name, each.earlier_arrest, each.depth) for each in found] == [
            (first.name, "", 0),
            (second.name, first.name, 1),
            (names[2], second.name, 2),
            (names[3], second.name, 2),
        ]
        assert (found[0].case_reference, found[0].restraint_time) == ("(演習) 甲", first.restraint_time)
    assert [each.name for each in await chain(arrests, alone.name)] == [alone.name]
    first_page = await page(arrests, other.name, page_size=3)
    rest = await page(arrests, other.name, page_size=3, page_token=first_page.next_page_token)
    assert [each.name for each in (*first_page.arrests, *rest.arrests)] == names
    assert rest.next_page_token == ""


async def test_a_link_is_taken_back_and_set_anew_by_a_correction(arrests: Arrests) -> None:
    first, other = await arrests.create(), await arrests.create()
    second = await rearrest(arrests, first.name, after=1)
    moved = await arrests.update(
        arrests_pb2.Arrest(name=second.name, etag=second.etag, earlier_arrest=other.name), "earlier_arrest"
    )
    before = [each.name for each in await chain(arrests, second.name)]

    await arrests.update(arrests_pb2.Arrest(name=second.name, etag=moved.etag), "earlier_arrest")

    assert before == [other.name, second.name]
    assert [each.name for each in await chain(arrests, second.name)] == [second.name]
    assert [each.name for each in await chain(arrests, first.name)] == [first.name]


async def test_an_earlier_arrest_that_goes_leaves_its_name_and_can_be_corrected_around(arrests: Arrests) -> None:
    first = await arrests.create()
    second = await rearrest(arrests, first.name, after=1)
    await arrests.delete(first.name)

    corrected = await arrests.update(
        arrests_pb2.Arrest(name=second.name, etag=second.etag, text="(演習データ)"), "text"
    )

    found = await chain(arrests, second.name)
    assert [(each.name, each.gone, each.HasField("restraint_time")) for each in found] == [
        (first.name, True, False),
        (second.name, False, True),
    ]
    assert corrected.earlier_arrest == first.name


@pytest.mark.parametrize("grade", [GRADE_FULL, GRADE_INDEX_ONLY])
async def test_an_arrest_of_another_agency_can_be_followed(agency: Agency, arrests: Arrests, grade: int) -> None:
    copy = an_arrest(name=f"{TOKYO}/arrests/{uuid.uuid4()}", version=1)
    await agency.bring(ArrestRecorded(arrest=copy), grade=GRADE_FULL if grade == GRADE_FULL else GRADE_INDEX_ONLY)
    second = await rearrest(arrests, copy.name, after=1)

    held = await chain(arrests, copy.name)
    await agency.bring(ArrestWithdrawn(name=copy.name, version=1), grade=GRADE_FULL, resource=copy.name)

    assert [each.name for each in held] == [copy.name, second.name]
    assert held[0].HasField("restraint_time") == (grade == GRADE_FULL)
    assert [each.gone for each in await chain(arrests, second.name)] == [True, False]


async def test_what_another_agency_corrects_keeps_nobody_from_correcting(agency: Agency, arrests: Arrests) -> None:
    copy = an_arrest(name=f"{TOKYO}/arrests/{uuid.uuid4()}", version=1)
    await agency.bring(ArrestRecorded(arrest=copy), grade=GRADE_FULL)
    second = await rearrest(arrests, copy.name, after=1)
    late = an_arrest(name=copy.name, version=2, restraint=RESTRAINT + timedelta(days=2))
    await agency.bring(ArrestRevised(arrest=late), grade=GRADE_FULL)

    corrected = await arrests.update(arrests_pb2.Arrest(name=second.name, etag=second.etag, text="(演習)"), "text")

    assert corrected.earlier_arrest == copy.name


async def test_a_link_and_linked_tips_never_leave_the_agency(agency: Agency, arrests: Arrests) -> None:
    first = await arrests.create()
    tip = f"{TOKYO}/tips/{uuid.uuid4()}"
    made = await rearrest(arrests, first.name, after=1, linked_tips=[tip], releasable_to=[TOKYO])

    copy = an_arrest(name=f"{TOKYO}/arrests/{uuid.uuid4()}", version=1, linked_tips=[tip], earlier_arrest=first.name)
    await agency.bring(ArrestRecorded(arrest=copy), grade=GRADE_FULL)
    received = await arrests.get(copy.name)

    assert (list(made.linked_tips), made.earlier_arrest) == ([tip], first.name)
    assert (list(received.linked_tips), received.earlier_arrest) == ([], "")


@pytest.mark.parametrize(
    "tips", [["tips/1"], [f"{AGENCY}/arrests/{uuid.uuid4()}"], [f"{AGENCY}/tips/{uuid.UUID(int=1)}"] * 2]
)
async def test_what_is_no_tip_or_stands_twice_is_refused(arrests: Arrests, tips: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(linked_tips=tips))

    assert refused.value.reason == "FIELD_INVALID"
    assert refused.value.violations[0].field.startswith("arrest.linked_tips")


async def test_a_rearrest_has_clocks_of_its_own(arrests: Arrests) -> None:
    first = await arrests.create(an_arrest(prosecutor_receipt_time=stamp(RESTRAINT + timedelta(hours=10))))
    second = await rearrest(arrests, first.name, after=20)

    assert second.clocks[0].start_time == second.restraint_time != first.clocks[0].start_time
    assert first.clocks[0].HasField("met_time")
    assert not second.clocks[0].HasField("met_time")
    assert (await arrests.get(first.name)).clocks == first.clocks
