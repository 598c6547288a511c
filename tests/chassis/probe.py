"""A message type with every shape a field can have, made at run time, and a way to fill any message at random."""

# ruff: noqa: ANN401 (what is made at run time has no type to name)

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1 import policy_pb2

if TYPE_CHECKING:
    from random import Random

    from google.protobuf.message import Message

Field = descriptor_pb2.FieldDescriptorProto
UNKNOWN_FIELD: Final = b"\xf8\x9d\x05\x01"  # number 10719, a varint
UNKNOWN_VALUE: Final = 4711
PACKAGE: Final = "probe.v1"


def probe_types() -> dict[str, type[Message]]:
    """Give the classes by name, in a pool of their own. Probe holds all others."""
    pool = descriptor_pool.DescriptorPool()
    for needed in (descriptor_pb2, any_pb2, timestamp_pb2, policy_pb2):
        pool.AddSerializedFile(needed.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(name="probe.proto", package=PACKAGE, syntax="proto3")
    file.dependency.extend(
        ["google/protobuf/any.proto", "google/protobuf/timestamp.proto", "renkei/policy/v1/policy.proto"]
    )
    kind = file.enum_type.add(name="Kind")
    for number, mark in enumerate(["", "", "HOME", "RELEASE", "INDEX"]):
        value = kind.value.add(name=f"KIND_{number}", number=number)
        if mark:
            value.options.Extensions[policy_pb2.value_spread] = policy_pb2.Spread.Value(f"SPREAD_{mark}")
    plain = file.enum_type.add(name="Plain")
    plain.value.add(name="PLAIN_0", number=0)
    plain.value.add(name="PLAIN_1", number=1)
    _probe(file.message_type.add(name="Probe"))
    _part(file.message_type.add(name="Part"))
    _field(file.message_type.add(name="Locked"), "text", Field.TYPE_STRING, "INDEX")
    # Here every field leaves, and only a value can hold something back.
    guarded = file.message_type.add(name="Guarded")
    _field(guarded, "text", Field.TYPE_STRING, "INDEX")
    _field(guarded, "kind", Field.TYPE_ENUM, "INDEX", kind="Kind")
    wrapper = file.message_type.add(name="Wrapper")
    _field(wrapper, "one", Field.TYPE_MESSAGE, "INDEX", kind="Guarded")
    _field(wrapper, "many", Field.TYPE_MESSAGE, "INDEX", kind="Guarded", many=True)
    pool.Add(file)
    names = [message.name for message in file.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in names}


def _probe(message: descriptor_pb2.DescriptorProto) -> None:
    for mark in ("INDEX", "RELEASE", "HOME", ""):
        _field(message, f"text_{mark or 'none'}".lower(), Field.TYPE_STRING, mark)
        _field(message, f"part_{mark or 'none'}".lower(), Field.TYPE_MESSAGE, mark, kind="Part")
        _field(message, f"parts_{mark or 'none'}".lower(), Field.TYPE_MESSAGE, mark, kind="Part", many=True)
        _map(message, f"words_{mark or 'none'}".lower(), mark, Field.TYPE_STRING)
        _map(message, f"named_{mark or 'none'}".lower(), mark, Field.TYPE_MESSAGE, kind="Part")
    _field(message, "numbers", Field.TYPE_SINT64, "INDEX", many=True)
    _field(message, "texts", Field.TYPE_STRING, "RELEASE", many=True)
    _field(message, "blob", Field.TYPE_BYTES, "RELEASE")
    _field(message, "ratio", Field.TYPE_DOUBLE, "INDEX")
    _field(message, "sure", Field.TYPE_BOOL, "RELEASE")
    _field(message, "plain", Field.TYPE_ENUM, "INDEX", kind="Plain")
    _field(message, "time", Field.TYPE_MESSAGE, "INDEX", kind=".google.protobuf.Timestamp")
    _field(message, "times", Field.TYPE_MESSAGE, "RELEASE", kind=".google.protobuf.Timestamp", many=True)
    _map(message, "dated", "INDEX", Field.TYPE_MESSAGE, kind=".google.protobuf.Timestamp")
    _field(message, "any", Field.TYPE_MESSAGE, "INDEX", kind=".google.protobuf.Any")
    _field(message, "anys", Field.TYPE_MESSAGE, "RELEASE", kind=".google.protobuf.Any", many=True)
    _field(message, "inner", Field.TYPE_MESSAGE, "INDEX", kind="Probe")
    _field(message, "wrapper", Field.TYPE_MESSAGE, "INDEX", kind="Wrapper")
    _field(message, "locked", Field.TYPE_MESSAGE, "HOME", kind="Locked")
    message.oneof_decl.add(name="choice")
    for name, mark in (("left", "INDEX"), ("middle", "HOME"), ("right", "RELEASE")):
        _field(message, name, Field.TYPE_STRING, mark).oneof_index = 0
    message.oneof_decl.add(name="_maybe")
    maybe = _field(message, "maybe", Field.TYPE_INT32, "INDEX")
    maybe.oneof_index, maybe.proto3_optional = 1, True


def _part(message: descriptor_pb2.DescriptorProto) -> None:
    _field(message, "text", Field.TYPE_STRING, "RELEASE")
    _field(message, "code", Field.TYPE_UINT32, "INDEX")
    _field(message, "kind", Field.TYPE_ENUM, "HOME", kind="Kind")
    _field(message, "kinds", Field.TYPE_ENUM, "INDEX", kind="Kind", many=True)
    _map(message, "kind_of", "", Field.TYPE_ENUM, kind="Kind")
    _field(message, "below", Field.TYPE_MESSAGE, "INDEX", kind="Part", many=True)


def _field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    type_: Field.Type.ValueType,
    mark: str,
    *,
    kind: str = "",
    many: bool = False,
) -> Field:
    field = message.field.add(name=name, number=len(message.field) + 1, type=type_)
    field.label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
    if kind:
        field.type_name = kind if kind.startswith(".") else f".{PACKAGE}.{kind}"
    if mark:
        field.options.Extensions[policy_pb2.spread] = policy_pb2.Spread.Value(f"SPREAD_{mark}")
    return field


