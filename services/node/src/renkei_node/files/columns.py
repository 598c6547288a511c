"""What stands in an exported table: one row a record, the label first, no person, every value a text.

The columns follow the contract and have no list of their own: a new field is exported when the contract has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from renkei.identifiers.v1.identifiers_pb2 import IdentifierType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import FieldDescriptor

    from renkei_node.files.kinds import FileKind

JAPAN: Final = timezone(timedelta(hours=9))
# The person is a sealed block. Clocks, etags and the like are of use only while they are fresh.
SEALED: Final = frozenset({"person"})
_PASSING: Final = frozenset({"etag", "clocks"})
_SEPARATOR: Final = " ; "


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name is the field's path in the record."""

    name: str
    read: Callable[[Any], Any]
    """Gives a text, or a time, or None where the field is not set."""
    is_time: bool = False


def columns_of(kind: FileKind) -> tuple[Column, ...]:
    """Give the columns of a kind of record: name and label before everything else."""
    rest = [column for column in _columns(kind.message.DESCRIPTOR, ()) if column.name != "name"]
    label = [column for column in rest if column.name.startswith("handling.")]
    others = [column for column in rest if not column.name.startswith("handling.")]
    name = Column(name="name", read=lambda record: record.name)
    return (name, *label, *others, *_identifier_columns(kind))


def text_of(value: Any) -> str:  # noqa: ANN401 (whatever `Column.read` gives)
    """Write a value for a table of texts; times are Japan's."""
    if isinstance(value, datetime):
        return value.astimezone(JAPAN).isoformat(timespec="seconds")
    return "" if value is None else str(value)


def _columns(message: Any, way: tuple[str, ...]) -> Iterator[Column]:  # noqa: ANN401 (a descriptor, of one of two classes)
    for field in message.fields:
        if not way and field.name in SEALED | _PASSING:
            continue
        path = (*way, field.name)
        inner = field.message_type
        if field.is_repeated:
            if inner is None:
                yield Column(name=".".join(path), read=_repeated(path))
        elif inner is None or inner is Timestamp.DESCRIPTOR:
            yield Column(name=".".join(path), read=_reader(path, field), is_time=inner is not None)
        else:
            yield from _columns(inner, path)


def _reader(path: tuple[str, ...], field: FieldDescriptor) -> Callable[[Any], Any]:
    *way, last = path
    prefix = field.enum_type.values[0].name.removesuffix("UNSPECIFIED") if field.enum_type is not None else ""

    def read(record: Any) -> Any:  # noqa: ANN401 (any field)
        for step in way:
            record = getattr(record, step)
        value = getattr(record, last)
        if field.message_type is not None:
            return value.ToDatetime(UTC) if record.HasField(last) else None
        if field.enum_type is not None:
            named = field.enum_type.values_by_number.get(value)
            return "" if not value else named.name.removeprefix(prefix) if named is not None else str(value)
        if isinstance(value, bool):
            return "true" if value else ""
        return str(value)

    return read


def _repeated(path: tuple[str, ...]) -> Callable[[Any], str]:
    *way, last = path

    def read(record: Any) -> str:  # noqa: ANN401 (any record)
        for step in way:
            record = getattr(record, step)
        return _SEPARATOR.join(getattr(record, last))

    return read


def _identifier_columns(kind: FileKind) -> Iterator[Column]:
    """Give a column for each type, with every identifier of the record as it was written."""
    for value in IdentifierType.DESCRIPTOR.values:
        if value.number:
            name = value.name.removeprefix("IDENTIFIER_TYPE_").lower()
            yield Column(name=f"identifiers.{name}", read=_identifiers(value.number, original=True))
            yield Column(name=f"identifiers.{name}.normal_form", read=_identifiers(value.number, original=False))
    if "seized_item.description" in kind.fields:
        yield Column(name="seized_items", read=lambda record: _SEPARATOR.join(_items(record)))


def _items(record: Any) -> Iterator[str]:  # noqa: ANN401 (an Arrest)
    for item in record.seized_items:
        yield f"{item.description} ({item.exhibit_number})" if item.exhibit_number else item.description


def _identifiers(number: int, *, original: bool) -> Callable[[Any], str]:
    def read(record: Any) -> str:  # noqa: ANN401 (any record)
        found = [each.identifier for each in occurrences(record) if each.identifier.type == number]
        return _SEPARATOR.join(each.original if original else each.normal_form for each in found)

    return read


def occurrences(record: Any) -> list[Any]:  # noqa: ANN401 (any record)
    """Give every occurrence of a record, those on seized items too."""
    items = getattr(record, "seized_items", ())
    return [*record.identifiers, *(each for item in items for each in item.identifiers)]
