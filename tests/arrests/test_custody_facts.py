"""Which facts of custody are refused over a real connection, and what is shown beside the clocks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.custody_pb2 import CUSTODY_NOTICE_CHILD_GUIDANCE_CENTRE, Custody, Detention, Warrant

from renkei_chassis.errors import InvalidArgument
from tests.arrests.calls import RESTRAINT, Arrests, an_arrest, japan, stamp
from tests.arrests.custodians import NOW, Custodians


async def test_a_late_referral_is_told_with_its_reason_and_stays_overdue(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        late = NOW + timedelta(hours=49)
        custodians.clock.set(late)
        custody = Custody(prosecutor_delay_reason="(演習) 離島からの護送、荒天")
        made = await arrests.create(an_arrest(restraint=NOW, prosecutor_receipt_time=stamp(late), custody=custody))

        assert (made.clocks[0].overdue, made.clocks[0].delay_reason) == (True, "(演習) 離島からの護送、荒天")


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        (
            {
                "detention_request_time": stamp(japan(3)),
                "custody": Custody(
                    detention=Detention(juvenile_measure=True, extension_grant_time=stamp(japan(12)), extension_days=10)
                ),
            },
            "EXTENSION_FORBIDDEN",
            "arrest.custody.detention.extension_days",
        ),
        (
            {
                "detention_request_time": stamp(japan(3)),
                "custody": Custody(detention=Detention(juvenile_measure=True)),
                "person": arrests_pb2.Person(birth_date="1990-01-01"),
            },
            "MEASURE_FORBIDDEN",
            "arrest.custody.detention.juvenile_measure",
        ),
        (
            {"custody": Custody(warrant=Warrant(issue_time=stamp(RESTRAINT), refuse_time=stamp(RESTRAINT)))},
            "CUSTODY_CONTRADICTORY",
            "arrest.custody.warrant.refuse_time",
        ),
        (
            {"custody": Custody(warrant=Warrant(issue_time=stamp(japan(1, 3, 16))))},
            "TIMES_OUT_OF_ORDER",
            "arrest.restraint_time",
        ),
        (
            {
                "detention_request_time": stamp(japan(3)),
                "custody": Custody(detention=Detention(grant_time=stamp(japan(2)))),
            },
            "TIMES_OUT_OF_ORDER",
            "arrest.custody.detention.grant_time",
        ),
        (
            {"custody": Custody(detention=Detention(extension_days=11))},
            "FIELD_INVALID",
            "arrest.custody.detention.extension_days",
        ),
    ],
)
async def test_facts_that_the_law_forbids_are_refused(
    arrests: Arrests, changes: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(**changes))

    assert refused.value.reason == reason
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_a_juvenile_is_not_indicted_before_the_family_court_sent_the_case_back(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest(person=arrests_pb2.Person(birth_date="2008-01-01")))
    with pytest.raises(InvalidArgument) as refused:
        await arrests.dispose(made)
    back = arrests_pb2.Arrest(
        name=made.name, etag=made.etag, custody=Custody(returned_to_prosecutor_time=stamp(japan(15)))
    )
    returned = await arrests.update(back, "custody.returned_to_prosecutor_time")

    assert refused.value.reason == "INDICTMENT_FORBIDDEN"
    assert (await arrests.dispose(returned)).state == arrests_pb2.Arrest.STATE_DISPOSED


async def test_a_child_has_no_clock_and_the_child_guidance_centre_is_shown(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        child = arrests_pb2.Person(birth_date=f"{NOW.year - 12}-01-01")
        made = await arrests.create(an_arrest(restraint=NOW, person=child))

        assert list(made.clocks) == list((await arrests.board()).clocks) == []
        assert list(made.notices) == [CUSTODY_NOTICE_CHILD_GUIDANCE_CENTRE]
