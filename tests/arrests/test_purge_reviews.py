"""An acquittal, or a decision for want of suspicion, asks whether the record is needed still; a supervisor decides."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import arrests_pb2, purge_reviews_pb2
from renkei.arrests.v1.arrests_pb2 import Disposition
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.events_pb2 import PurgeReviewDecided, PurgeReviewOpened

from renkei_arrests.record import ARRESTS
from renkei_arrests.retention import retention_of
from renkei_arrests.settings import Settings
from renkei_arrests.store import CHAINS, PURGE_REVIEWS
from renkei_arrests.wiring import blueprint
from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, NotFoundOrDenied
from renkei_chassis.records.purging import Purging, Rhythm
from renkei_chassis.telemetry.metrics import Metrics
from tests.agency import AGENCY, MEMBERS, TOKYO, Agency, request_id, run_agency
from tests.arrests.calls import RESTRAINT, Arrests, a_disposition, an_arrest, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from renkei.arrests.v1.purge_reviews_pb2 import PurgeReview
    from sqlalchemy import Connection, Table

    from renkei_chassis.ports import PortClaims

PURGE = purge_reviews_pb2.PURGE_DECISION_PURGE
KEEP = purge_reviews_pb2.PURGE_DECISION_KEEP


def became(kind: Disposition.Kind.ValueType, *, after: int = 20, **changes: Any) -> Disposition:  # noqa: ANN401
    return Disposition(kind=kind, time=stamp(RESTRAINT + timedelta(days=after)), **changes)


NO_SUSPICION = became(Disposition.KIND_NOT_INDICTED, ground=Disposition.GROUND_NO_SUSPICION)
ACQUITTED = became(Disposition.KIND_ACQUITTED, after=200)


def everything(table: Table, connection: Connection) -> Sequence[Any]:
    return connection.execute(table.select()).all()


async def reviews(arrests: Arrests, parent: str = AGENCY, **asked: Any) -> Sequence[PurgeReview]:  # noqa: ANN401
    request = purge_reviews_pb2.ListPurgeReviewsRequest(parent=parent, **asked)
    answer = await arrests.client.call(arrests.client.stub(ArrestsServiceStub).ListPurgeReviews, request)
    return list(answer.reviews)


async def decide(
    arrests: Arrests, name: str, decision: purge_reviews_pb2.PurgeDecision.ValueType, *, request: str = ""
) -> PurgeReview:
    asked = purge_reviews_pb2.DecidePurgeReviewRequest(
        request_id=request or request_id(), name=name, decision=decision, reason="(演習) 理由"
    )
    return await arrests.client.call(arrests.client.stub(ArrestsServiceStub).DecidePurgeReview, asked)


@pytest.mark.parametrize(
    ("disposition", "cause"),
    [
        (NO_SUSPICION, purge_reviews_pb2.PURGE_REVIEW_CAUSE_NO_SUSPICION),
        (ACQUITTED, purge_reviews_pb2.PURGE_REVIEW_CAUSE_ACQUITTED),
    ],
    ids=["no suspicion", "acquitted"],
)
async def test_such_a_disposition_opens_a_review(
    agency: Agency, arrests: Arrests, disposition: Disposition, cause: int
) -> None:
    made = await arrests.create(an_arrest(case_reference="(演習) 甲"))
    request = request_id()

    await arrests.dispose(made, disposition, request=request)
    await arrests.dispose(made, disposition, request=request)

    (review,) = await reviews(arrests)
    assert (review.name, review.cause, review.case_reference) == (made.name, cause, "(演習) 甲")
    assert review.due_time.seconds - review.open_time.seconds == 30 * 86_400
    assert (review.overdue, review.decision) == (False, purge_reviews_pb2.PURGE_DECISION_UNSPECIFIED)
    opened = [event for event in await agency.events() if event.type.endswith(".PurgeReviewOpened")]
    assert [PurgeReviewOpened.FromString(event.data.value) for event in opened] == [
        PurgeReviewOpened(name=made.name, cause=review.cause, due_time=review.due_time)
    ]
    assert not opened[0].audience


@pytest.mark.parametrize(
    "disposition",
    [
        became(Disposition.KIND_NOT_INDICTED, ground=Disposition.GROUND_SUSPENDED_PROSECUTION),
        became(Disposition.KIND_NOT_INDICTED),
        became(Disposition.KIND_INDICTED),
        became(Disposition.KIND_RELEASED),
    ],
    ids=["suspended prosecution", "no ground", "indicted", "released"],
)
async def test_any_other_disposition_opens_none(arrests: Arrests, disposition: Disposition) -> None:
    await arrests.dispose(await arrests.create(), disposition)

    assert await reviews(arrests) == []


async def test_only_a_supervisor_decides(agency: Agency, arrests: Arrests) -> None:
    made = await arrests.create()
    await arrests.dispose(made, ACQUITTED)
    officer = Arrests(agency.client("OFFICER"))

    with pytest.raises(NotAllowed) as refused:
        await decide(officer, made.name, KEEP)

    assert refused.value.reason == "ROLE_MISSING"
    assert len(await reviews(officer)) == 1


async def test_what_has_no_open_review_cannot_be_decided(arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(FailedPrecondition) as none:
        await decide(arrests, made.name, KEEP)
    with pytest.raises(FailedPrecondition) as foreign:
        await decide(arrests, f"{TOKYO}/arrests/{uuid.uuid4()}", KEEP)
    with pytest.raises(NotFoundOrDenied):
        await decide(arrests, f"{AGENCY}/arrests/{uuid.uuid4()}", PURGE)
    with pytest.raises(InvalidArgument):
        await decide(arrests, made.name, purge_reviews_pb2.PURGE_DECISION_UNSPECIFIED)
    with pytest.raises(FailedPrecondition) as parent:
        await reviews(arrests, TOKYO)

    assert none.value.reason == "NO_PURGE_REVIEW"
    assert foreign.value.reason == parent.value.reason == "FOREIGN_ORIGINATOR"


async def test_what_is_kept_stays_with_who_decided_and_why(agency: Agency, arrests: Arrests) -> None:
    made = await arrests.create()
    disposed = await arrests.dispose(made, ACQUITTED)
    request = request_id()

    kept = await decide(arrests, made.name, KEEP, request=request)
    again = await decide(arrests, made.name, KEEP, request=request)

    assert again == kept
    assert (kept.decision, kept.decider, kept.reason) == (KEEP, f"{AGENCY}/officers/sato", "(演習) 理由")
    assert kept.HasField("decide_time")
    assert await reviews(arrests) == []
    assert await reviews(arrests, show_decided=True) == [kept]
    assert (await arrests.get(made.name)) == disposed
    with pytest.raises(FailedPrecondition):
        await decide(arrests, made.name, PURGE)
    await arrests.update(arrests_pb2.Arrest(name=made.name, etag=disposed.etag, text="(演習データ)"), "text")
    assert await reviews(arrests) == [], "a decision stands"
    (event,) = [event for event in await agency.events() if event.type.endswith(".PurgeReviewDecided")]
    assert PurgeReviewDecided.FromString(event.data.value).decision == KEEP


async def test_a_correction_that_takes_the_cause_away_takes_the_review_back(arrests: Arrests) -> None:
    made = await arrests.create()
    disposed = await arrests.dispose(made, NO_SUSPICION)
    other = became(Disposition.KIND_NOT_INDICTED, ground=Disposition.GROUND_INSUFFICIENT_SUSPICION)

    await arrests.update(arrests_pb2.Arrest(name=made.name, etag=disposed.etag, disposition=other), "disposition")

    assert await reviews(arrests, show_decided=True) == []


async def test_reviews_come_in_pages_the_soonest_due_first(arrests: Arrests) -> None:
    names = []
    for _ in range(3):
        made = await arrests.create()
        await arrests.dispose(made, ACQUITTED)
        names.append(made.name)
    request = purge_reviews_pb2.ListPurgeReviewsRequest(parent=AGENCY, page_size=2)

    pages = [
        [review.name for review in page.reviews]
        async for page in arrests.client.pages(arrests.client.stub(ArrestsServiceStub).ListPurgeReviews, request)
    ]

    assert [name for page in pages for name in page] == names
    assert [len(page) for page in pages] == [2, 1]


async def test_a_review_that_nobody_decides_is_overdue_and_decides_nothing(
    tmp_path: Path, ports: PortClaims, kind: str
) -> None:
    clock = ManualClock(WallClock().now())
    settings = Settings(members=MEMBERS, purge_review_days=2)
    async with run_agency(blueprint(settings), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        made = await arrests.create()
        await arrests.dispose(made, ACQUITTED)

        early = await reviews(arrests, overdue=True)
        clock.advance(2 * 86_400 + 1)
        (late,) = await reviews(arrests, overdue=True)

        assert (early, late.name, late.overdue) == ([], made.name, True)
        assert (await arrests.get(made.name)).state == arrests_pb2.Arrest.STATE_DISPOSED


async def test_a_record_that_is_purged_by_decision_goes_from_everywhere(
    tmp_path: Path, ports: PortClaims, kind: str
) -> None:
    clock = ManualClock(WallClock().now())
    settings = Settings(members=MEMBERS, release_without_instrument=True, purge_hours=2)
    async with run_agency(blueprint(settings), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        first = await arrests.create()
        made = await arrests.create(
            an_arrest(releasable_to=[TOKYO], restraint=RESTRAINT + timedelta(hours=1), earlier_arrest=first.name)
        )
        await arrests.dispose(made, ACQUITTED)
        decided = await decide(arrests, made.name, PURGE)

        with pytest.raises(FailedPrecondition) as no_way_back:
            await arrests.undelete(made.name)
        purging = Purging(
            ARRESTS,
            agency=AGENCY,
            retention=partial(retention_of, settings),
            rhythm=Rhythm(seconds=1, hours=settings.purge_hours),
            database=agency.service.database,
            writer=agency.service.writer,
            metrics=Metrics("arrests"),
        )
        for _ in range(5):
            clock.advance(3600)
            await purging.look()

        assert decided.decision == PURGE
        assert no_way_back.value.reason == "UNDELETE_EXPIRED"
        assert [arrest.name for arrest in (await arrests.page(show_deleted=True)).arrests] == [first.name]
        events = [event for event in await agency.events() if event.resource == made.name]
        told = {event.type.rpartition(".")[2]: event for event in events}
        for last in ("ArrestDeleted", "ArrestPurged"):
            assert [entry.agency for entry in told[last].audience] == [TOKYO]
        assert all(told[kind].erased for kind in ("ArrestRecorded", "DispositionRecorded", "PurgeReviewDecided"))
        for table in (CHAINS, PURGE_REVIEWS):
            assert await agency.service.database.read(partial(everything, table)) == []


async def test_what_follows_on_a_disposition_is_recorded_and_nothing_else(arrests: Arrests) -> None:
    made = await arrests.create()
    released = await arrests.dispose(made, became(Disposition.KIND_RELEASED_PENDING, after=5))
    indicted = await arrests.dispose(released, a_disposition())
    acquitted = await arrests.dispose(indicted, ACQUITTED)

    assert [each.kind for each in acquitted.earlier_dispositions] == [
        Disposition.KIND_RELEASED_PENDING,
        Disposition.KIND_INDICTED,
    ]
    assert acquitted.disposition == ACQUITTED
    for after in (became(Disposition.KIND_INDICTED, after=300), became(Disposition.KIND_ACQUITTED, after=300)):
        with pytest.raises(FailedPrecondition) as refused:
            await arrests.dispose(acquitted, after)
        assert refused.value.reason == "DISPOSED"


async def test_what_follows_comes_after_what_it_follows_on(arrests: Arrests) -> None:
    indicted = await arrests.dispose(await arrests.create(), a_disposition())

    with pytest.raises(InvalidArgument) as refused:
        await arrests.dispose(indicted, became(Disposition.KIND_ACQUITTED, after=19))

    assert (refused.value.reason, refused.value.metadata["field"]) == ("TIMES_OUT_OF_ORDER", "arrest.disposition.time")


async def test_a_last_disposition_taken_back_leaves_the_one_before(arrests: Arrests) -> None:
    indicted = await arrests.dispose(await arrests.create(), a_disposition())
    acquitted = await arrests.dispose(indicted, ACQUITTED)

    back = await arrests.update(arrests_pb2.Arrest(name=acquitted.name, etag=acquitted.etag), "disposition")

    assert back.disposition == a_disposition()
    assert not back.earlier_dispositions
    assert await reviews(arrests, show_decided=True) == []


async def test_an_acquittal_a_year_later_makes_no_clock_overdue(arrests: Arrests) -> None:
    met = stamp(RESTRAINT + timedelta(hours=20))
    made = await arrests.create(an_arrest(prosecutor_receipt_time=met))
    released = await arrests.dispose(
        made, Disposition(kind=Disposition.KIND_RELEASED_PENDING, time=stamp(RESTRAINT + timedelta(hours=30)))
    )

    after = await arrests.dispose(released, NO_SUSPICION)

    assert [clock.overdue for clock in after.clocks] == [clock.overdue for clock in released.clocks]
    assert not any(clock.overdue for clock in after.clocks)


async def test_a_ground_is_of_a_decision_not_to_indict_alone(arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(InvalidArgument) as refused:
        await arrests.dispose(made, became(Disposition.KIND_INDICTED, ground=Disposition.GROUND_NO_SUSPICION))

    assert [violation.field for violation in refused.value.violations] == ["disposition.ground"]
