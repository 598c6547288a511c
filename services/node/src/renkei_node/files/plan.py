"""Read a profile against the contract, before any file: what each of its fields is, or why it cannot be one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from renkei.arrests.v1.arrests_pb2 import SeizedItem
from renkei.identifiers.v1.identifiers_pb2 import Occurrence

from renkei_files import ColumnRule, Kind, ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

    from renkei_files import Profile
    from renkei_node.files.kinds import FileKind

# Fields that are no path in the record.
CHECKED: Final = "only."
"""A column of choices under `only.` something admits rows with one of its words, and becomes nothing."""
RELEASE: Final = "handling.release"
RELEASES: Final = frozenset({"NONE", "FULL", "INDEX_ONLY"})
"""Whether `handling.releasable_to` has to be empty, and at which grade the record goes to those that it names."""
AGENCIES: Final = "handling.releasable_to"
BIRTH: Final = "person.birth_date"
ITEM: Final = "seized_item"
_TRUTHS: Final = {"true": True, "false": False}
_PROPERTIES: Final = ("relation", "provenance", "valid_from", "valid_until")
_TIMES: Final = frozenset({Kind.DAY, Kind.MOMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A field of the record, and by which way it is filled."""

    field: str
    way: tuple[str, ...]
    """The messages on the way to it, from the record or from the seized item."""
    last: str
    on_item: bool
    values: Mapping[str, Any] | None
    """What words mean, of an enum or a truth; None: a text."""
    is_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for identifiers of one type: the field that holds them, and those that tell of them."""

    field: str
    type: int
    on_item: bool
    relation: str
    """The field that gives it."""
    provenance: str
    valid_from: str
    valid_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A profile as the import carries it out."""

    kind: FileKind
    profile: Profile
    scalars: tuple[Scalar, ...]
    slots: tuple[Slot, ...]
    relations: Mapping[str, int]
    provenances: Mapping[str, int]
    headers: Mapping[str, str] = field(default_factory=dict)
    """What reports call a field."""

    @property
    def has_release(self) -> bool:
        """Whether the profile says of a row to whom it goes in a column of its own."""
        return RELEASE in self.headers


def words_of(kind: EnumDescriptor | None) -> dict[str, int]:
    """Give the values of an enum by their names without its prefix and without the unspecified one."""
    assert kind is not None  # noqa: S101 (of fields that are known to be enums)
    prefix = kind.values[0].name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix): value.number for value in kind.values if value.number}


def plan(profile: Profile, kind: FileKind) -> Plan:
    """Read a profile for tips or arrests. Raises ProfileError where a field means nothing, or a needed one lacks."""
    rules: dict[str, ColumnRule | str] = {column.field: column for column in profile.columns}
    rules |= profile.constants
    for needed in kind.required:
        if needed not in rules:
            raise ProfileError(f"{needed}: no column and no constant gives it, and every record needs it")
    scalars, slots = [], []
    for name in rules:
        if name in {RELEASE, AGENCIES} or name.startswith(CHECKED):
            continue
        if name in kind.fields:
            scalars.append(_scalar(name, kind))
        elif (slot := _slot(name, rules, kind)) is not None:
            slots.append(slot)
    made = Plan(
        kind=kind,
        profile=profile,
        scalars=tuple(scalars),
        slots=tuple(slots),
        relations=words_of(Occurrence.DESCRIPTOR.fields_by_name["relation"].enum_type),
        provenances=words_of(Occurrence.DESCRIPTOR.fields_by_name["provenance"].enum_type),
        headers={name: rule.headers[0] if isinstance(rule, ColumnRule) else name for name, rule in rules.items()},
    )
    _check(made, rules)
    return made


def _scalar(name: str, kind: FileKind) -> Scalar:
    *way, last = name.split(".")
    on_item = bool(way) and way[0] == ITEM
    message: Any = SeizedItem.DESCRIPTOR if on_item else kind.message.DESCRIPTOR
    way = way[1:] if on_item else way
    for step in way:
        message = _inner(message.fields_by_name[step])
    described = message.fields_by_name[last]
    values: Mapping[str, Any] | None = None
    if described.enum_type is not None:
        values = words_of(described.enum_type)
    elif described.type == described.TYPE_BOOL:
        values = _TRUTHS
    is_time = described.message_type is Timestamp.DESCRIPTOR
    return Scalar(field=name, way=tuple(way), last=last, on_item=on_item, values=values, is_time=is_time)