def _map(
    message: descriptor_pb2.DescriptorProto, name: str, mark: str, type_: Field.Type.ValueType, *, kind: str = ""
) -> None:
    entry = message.nested_type.add(name="".join(word.title() for word in name.split("_")) + "Entry")
    entry.options.map_entry = True
    _field(entry, "key", Field.TYPE_STRING, "")
    _field(entry, "value", type_, "", kind=kind)
    _field(message, name, Field.TYPE_MESSAGE, mark, kind=f"{message.name}.{entry.name}", many=True)


def scatter(message: Message, random: Random, *, depth: int = 4) -> None:
    """Fill some of the fields, also with values and fields that the type does not know."""
    for field in message.DESCRIPTOR.fields:
        if random.random() < 0.4:
            continue
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            _scatter_map(getattr(message, field.name), kind.fields_by_name["value"], random, depth)
        elif kind is None:
            if field.is_repeated:
                getattr(message, field.name).extend(_scalar(field, random) for _ in range(random.randrange(3)))
            else:
                setattr(message, field.name, _scalar(field, random))
        elif depth:
            target = getattr(message, field.name)
            if not field.is_repeated:
                target.SetInParent()
            for item in [target.add() for _ in range(random.randrange(3))] if field.is_repeated else [target]:
                _scatter_message(item, random, depth)
    if random.random() < 0.2:
        message.MergeFromString(UNKNOWN_FIELD)


def _scatter_message(message: Any, random: Random, depth: int) -> None:
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Any":
        inside = identifiers_pb2.Identifier()
        scatter(inside, random)
        message.type_url = f"type.googleapis.com/{inside.DESCRIPTOR.full_name}"
        message.value = inside.SerializeToString()
        return
    scatter(message, random, depth=depth - 1)


def _scatter_map(target: Any, value: Any, random: Random, depth: int) -> None:
    for _ in range(random.randrange(3)):
        key = f"key{random.randrange(100)}"
        if value.message_type is None:
            target[key] = _scalar(value, random)
        else:
            _scatter_message(target[key], random, depth)


def _scalar(field: Any, random: Random) -> Any:
    if field.enum_type is not None:
        known: list[int] = [value.number for value in field.enum_type.values]
        return random.choice([*known, UNKNOWN_VALUE])
    if field.type == Field.TYPE_STRING:
        return random.choice(["", "名前", "a\0b"])
    if field.type == Field.TYPE_BYTES:
        return random.choice([b"", b"\xff\0"])
    if field.type == Field.TYPE_BOOL:
        return random.random() < 0.5
    if field.type == Field.TYPE_DOUBLE:
        return random.choice([0.0, -0.0, 1.5])
    return random.choice([0, 1, 77])
