"""Reviews: who found a tip needed still, or not, and what is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.policy.v1.handling_pb2 import Handling, Review
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRecorded

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed
from renkei_chassis.records import reviewing
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint
from tests.agency import AGENCY, MEMBERS, TOKYO, Agency, request_id, run_agency
from tests.tips.calls import Tips, a_tip

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.tips.v1.tips_pb2 import Tip

    from renkei_chassis.ports import PortClaims

KEEP, DELETE = Review.OUTCOME_KEEP, Review.OUTCOME_DELETE
FAR: Final = datetime(2190, 1, 1, tzinfo=UTC)


async def due(tips: Tips, **wanted: Any) -> list[str]:  # noqa: ANN401 (fields of a request)
    answer = await tips.ask("ListTipsDueForReview", parent=AGENCY, **wanted)
    return [tip.name for tip in answer.tips]


def at(moment: datetime) -> Timestamp:
    label = Handling()
    label.review_by.FromDatetime(moment)
    return label.review_by


def reviewed_by(moment: datetime, **changes: Any) -> Tip:  # noqa: ANN401 (fields of a tip)
    tip = a_tip(**changes)
    tip.handling.review_by.FromDatetime(moment)
    return tip


@pytest.mark.parametrize("role", ["OFFICER", "NPA_DESK", "AUDITOR"])
async def test_only_a_supervisor_reviews(agency: Agency, tips: Tips, role: str) -> None:
    made = await tips.create()

    with pytest.raises(NotAllowed) as refused:
        await Tips(agency.client(role)).step("ReviewTip", made, outcome=KEEP)

    assert refused.value.reason == "ROLE_MISSING"


async def test_what_is_due_here_is_shown_to_nobody_elsewhere(agency: Agency, tips: Tips) -> None:
    with pytest.raises(NotAllowed):
        await due(Tips(agency.client("NPA_DESK")))
    with pytest.raises(FailedPrecondition) as refused:
        await tips.ask("ListTipsDueForReview", parent=TOKYO)

    assert refused.value.reason == "FOREIGN_ORIGINATOR"


async def test_another_agencys_tip_is_not_reviewed_here(agency: Agency, tips: Tips) -> None:
    theirs = reviewed_by(FAR - timedelta(days=60_000), name=f"{TOKYO}/tips/0191aaaa-0000-7000-8000-000000000001")
    theirs.version = 1
    await agency.bring(TipRecorded(tip=theirs), grade=GRADE_FULL)

    with pytest.raises(FailedPrecondition) as refused:
        await tips.step("ReviewTip", theirs, outcome=KEEP)

    assert refused.value.reason == "FOREIGN_ORIGINATOR"
    assert await due(tips, due_before=at(FAR)) == []


@pytest.mark.parametrize(
    ("outcome", "keep_until"),
    [(KEEP, datetime(2020, 1, 1, tzinfo=UTC)), (DELETE, FAR), (0, FAR)],
    ids=["past", "deleted", "none"],
)
async def test_a_review_that_says_what_cannot_be_is_refused(
    tips: Tips, outcome: Review.Outcome.ValueType, keep_until: datetime
) -> None:
    made = await tips.create()

    with pytest.raises(InvalidArgument) as refused:
        await tips.step("ReviewTip", made, outcome=outcome, keep_until=at(keep_until))

    assert refused.value.reason == "FIELD_INVALID"
    assert await tips.get(made.name) == made


async def test_a_review_says_who_found_what_when_and_why(tips: Tips, agency: Agency) -> None:
    made = await tips.create()
    until = datetime.now(UTC) + timedelta(days=30)

    kept = await tips.step("ReviewTip", made, outcome=KEEP, keep_until=at(until), reason="(演習) 公判中")
    corrected = await tips.update(kept, "text")
    steps = (await tips.ask("ListTipSteps", name=made.name)).steps

    assert (kept.review.outcome, kept.review.reviewer) == (KEEP, f"{AGENCY}/officers/sato")
    assert (kept.review.reason, kept.review.keep_until) == ("(演習) 公判中", at(until))
    assert kept.review.time == kept.update_time
    assert corrected.review == kept.review
    assert [step.review.outcome for step in steps] == [0, KEEP, 0]
    assert len(await agency.events()) == 3


async def test_a_review_that_finds_a_tip_useless_deletes_it(tips: Tips, agency: Agency) -> None:
    made = await tips.create(a_tip(releasable_to=[TOKYO]))
    request = request_id()

    gone = await tips.step("ReviewTip", made, outcome=DELETE, reason="(演習) 不要", request_id=request)
    again = await tips.step("ReviewTip", made, outcome=DELETE, reason="(演習) 不要", request_id=request)

    assert gone.HasField("delete_time")
    assert gone.review.outcome == DELETE
    assert again == gone
    assert await tips.get(made.name) == gone
    assert [event.type.rpartition(".")[2] for event in await agency.events()] == [
        "TipRecorded",
        "TipRevised",
        "TipDeleted",
    ]
    assert (await tips.undelete(made.name)).version == 3


async def test_a_repeated_review_that_kept_a_tip_gets_the_same_answer_after_its_deletion(tips: Tips) -> None:
    made = await tips.create()
    request = request_id()
    kept = await tips.step("ReviewTip", made, outcome=KEEP, request_id=request)
    await tips.delete(made.name)

    assert await tips.step("ReviewTip", made, outcome=KEEP, request_id=request) == kept


async def test_a_tip_that_others_are_part_of_is_not_deleted_by_a_review(tips: Tips) -> None:
    target = await tips.create()
    await tips.step("MergeTip", await tips.triaged(), into=target.name)

    with pytest.raises(FailedPrecondition) as refused:
        await tips.step("ReviewTip", target, outcome=DELETE)

    assert refused.value.reason == "HAS_MERGED"
    assert await tips.get(target.name) == target


async def test_what_is_due_comes_oldest_first_page_by_page(tips: Tips, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few are looked at for a page: an empty page goes on."""
    monkeypatch.setattr(reviewing, "LOOKED_AT", 3)
    past = datetime(2024, 1, 1, tzinfo=UTC)
    made = [await tips.create(reviewed_by(past if number in {0, 5, 6, 7} else FAR)) for number in range(9)]
    await tips.delete(made[6].name)

    seen: list[str] = []
    sizes, token = [], ""
    for _ in range(20):
        page = await tips.ask("ListTipsDueForReview", parent=AGENCY, page_size=1, page_token=token)
        sizes.append(len(page.tips))
        seen += [tip.name for tip in page.tips]
        token = page.next_page_token
        if not token:
            break

    assert seen == [made[number].name for number in (0, 5, 7)]
    assert max(sizes) == 1
    assert await due(tips, due_before=at(FAR + timedelta(seconds=1))) == [made[number].name for number in (0, 1, 2)]


