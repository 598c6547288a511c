"""The contract as it is written: every element of proto/renkei with its comment and its options."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pb2
from renkei.policy.v1 import policy_pb2

from renkei_chassis import contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parent.parent.parent
OPTIONS: Final = contract.FILES
"""Imported before anything is read, so that options are understood and not left as unknown fields."""

Field = descriptor_pb2.FieldDescriptorProto


class Kind(Enum):
    """What an element is."""

    MESSAGE = "message"
    FIELD = "field"
    ENUM = "enum"
    VALUE = "value"
    SERVICE = "service"
    METHOD = "method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One thing that the contract defines."""

    kind: Kind
    name: str  # in full
    parent: str
    file: str
    package: str
    comment: str
    proto: Any

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]

    def __str__(self) -> str:
        return self.name


@functools.cache
def elements() -> tuple[Element, ...]:
    """Give every element of our own packages, in the order of the files."""
    buf = Path(sys.executable).parent / "buf"
    command = [str(buf), "build", "--path", "proto/renkei", "--as-file-descriptor-set", "--output", "-"]
    image = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    files = descriptor_pb2.FileDescriptorSet.FromString(image).file
    return tuple(element for file in files if file.package.startswith("renkei.") for element in _of_file(file))


def of_kind(kind: Kind, wanted: Callable[[Element], bool] = lambda _: True) -> list[Element]:
    """Give the elements of one kind."""
    return [element for element in elements() if element.kind is kind and wanted(element)]


@functools.cache
def by_name() -> dict[str, Element]:
    """Give the elements by full name."""
    return {element.name: element for element in elements()}


def fields_of(message: str) -> list[Element]:
    """Give the fields of a message."""
    return of_kind(Kind.FIELD, lambda field: field.parent == message)


def reachable(message: str) -> list[Element]:
    """Give every field of our own that can stand in a message, at any depth."""
    found: dict[str, Element] = {}
    waiting = [message]
    while waiting:
        for field in fields_of(waiting.pop()):
            if field.name in found:
                continue
            found[field.name] = field
            below = field.proto.type_name.removeprefix(".")
            if field.proto.type == Field.TYPE_MESSAGE and below.startswith("renkei."):
                waiting.append(below)
    return list(found.values())


def events() -> list[Element]:
    """Give every message that stands in an `events.proto`."""
    return of_kind(Kind.MESSAGE, lambda message: message.file.endswith("/events.proto"))


def spread(field: Element) -> policy_pb2.Spread.ValueType:
    """Say how far a field's value may go."""
    return field.proto.options.Extensions[policy_pb2.spread]  # type: ignore[no-any-return] # of a proto that is Any


def _of_file(file: descriptor_pb2.FileDescriptorProto) -> Iterator[Element]:
    comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}

    def element(kind: Kind, proto: Any, parent: str, path: tuple[int, ...]) -> Element:  # noqa: ANN401 (any of six)
        return Element(
            kind=kind,
            name=f"{parent}.{proto.name}",
            parent=parent,
            file=file.name,
            package=file.package,
            comment=" ".join(comments.get(path, "").split()),
            proto=proto,
        )

    def of_enum(enum: Any, parent: str, path: tuple[int, ...]) -> Iterator[Element]:  # noqa: ANN401
        made = element(Kind.ENUM, enum, parent, path)
        yield made
        yield from (element(Kind.VALUE, value, made.name, (*path, 2, i)) for i, value in enumerate(enum.value))

    def of_message(message: Any, parent: str, path: tuple[int, ...]) -> Iterator[Element]:  # noqa: ANN401
        made = element(Kind.MESSAGE, message, parent, path)
        yield made
        yield from (element(Kind.FIELD, field, made.name, (*path, 2, i)) for i, field in enumerate(message.field))
        for i, nested in enumerate(message.nested_type):
            yield from of_message(nested, made.name, (*path, 3, i))
        for i, enum in enumerate(message.enum_type):
            yield from of_enum(enum, made.name, (*path, 4, i))

    for i, message in enumerate(file.message_type):
        yield from of_message(message, file.package, (4, i))
    for i, enum in enumerate(file.enum_type):
        yield from of_enum(enum, file.package, (5, i))
    for i, service in enumerate(file.service):
        made = element(Kind.SERVICE, service, file.package, (6, i))
        yield made
        yield from (element(Kind.METHOD, method, made.name, (6, i, 2, j)) for j, method in enumerate(service.method))
