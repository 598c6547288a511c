"""The trail of stolen money: it adds up, or says where it does not and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.arrests.v1 import arrests_pb2, events_pb2
from renkei.arrests.v1.money_pb2 import MoneyMovement, MoneyPlace, MoneyTrail
from renkei.identifiers.v1.identifiers_pb2 import IDENTIFIER_TYPE_BANK_ACCOUNT, Identifier
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_arrests.money import Kind, Movement, Place, total
from renkei_chassis.errors import InvalidArgument
from renkei_chassis.release import strip
from tests.agency import TOKYO, Agency
from tests.arrests.calls import Arrests, an_arrest, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACES: Final = [Place(kind, key) for kind in Kind for key in ("a", "b")]
MOVEMENTS: Final = st.builds(
    Movement,
    st.sampled_from([place for place in PLACES if place.kind is not Kind.SPENT]),
    st.sampled_from(PLACES),
    st.integers(1, 5),
).filter(lambda movement: movement.source != movement.destination)
OUTSIDE: Final = {Kind.VICTIM, Kind.SPENT, Kind.UNKNOWN}


def played_through(movements: Sequence[Movement]) -> dict[Place, int]:
    """Move yen by yen: what lies at each place in the end, less than nothing where more was taken than lay there."""
    lies = dict.fromkeys(PLACES, 0)
    for movement in movements:
        for _ in range(movement.yen):
            lies[movement.source] -= 1
            lies[movement.destination] += 1
    return lies


@given(st.lists(MOVEMENTS, max_size=12), st.integers(0, 40))
def test_a_trail_always_adds_up_with_what_it_says_is_missing(movements: list[Movement], damage: int) -> None:
    found, lies = total(movements), played_through(movements)

    came_in = found.taken + found.appeared + found.unexplained
    assert came_in == found.returned + found.seized + found.spent + found.lost + found.held
    assert found.balances == {place: yen for place, yen in lies.items() if yen and place.kind not in OUTSIDE}
    assert found.unexplained == -sum(min(yen, 0) for place, yen in lies.items() if place.kind not in OUTSIDE)
    assert found.returned - found.taken == lies[PLACES[0]] + lies[PLACES[1]]
    assert total(movements[::-1]) == found
    missing = found.difference(damage) or found.unexplained or found.appeared or found.lost
    assert found.reconciled(damage) is (not missing)


@given(st.lists(MOVEMENTS, max_size=12), MOVEMENTS)
def test_one_more_movement_changes_the_two_places_it_names_and_no_other(
    movements: list[Movement], one: Movement
) -> None:
    before, after = total(movements).balances, total([*movements, one]).balances

    assert {place for place in PLACES if before.get(place, 0) != after.get(place, 0)} == {
        place for place in (one.source, one.destination) if place.kind not in OUTSIDE
    }


def a_place(kind: str, name: str = "", account: str = "") -> MoneyPlace:
    place = MoneyPlace(kind=MoneyPlace.Kind.Value(f"KIND_{kind}"), display_name=name)
    if account:
        place.identifier.CopyFrom(
            an_occurrence(identifier=Identifier(type=IDENTIFIER_TYPE_BANK_ACCOUNT, original=account))
        )
    return place


def moved(source: MoneyPlace, destination: MoneyPlace, yen: int, **changes: Any) -> MoneyMovement:  # noqa: ANN401
    return MoneyMovement(source=source, destination=destination, amount_yen=yen, **changes)


def a_trail() -> MoneyTrail:
    """Three million from a victim: through an account and a courier to a locker, a tenth seized, some gone."""
    account = "0999-001-普通-0000123"
    spelled_otherwise = "0999-001-1-0000123"
    return MoneyTrail(
        damage_yen=3_200_000,
        movements=[
            moved(a_place("VICTIM"), a_place("ACCOUNT", account=account), 3_000_000, text="(演習データ) 振込"),
            moved(a_place("ACCOUNT", account=spelled_otherwise), a_place("COURIER", "回収役A"), 2_500_000),
            moved(a_place("COURIER", "回収役A"), a_place("CASH_DROP", "駅のロッカー"), 2_600_000),
            moved(a_place("CASH_DROP", "駅のロッカー"), a_place("UNKNOWN"), 2_300_000),
            moved(a_place("CASH_DROP", "駅のロッカー"), a_place("SEIZED"), 300_000),
            moved(a_place("SEIZED"), a_place("VICTIM"), 100_000),
        ],
    )


async def test_a_recorded_trail_says_by_how_much_it_does_not_add_up(arrests: Arrests, agency: Agency) -> None:
    made = await arrests.create(an_arrest(money=a_trail(), releasable_to=[TOKYO]))

    totals = made.money.totals
    assert (totals.taken_yen, totals.difference_yen, totals.reconciled) == (3_000_000, 200_000, False)
    assert (totals.returned_yen, totals.seized_yen, totals.lost_yen) == (100_000, 200_000, 2_300_000)
    assert (totals.held_yen, totals.unexplained_yen) == (500_000, 100_000)
    assert [(each.movement, each.is_source, each.balance_yen) for each in totals.balances] == [
        (0, False, 500_000),
        (1, False, -100_000),
        (4, False, 200_000),
    ]
    assert [each.name for each in (await arrests.search("0000123")).arrests] == [made.name]
    assert [each.name for each in (await arrests.search("", text="振込")).arrests] == [made.name]
    (event,) = await agency.events()
    index = strip(events_pb2.ArrestRecorded.FromString(event.data.value), GRADE_INDEX_ONLY).arrest.money
    full = strip(events_pb2.ArrestRecorded.FromString(event.data.value), GRADE_FULL).arrest.money
    assert full == made.money
    assert (index.damage_yen, index.HasField("totals"), index.movements[0].amount_yen) == (0, False, 0)
    assert index.movements[0].destination.identifier.identifier.normal_form == "0999-001-1-0000123"

    mended = a_trail()
    mended.damage_yen, mended.movements[2].amount_yen = 3_000_000, 2_500_000
    mended.movements[3].destination.kind = MoneyPlace.KIND_SPENT
    mended.movements[3].amount_yen = 2_200_000
    mended.totals.lost_yen = 77
    corrected = await arrests.update(
        arrests_pb2.Arrest(name=made.name, etag=made.etag, money=mended), "money.damage_yen", "money.movements"
    )
    assert corrected.money.totals.reconciled
    assert (corrected.money.totals.lost_yen, corrected.money.totals.spent_yen) == (0, 2_200_000)


async def test_what_is_no_movement_is_refused_by_its_place(arrests: Arrests) -> None:
    victim = a_place("VICTIM", account="0999-001-普通-0000123")
    courier = a_place("COURIER", "A")
    wrong = {
        "source.kind": moved(MoneyPlace(), courier, 1),
        "destination.kind": moved(courier, MoneyPlace(), 1),
        "amount_yen": moved(courier, a_place("SPENT"), 0),
        "destination": moved(courier, a_place("COURIER", "A"), 1),
        "source.identifier": moved(victim, courier, 1),
    }
    wrong_too = {"source.kind": moved(a_place("SPENT"), courier, 1)}
    for expected, movement in (*wrong.items(), *wrong_too.items()):
        with pytest.raises(InvalidArgument) as refused:
            await arrests.create(an_arrest(money=MoneyTrail(movements=[movement])))
        assert refused.value.reason == "FIELD_INVALID"
        assert refused.value.violations[0].field == f"arrest.money.movements[0].{expected}"
