"""Reviews of arrest records: the same rule as for tips, once through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.policy.v1.handling_pb2 import Review

from renkei_chassis.errors import FailedPrecondition, NotAllowed
from tests.agency import AGENCY, NOBODY, request_id
from tests.arrests.calls import Arrests, an_arrest

if TYPE_CHECKING:
    from tests.agency import Agency


async def review(arrests: Arrests, name: str, outcome: Review.Outcome.ValueType) -> arrests_pb2.Arrest:
    asked = arrests_pb2.ReviewArrestRequest(request_id=request_id(), name=name, reason="(演習)", outcome=outcome)
    return await arrests.client.call(arrests.stub.ReviewArrest, asked)


async def due(arrests: Arrests, parent: str = AGENCY) -> list[str]:
    asked = arrests_pb2.ListArrestsDueForReviewRequest(parent=parent)
    answer = await arrests.client.call(arrests.stub.ListArrestsDueForReview, asked)
    return [arrest.name for arrest in answer.arrests]


async def test_only_a_supervisor_reviews_an_arrest_record(agency: Agency, arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(NotAllowed):
        await review(Arrests(agency.client("OFFICER")), made.name, Review.OUTCOME_KEEP)
    with pytest.raises(FailedPrecondition) as refused:
        await due(arrests, NOBODY)

    assert refused.value.reason == "FOREIGN_ORIGINATOR"


async def test_a_review_keeps_or_deletes_an_arrest_record_and_takes_it_off_the_list(arrests: Arrests) -> None:
    records = []
    for _ in range(3):
        record = an_arrest()
        record.handling.review_by.FromDatetime(datetime(2024, 1, 1, tzinfo=UTC))
        records.append(await arrests.create(record))
    before = await due(arrests)

    kept = await review(arrests, records[0].name, Review.OUTCOME_KEEP)
    gone = await review(arrests, records[1].name, Review.OUTCOME_DELETE)

    assert before == [record.name for record in records]
    assert await due(arrests) == [records[2].name]
    assert (kept.review.outcome, kept.version, kept.HasField("delete_time")) == (Review.OUTCOME_KEEP, 2, False)
    assert gone.HasField("delete_time")
