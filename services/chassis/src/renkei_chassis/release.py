"""Decide from the descriptor which values may leave the agency, and build what leaves.

The contract marks each field with how far its value may go; there is no other list. Release builds a
new message from the fields that may leave, at every depth: what is not marked, not known, or marked
HOME was never in it, so there is nothing to forget to remove.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from google.protobuf.message import DecodeError
from renkei.policy.v1 import policy_pb2

from renkei_chassis import contract

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
    from google.protobuf.message import Message

M = TypeVar("M", bound="Message")

_ANY: Final = "google.protobuf.Any"
_TYPE_URL_PREFIX: Final = "type.googleapis.com/"
_LEAVES: Final = "google."

_SPREADS: Final = {
    policy_pb2.GRADE_INDEX_ONLY: frozenset({policy_pb2.SPREAD_INDEX}),
    policy_pb2.GRADE_FULL: frozenset({policy_pb2.SPREAD_INDEX, policy_pb2.SPREAD_RELEASE}),
}


class NotReleasableError(ValueError):
    """The message cannot leave at all. The text names types, never values."""


def strip(message: M, grade: policy_pb2.Grade.ValueType) -> M:
    """Build what of the message may leave at this grade. The message itself is not touched.

    - A field leaves if it is marked INDEX, or RELEASE and the grade is FULL; an unmarked or unknown
      field never does.
    - A message that carries an enum value marked with a spread leaves only as far as that; one with a
      value of such an enum that nobody knows stays. What stays is left out of its list, map or field.
    - A message of `google.*` leaves whole, without fields that its type does not know; an `Any` leaves
      stripped inside.

    Raises NotReleasableError if an `Any` holds a type that the contract does not know, or bytes that
    are not of that type, or if `message` itself carries a value that stays. Raises ValueError for a
    grade that releases nothing: there is no message to build then.
    """
    plan = _plan_of(cast("Descriptor", message.DESCRIPTOR), grade)
    if not _may_leave(message, plan):
        text = f"a {plan.descriptor.full_name} carries a value that stays in the agency"
        raise NotReleasableError(text)
    out = type(message)()
    _fill(out, message, plan)
    return out


def may_travel(descriptor: Descriptor) -> policy_pb2.Travel.ValueType:
    """Tell whether events of this type may leave: HOME also where the contract says nothing."""
    travel = descriptor.GetOptions().Extensions[policy_pb2.travel]
    if travel in {policy_pb2.TRAVEL_RELEASED, policy_pb2.TRAVEL_LANE}:
        return travel
    return policy_pb2.TRAVEL_HOME


class _Step(IntEnum):
    SCALAR = 1
    SCALARS = 2  # a list or a map without messages in it
    MESSAGE = 3
    MESSAGES = 4
    MESSAGE_MAP = 5


@dataclass(slots=True, kw_only=True, eq=False)
class _Plan:
    """How to build one type at one grade. Not frozen: a type may hold itself."""

    descriptor: Descriptor
    grade: policy_pb2.Grade.ValueType
    is_any: bool
    whole: bool  # nothing below is left out or looked at: copy in one go
    fields: dict[FieldDescriptor, tuple[_Step, str, _Plan | None]]
    guards: tuple[_Guard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guard:
    """A field whose value decides whether the message that holds it may leave."""

    name: str
    many: bool
    is_map: bool
    allowed: frozenset[int]


_PLANS: Final[dict[tuple[Descriptor, policy_pb2.Grade.ValueType], _Plan]] = {}


def _plan_of(descriptor: Descriptor, grade: policy_pb2.Grade.ValueType) -> _Plan:
    plan = _PLANS.get((descriptor, grade))
    if plan is None:
        if grade not in _SPREADS:
            text = f"grade {grade} releases nothing"
            raise ValueError(text)
        fresh: dict[Descriptor, _Plan] = {}
        plan = _make_plan(descriptor, grade, fresh)
        # Only now, so that no other thread sees a plan that is not finished.
        _PLANS.update({(made.descriptor, grade): made for made in fresh.values()})
    return plan


def _make_plan(descriptor: Descriptor, grade: policy_pb2.Grade.ValueType, fresh: dict[Descriptor, _Plan]) -> _Plan:
    plan = _Plan(
        descriptor=descriptor,
        grade=grade,
        is_any=descriptor.full_name == _ANY,
        whole=False,
        fields={},
        guards=(),
    )
    fresh[descriptor] = plan
    if plan.is_any:
        return plan
    if descriptor.full_name.startswith(_LEAVES):
        _refuse_depths(descriptor, descriptor, ())
        plan.whole = True
        return plan
    plan.guards = tuple(guard for field in descriptor.fields if (guard := _guard_of(field, grade)) is not None)
    for field in descriptor.fields:
        if field.GetOptions().Extensions[policy_pb2.spread] in _SPREADS[grade]:
            plan.fields[field] = _step_of(field, grade, fresh)
    plan.whole = len(plan.fields) == len(descriptor.fields) and all(
        child is None or (child.whole and not child.guards) for _, _, child in plan.fields.values()
    )
    return plan


def _step_of(
    field: FieldDescriptor, grade: policy_pb2.Grade.ValueType, fresh: dict[Descriptor, _Plan]
) -> tuple[_Step, str, _Plan | None]:
    inner = _value_field(field)
    below = inner.message_type
    if below is None:
        return (_Step.SCALARS if field.is_repeated else _Step.SCALAR), field.name, None
    plan = fresh.get(below) or _PLANS.get((below, grade)) or _make_plan(below, grade, fresh)
    if inner is not field:
        return _Step.MESSAGE_MAP, field.name, plan
    return (_Step.MESSAGES if field.is_repeated else _Step.MESSAGE), field.name, plan


def _guard_of(field: FieldDescriptor, grade: policy_pb2.Grade.ValueType) -> _Guard | None:
    inner = _value_field(field)
    if inner.enum_type is None:
        return None
    marks = {value.number: value.GetOptions().Extensions[policy_pb2.value_spread] for value in _values(inner.enum_type)}
    if not any(marks.values()):
        return None
    leaving = _SPREADS[grade]
    allowed = frozenset(number for number, mark in marks.items() if not mark or mark in leaving)
    return _Guard(name=field.name, many=field.is_repeated, is_map=inner is not field, allowed=allowed)


def _values(enum: EnumDescriptor) -> Any:  # noqa: ANN401 (the stubs say a list, upb gives a sequence of its own)
    return enum.values


def _value_field(field: FieldDescriptor) -> FieldDescriptor:
    """Give the field itself, or for a map the field of its values."""
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        return entry.fields_by_name["value"]
    return field


def _refuse_depths(leaf: Descriptor, descriptor: Descriptor, above: tuple[Descriptor, ...]) -> None:
    """Let only such `google.*` messages be leaves whose inside can be seen through when planning."""
    if descriptor.full_name == _ANY or descriptor in above:
        text = f"{leaf.full_name} can hold anything, and so is no leaf"
        raise NotReleasableError(text)
    for field in descriptor.fields:
        if field.message_type is not None:
            _refuse_depths(leaf, field.message_type, (*above, descriptor))


def _may_leave(message: Message, plan: _Plan) -> bool:
    for guard in plan.guards:
        value = getattr(message, guard.name)
        if guard.many:
            if not guard.allowed.issuperset(value.values() if guard.is_map else value):
                return False
        elif value not in guard.allowed:
            return False
    return True


def _fill(out: Message, message: Message, plan: _Plan) -> None:
    """Put into `out`, which is empty, what may leave of `message`, which has passed its guards."""
    if plan.whole:
        out.CopyFrom(message)
        out.DiscardUnknownFields()
        return
    if plan.is_any:
        _fill_any(out, message, plan.grade)
        return
    steps = plan.fields
    for field, value in message.ListFields():
        found = steps.get(field)
        if found is None:
            continue
        step, name, below = found
        if below is not None:
            _fill_below(getattr(out, name), value, step, below)
        elif step is _Step.SCALAR:
            setattr(out, name, value)
        else:
            getattr(out, name).MergeFrom(value)


def _fill_below(target: Any, value: Any, step: _Step, plan: _Plan) -> None:  # noqa: ANN401 (one message, a list or a map)
    if step is _Step.MESSAGE:
        if _may_leave(value, plan):
            target.SetInParent()
            _fill(target, value, plan)
    elif step is _Step.MESSAGES:
        for item in value:
            if _may_leave(item, plan):
                _fill(target.add(), item, plan)
    else:
        for key, item in value.items():
            if _may_leave(item, plan):
                _fill(target[key], item, plan)


def _fill_any(out: Any, message: Any, grade: policy_pb2.Grade.ValueType) -> None:  # noqa: ANN401 (Any of any pool)
    name = message.type_url.rpartition("/")[2]
    kind = contract.MESSAGE_TYPES.get(name)
    if kind is None:
        text = "an Any holds a type that is not in the contract"
        raise NotReleasableError(text)
    try:
        inside = kind.FromString(message.value)
    except DecodeError:
        text = f"an Any does not hold the {name} that it names"
        raise NotReleasableError(text) from None
    out.type_url = _TYPE_URL_PREFIX + name
    out.value = strip(inside, grade).SerializeToString(deterministic=True)
