"""The money trail of a record: what each movement has to say, and its totals, set with every version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.money_pb2 import MoneyPlace, MoneyTotals

from renkei_arrests.money import Kind, Movement, Place, total
from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei.arrests.v1.arrests_pb2 import Arrest
    from renkei.arrests.v1.money_pb2 import MoneyMovement, MoneyTrail
    from renkei.identifiers.v1.identifiers_pb2 import Occurrence

_KINDS: Final = {MoneyPlace.Kind.Value(f"KIND_{kind.value}"): kind for kind in Kind}
_MAX_VIOLATIONS: Final = 50


def places(trail: MoneyTrail) -> Iterator[tuple[str, MoneyPlace]]:
    """Give every place, with its path in the record."""
    for index, movement in enumerate(trail.movements):
        yield f"money.movements[{index}].source", movement.source
        yield f"money.movements[{index}].destination", movement.destination


def occurrences(trail: MoneyTrail) -> Iterator[tuple[str, Occurrence]]:
    """Give the identifiers in a trail, with their paths."""
    for path, place in places(trail):
        if place.HasField("identifier"):
            yield f"{path}.identifier", place.identifier


def add_up(arrest: Arrest) -> None:
    """Check a trail, whose identifiers have their normal forms, and set its totals. Raises FIELD_INVALID."""
    if not arrest.HasField("money"):
        return
    trail = arrest.money
    broken = list(_broken(trail))[:_MAX_VIOLATIONS]
    if broken:
        text = f"{broken[0].field}: {broken[0].description}"
        raise InvalidArgument("FIELD_INVALID", text, violations=broken)
    _set_totals(trail)


def _broken(trail: MoneyTrail) -> Iterator[FieldViolation]:
    for index, movement in enumerate(trail.movements):
        path = f"arrest.money.movements[{index}]"
        if not movement.source.kind:
            yield FieldViolation(field=f"{path}.source.kind", description="must be set")
        if not movement.destination.kind:
            yield FieldViolation(field=f"{path}.destination.kind", description="must be set")
        if not movement.amount_yen:
            yield FieldViolation(field=f"{path}.amount_yen", description="must be at least 1")
        if movement.source.kind == MoneyPlace.KIND_SPENT:
            yield FieldViolation(field=f"{path}.source.kind", description="nothing comes back from what was spent")
        elif movement.source.kind and _place(movement.source) == _place(movement.destination):
            yield FieldViolation(field=f"{path}.destination", description="must be another place")
    for path, place in places(trail):
        if place.kind == MoneyPlace.KIND_VICTIM and place.HasField("identifier"):
            # A victim must not be found, and not be linked, as those are who took the money.
            yield FieldViolation(field=f"arrest.{path}.identifier", description="must be empty of a victim")


def _set_totals(trail: MoneyTrail) -> None:
    found = total(_movement(movement) for movement in trail.movements)
    totals = MoneyTotals(
        taken_yen=found.taken,
        appeared_yen=found.appeared,
        returned_yen=found.returned,
        seized_yen=found.seized,
        spent_yen=found.spent,
        lost_yen=found.lost,
        held_yen=found.held,
        unexplained_yen=found.unexplained,
        difference_yen=found.difference(trail.damage_yen),
        reconciled=found.reconciled(trail.damage_yen),
    )
    told: set[Place] = set()
    for number, movement in enumerate(trail.movements):
        for is_source, place in ((True, _place(movement.source)), (False, _place(movement.destination))):
            if place in found.balances and place not in told:
                told.add(place)
                totals.balances.add(movement=number, is_source=is_source, balance_yen=found.balances[place])
    trail.totals.CopyFrom(totals)


def _movement(movement: MoneyMovement) -> Movement:
    return Movement(_place(movement.source), _place(movement.destination), movement.amount_yen)


def _place(place: MoneyPlace) -> Place:
    identifier = place.identifier.identifier
    written = identifier.normal_form or identifier.original
    return Place(_KINDS.get(place.kind, Kind.UNKNOWN), (identifier.type, written) if written else place.display_name)