async def test_a_review_is_possible_whatever_the_label_says_by_now(tmp_path: Path, ports: PortClaims) -> None:
    """An operator turned releases off: what must be reviewed still can be, and nobody elsewhere hears of it."""
    clock = ManualClock(WallClock().now())
    settings = Settings(members=MEMBERS, release_without_instrument=True)
    async with run_agency(blueprint(settings), tmp_path, ports, clock=clock) as agency:
        tips = Tips(agency.client())
        kept, gone = [await tips.create(a_tip(releasable_to=[TOKYO])) for _ in range(2)]
    off = settings.model_copy(update={"release_without_instrument": False})
    clock.advance(1)
    async with run_agency(blueprint(off), tmp_path, ports, clock=clock) as agency:
        tips = Tips(agency.client())
        with pytest.raises(FailedPrecondition) as refused:
            await tips.step("TriageTip", kept)
        await tips.step("ReviewTip", kept, outcome=KEEP)
        await tips.step("ReviewTip", gone, outcome=DELETE)

        told = [
            (event.type.rpartition(".")[2], [entry.agency for entry in event.audience])
            for event in (await agency.events())[2:]
        ]

    assert refused.value.reason == "RELEASE_WITHOUT_INSTRUMENT"
    assert told == [("TipRevised", []), ("TipRevised", []), ("TipDeleted", [TOKYO])]