def _inner(described: FieldDescriptor) -> Descriptor:
    inner = described.message_type
    assert inner is not None  # noqa: S101 (paths of the table of kinds)
    return inner


def _slot(name: str, rules: Mapping[str, object], kind: FileKind) -> Slot | None:
    """Read `identifiers.phone`, or one with a label; None for what tells of another field, which is looked up there."""
    place = next((place for place in reversed(kind.places) if name.startswith(f"{place}.")), None)
    if place is None:
        raise ProfileError(f"{name}: no field of {kind.collection}; there are {', '.join(kind.fields)}, identifiers.…")
    first, *more = name.removeprefix(f"{place}.").split(".")
    types = {word.lower(): number for word, number in words_of(_identifier_types()).items()}
    if not more and first in _PROPERTIES[:2]:
        return None
    if first not in types or len(more) > 2:  # noqa: PLR2004 (a label and a property)
        raise ProfileError(f"{name}: no type of identifier; there are {', '.join(types)}")
    if more and more[-1] in _PROPERTIES:
        if name.rpartition(".")[0] not in rules:
            raise ProfileError(f"{name}: tells of {name.rpartition('.')[0]}, which is no field of the profile")
        return None
    if len(more) > 1:
        raise ProfileError(f"{name}: after the label comes one of {', '.join(_PROPERTIES)}")
    given = {}
    for each in _PROPERTIES[:2]:
        # Its own field alone where there is one: an empty cell there is not filled from somewhere else.
        found = next((field for field in (f"{name}.{each}", f"{place}.{each}") if field in rules), None)
        if found is None:
            raise ProfileError(f"{name}: nothing gives its {each}; add {name}.{each} or {place}.{each}")
        given[each] = found
    return Slot(
        field=name,
        type=types[first],
        on_item=place.startswith(ITEM),
        relation=given["relation"],
        provenance=given["provenance"],
        valid_from=f"{name}.valid_from",
        valid_until=f"{name}.valid_until",
    )


def _identifier_types() -> EnumDescriptor | None:
    return _inner(Occurrence.DESCRIPTOR.fields_by_name["identifier"]).fields_by_name["type"].enum_type


def _check(made: Plan, rules: Mapping[str, ColumnRule | str]) -> None:
    """Refuse columns that are read otherwise than their field needs."""
    known: dict[str, Mapping[str, object]] = {
        scalar.field: scalar.values for scalar in made.scalars if scalar.values is not None
    }
    for name in rules:
        if name.endswith((".relation", ".provenance")):
            known[name] = made.relations if name.endswith(".relation") else made.provenances
    if made.has_release:
        known[RELEASE] = dict.fromkeys(RELEASES)
        if AGENCIES not in rules:
            raise ProfileError(f"{RELEASE}: needs {AGENCIES} beside it")
    times = {scalar.field for scalar in made.scalars if scalar.is_time}
    times |= {name for name in rules if name.endswith((".valid_from", ".valid_until"))}
    for name, rule in rules.items():
        if isinstance(rule, ColumnRule):
            _check_column(name, rule, known.get(name), is_time=name in times)
        elif name in times:
            raise ProfileError(f"{name}: a time cannot be the same in every row")
        elif name in known and rule not in known[name]:
            raise ProfileError(f"{name}: must be one of {', '.join(known[name])}")


def _check_column(name: str, rule: ColumnRule, known: Mapping[str, object] | None, *, is_time: bool) -> None:
    if name.startswith(CHECKED) and rule.kind is not Kind.CHOICE:
        raise ProfileError(f"{name}: needs kind = choice, whose words admit a row")
    if known is not None:
        if rule.kind is not Kind.CHOICE:
            raise ProfileError(f"{name}: needs kind = choice, with words for some of {', '.join(known)}")
        for value in rule.choices.values():
            if value not in known:
                raise ProfileError(f"{name}: a choice means none of {', '.join(known)}")
    if is_time is not (rule.kind in _TIMES) and name != BIRTH:
        raise ProfileError(f"{name}: needs kind = {'day or moment' if is_time else 'text, digits, phone or choice'}")
    if name == BIRTH and rule.kind is not Kind.DAY:
        raise ProfileError(f"{name}: needs kind = day")
    if rule.separator and name != AGENCIES and "identifiers." not in name:
        raise ProfileError(f"{name}: holds one value, so it has no separator")
