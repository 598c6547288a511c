"""While a review of imminent harm is overdue, no record that nobody has goes out; what others have is still mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from renkei.exchange.v1.exchange_pb2 import LANE_DATA
from renkei.personas.v1.events_pb2 import PersonaReported
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRecorded, TipReleased, TipRevised, TipWithdrawn
from sqlalchemy import update

from renkei_chassis.follower.apply import SetAside
from renkei_exchange import harm, store
from tests.exchange.ground import PEER
from tests.exchange.test_inbox import Door, recorded

if TYPE_CHECKING:
    from renkei_chassis.database.transaction import Transaction
    from tests.exchange.ground import Ground

HOUR_US = 3_600_000_000


@pytest.fixture
def door(ground: Ground) -> Door:
    return Door(ground)


async def send_harm(door: Door, *, hours_ago: float, sender: str = "agencies/jp-12/officers/sato") -> None:
    """Note a message as it was raised so long ago, or received if it has no sender."""

    def effect(transaction: Transaction) -> None:
        row = harm._row(transaction, "agencies/jp-12/harm/1", b"", recipients=PEER, sender=sender)
        transaction.insert(store.harm, row | {"time_us": transaction.now_us - int(hours_ago * HOUR_US)})

    await door.ground.writer.run(effect)


async def test_a_new_release_is_set_aside_and_goes_once_the_review_is_done(door: Door) -> None:
    await send_harm(door, hours_ago=73)

    with pytest.raises(SetAside) as aside:
        await door.release(recorded(), {PEER: GRADE_FULL})
    held = await door.sent()
    reviewed = update(store.harm).values(review_us=1)
    await door.ground.writer.run(lambda transaction: _execute(transaction, reviewed))
    await door.release(recorded(), {PEER: GRADE_FULL})

    assert aside.value.reason == "HARM_REVIEW_OVERDUE"
    assert held == []
    assert len(await door.sent()) == 1


def _execute(transaction: Transaction, statement: Any) -> None:  # noqa: ANN401 (any statement)
    transaction.execute(statement)


@pytest.mark.parametrize(
    ("hours_ago", "sender"), [(71, "agencies/jp-12/officers/sato"), (100, "")], ids=["in time", "of another force"]
)
async def test_a_review_in_time_or_of_others_holds_nothing(door: Door, hours_ago: float, sender: str) -> None:
    await send_harm(door, hours_ago=hours_ago, sender=sender)

    await door.release(recorded(), {PEER: GRADE_FULL})

    assert len(await door.sent()) == 1


async def test_what_others_have_is_still_corrected_and_recalled(door: Door) -> None:
    await door.release(recorded(), {PEER: GRADE_FULL})
    await send_harm(door, hours_ago=73)

    await door.release(TipRevised(tip=recorded().tip), {PEER: GRADE_FULL})
    await door.release(TipReleased(tip=recorded().tip), {PEER: GRADE_FULL})
    await door.release(TipWithdrawn(name="agencies/jp-12/tips/1"), {PEER: GRADE_FULL})

    assert [event.type.rpartition(".")[2] for event in await door.sent()] == [
        "TipRecorded",
        "TipRevised",
        "TipReleased",
        "TipWithdrawn",
    ]


async def test_a_report_to_the_npa_goes_and_what_goes_to_nobody_is_not_held(door: Door) -> None:
    await send_harm(door, hours_ago=73)

    await door.release(PersonaReported(plan="agencies/jp-12/plans/1", agency="agencies/jp-12"), {PEER: GRADE_FULL})
    await door.release(TipRecorded(tip=recorded().tip), {})

    bundles = await door.ground.bundles(LANE_DATA, peer=PEER)
    assert len(bundles) == 1
