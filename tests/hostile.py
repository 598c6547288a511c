"""Every request of the contract with one field wrecked at a time, made from the descriptors alone.

A new method or field is covered without a line here: it only has to have rules that a proper value can keep.
"""

# ruff: noqa: ANN401 (upb's descriptors and messages of any type)

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from buf.validate import validate_pb2

from renkei_chassis import contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.message import Message

MARK: Final = "HOSTILE"
"""Stands in every text that is sent and must be in no refusal and no log."""
AGENCY: Final = "agencies/jp-13"
OTHER: Final = "agencies/jp-12"
UNKNOWN_FIELD: Final = b"\xf8\x9d\x05\x01"  # number 10719, a varint
UNKNOWN_VALUE: Final = 4711
STRANGE: Final = {"bidi": "\u202e", "zero width": "\u200b", "non-BMP": "𠮷", "gaiji": "\ue000", "combining": "か\u3099"}
"""What may be meant, and is kept as it was written wherever any text may stand."""
REFUSED: Final = {"NUL": f"{MARK}\0", "huge": MARK + "x" * 100_000}
_COLLECTIONS: Final = {
    "renkei.tips.v1": "tips",
    "renkei/tips/v1/opinions.proto": "opinions",
    "renkei.arrests.v1": "arrests",
    "renkei.leads.v1": "leads",
}
"""By file where one of a package is about other records than the rest of it."""
_ID: Final = "00000000-0000-7000-8000-000000000001"
_TIP: Final = "agencies/[a-z]{2}-[a-z0-9]{2,8}/tips/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BY_PATTERN: Final = {
    "^([a-z0-9]+(-[a-z0-9]+)*)?$": "organised-robbery",
    "^agencies/[a-z]{2}-[a-z0-9]{2,8}$": OTHER,
    r"^[^\x00-\x1f\x7f]*$": "words",
    "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$": "1990-01-02",
    "^[0-9a-f]{64}$": "0" * 64,
    f"^({_TIP})?$": f"{OTHER}/tips/{_ID}",
    f"^{_TIP}$": f"{OTHER}/tips/{_ID}",
    f"^({_TIP.replace('tips', 'arrests')})?$": "",  # one that is named has to be there
}
# Given out by a service; whoever has none leaves it empty.
_TOKENS: Final = ("page_token", "resume_token", "epoch")
# What stands in a request only instead of others, and those others; no node takes an instrument yet.
_INSTEAD: Final[dict[str, tuple[str, ...]]] = {
    "renkei.personas.v1.SubmitPersonaRequest.name": ("parent", "plan"),
    "renkei.personas.v1.PrepareDisclosureRequest.harm": ("identifiers",),
    "renkei.policy.v1.Handling.instrument": (),
    "renkei.arrests.v1.Disposition.ground": (),  # of what is no indictment
    "renkei.arrests.v1.MoneyTrail.movements": (),  # whose two places must differ
    "renkei.arrests.v1.Warrant.refuse_time": ("issue_time",),
    "renkei.arrests.v1.Detention.refuse_time": ("grant_time", "extension_grant_time", "extension_days"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One bad request."""

    request: Message
    path: str
    """The field that is wrecked, as a refusal names it."""
    field: str
    """Its full name; empty where the message around it is."""
    what: str
    must_be_refused: bool


def requests() -> dict[str, type[Message]]:
    """Give the type of every request, by the path of its method."""
    return {path: contract.message_type(method.input_type.full_name) for path, method, _ in contract.methods()}


def proper(kind: type[Message], names: Mapping[str, str] | None = None) -> Any:
    """Make a request that keeps every rule, with all of its fields set. `names` are real ones, by collection."""
    message = kind()
    _fill(message, dict(names or {}))
    return message


def _fill(message: Any, names: dict[str, str]) -> None:
    kind = message.DESCRIPTOR.full_name
    if kind == "google.protobuf.Timestamp":
        message.FromJsonString("2024-10-01T03:15:00Z")
        return
    for field in message.DESCRIPTOR.fields:
        if field.full_name in _INSTEAD or field.name in _TOKENS:
            continue
        target = getattr(message, field.name)
        if field.message_type is not None and field.message_type.full_name == "google.protobuf.FieldMask":
            target.paths.extend(_every_field_beside(field))
        elif field.message_type is not None:
            below = target.add() if field.is_repeated else target
            below.SetInParent()
            _fill(below, names)
        elif field.is_repeated:
            target.append(_value(field, names))
        else:
            setattr(message, field.name, _value(field, names))


def _every_field_beside(mask: Any) -> list[str]:
    """Name the fields of the resource that a mask is about: what is output-only among them is ignored."""
    beside = [field.message_type for field in mask.containing_type.fields if field.message_type is not None]
    about = next((kind for kind in beside if "name" in kind.fields_by_name), beside[0])
    return [field.name for field in about.fields]


def rules_of(field: Any) -> validate_pb2.FieldRules:
    """Give the rules of a field, or of its items."""
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules.repeated.items if field.is_repeated else rules


def _value(field: Any, names: dict[str, str]) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[1].number
    if field.type == field.TYPE_BOOL:
        return False
    if field.type == field.TYPE_STRING:
        return _text(field, names)
    return b"\xff" if field.type == field.TYPE_BYTES else max(1, rules_of(field).int32.gte)


def _text(field: Any, names: dict[str, str]) -> str:
    rules = rules_of(field).string
    if rules.uuid:
        return str(uuid.uuid4())
    if rules.pattern:
        return _BY_PATTERN[rules.pattern]
    if (below := _below_an_arrest(field, names)) is not None:
        return below
    if field.name == "parent":
        return AGENCY
    if field.name in {"name", "record"}:
        collection = _COLLECTIONS.get(field.file.name, _COLLECTIONS.get(field.file.package, "personas"))
        return names.get(collection, f"{AGENCY}/{collection}/{_ID}")
    spelled = {"releasable_to": OTHER, "address": "東京都千代田区一丁目", "original_code": "A1", "code": "A1"}
    return spelled.get(field.name, "words")[: rules.max_len or None]


def _below_an_arrest(field: Any, names: Mapping[str, str]) -> str | None:
    """Name what lies below an arrest; None for a field that names nothing of that kind."""
    arrest = names.get("arrests", f"{AGENCY}/arrests/{_ID}")
    exhibit = names.get("exhibits", f"{arrest}/exhibits/{_ID}")
    named = {
        "exhibits.proto": {"parent": arrest, "name": exhibit, "within": names.get("exhibits", "")},
        "sealed.proto": {"name": f"{arrest}/sealedBlocks/person"},
    }
    return named.get(field.file.name.rpartition("/")[2], {}).get(field.name)


def wrecked(kind: type[Message], names: Mapping[str, str] | None = None) -> Iterator[Hostile]:
    """Give a proper request over and over, each time with one field wrecked in one way."""
    yield from _wrecked(kind, dict(names or {}), kind.DESCRIPTOR, ())


def _wrecked(kind: type[Message], names: dict[str, str], below: Any, above: tuple[Any, ...]) -> Iterator[Hostile]:
    def made(what: str, field: Any = None, *, refused: bool = True) -> tuple[Any, Hostile]:
        request, path = proper(kind, names), _path(above, field)
        full = field.full_name if field is not None else ""
        hostile = Hostile(request=request, path=path, field=full, what=what, must_be_refused=refused)
        holder = _reach(request, above)
        if field is not None:
            _make_room(holder, field)
        return holder, hostile

    holder, hostile = made("unknown field")
    holder.MergeFromString(UNKNOWN_FIELD)
    yield hostile
    for field in below.fields:
        for what, value, refused in _values(field):
            holder, hostile = made(what, field, refused=refused)
            if field.is_repeated:
                getattr(holder, field.name)[:] = [value]
            else:
                setattr(holder, field.name, value)
            yield hostile
        most = field.GetOptions().Extensions[validate_pb2.field].repeated.max_items
        if most:
            holder, hostile = made("too many", field)
            _overfill(getattr(holder, field.name), most, field, names)
            yield hostile
        if field.message_type is not None:
            yield from _wrecked(kind, names, field.message_type, (*above, field))


def _path(above: tuple[Any, ...], field: Any) -> str:
    """Say where a field is, or the message that is to be wrecked itself."""
    parts = [f"{step.name}[0]" if step.is_repeated else step.name for step in above]
    return ".".join(parts if field is None else [*parts, field.name])


def _reach(request: Any, above: tuple[Any, ...]) -> Any:
    holder = request
    for step in above:
        _make_room(holder, step)
        target = getattr(holder, step.name)
        if step.is_repeated and not target:
            target.add()
        holder = target[0] if step.is_repeated else target
    return holder


def _overfill(target: Any, most: int, field: Any, names: dict[str, str]) -> None:
    while len(target) <= most:
        if field.message_type is not None:
            target.add()
        else:
            target.append(_value(field, names))


def _make_room(holder: Any, field: Any) -> None:
    for other in _INSTEAD.get(field.full_name, ()):
        holder.ClearField(other)


def _values(field: Any) -> Iterator[tuple[str, Any, bool]]:
    if field.enum_type is not None:
        yield "unknown value", UNKNOWN_VALUE, True
        yield "value below all", -1, True
    elif field.type == field.TYPE_STRING:
        yield from ((what, value, True) for what, value in REFUSED.items() if not _is_of_mask(field))
        yield "malformed", f"{MARK}/../%00{{}}'; DROP TABLE tip;--", False
        yield from ((what, f"{MARK}{sign}", False) for what, sign in STRANGE.items())
    elif field.type in {field.TYPE_INT32, field.TYPE_INT64, field.TYPE_UINT32, field.TYPE_UINT64}:
        bits = 32 if field.type in {field.TYPE_INT32, field.TYPE_UINT32} else 64
        signed = field.type in {field.TYPE_INT32, field.TYPE_INT64}
        yield "largest", 2 ** (bits - signed) - 1, False
        if signed:
            yield "smallest", -(2 ** (bits - 1)), False
    elif field.type == field.TYPE_BYTES:
        yield "huge", b"x" * 100_000, True


def _is_of_mask(field: Any) -> bool:
    """Say whether it is the list in a mask, whose rules are not ours to write."""
    return bool(field.containing_type.full_name == "google.protobuf.FieldMask")
