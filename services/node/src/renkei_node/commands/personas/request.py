"""Build the request of a command out of its options."""

from __future__ import annotations

import sys
import tomllib
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

    from renkei_node.commands.personas.verb import Field, Verb

JAPAN: Final = timezone(timedelta(hours=9))


def build(verb: Verb, agency: str, name: str, given: Mapping[str, Any]) -> Message:
    """Make the request; `given` are the options' values by path."""
    request: Message = request_type(verb)()
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        setattr(request, "request_id", str(uuid.uuid4()))  # noqa: B010 (of many types)
    if verb.target == "agency":
        setattr(request, "parent", agency)  # noqa: B010 (the same)
    elif verb.target:
        setattr(request, verb.target, whole_name(agency, name))
    for field in verb.fields:
        value = given[field.path]
        if value is not None and value != ():
            _fill(request, field, value)
    return request


def request_type(verb: Verb) -> Any:  # noqa: ANN401 (a class of the contract)
    """Find the request of a method."""
    from renkei.exchange.v1 import exchange_pb2
    from renkei.personas.v1 import contacts_pb2, documents_pb2, personas_pb2, reports_pb2

    files = (personas_pb2, documents_pb2, contacts_pb2, reports_pb2, exchange_pb2)
    return next(getattr(file, f"{verb.method}Request") for file in files if hasattr(file, f"{verb.method}Request"))


def descriptor_of(verb: Verb, field: Field) -> FieldDescriptor:
    """Find the field of the contract that an option fills."""
    message = request_type(verb).DESCRIPTOR
    *way, last = field.path.split(".")
    for step in way:
        message = message.fields_by_name[step].message_type
    found: FieldDescriptor = message.fields_by_name[last]
    return found


def whole_name(agency: str, name: str) -> str:
    """Give the whole resource name where only its end, from the investigation's id on, was typed."""
    return name if name.startswith("agencies/") else f"{agency}/personas/{name}"


def _fill(request: Any, field: Field, value: Any) -> None:  # noqa: ANN401 (any request, any option)
    *way, last = field.path.split(".") if field.path else [""]
    message = request
    for step in way:
        message = getattr(message, step)
    match field.kind:
        case "names":
            getattr(message, last).extend(value)
        case "time":
            getattr(message, last).FromDatetime(read_time(value))
        case "plan":
            fill_from_toml(getattr(message, last) if last else message, value)
        case "file":
            content = read_bytes(value)
            is_text = (
                message.DESCRIPTOR.fields_by_name[last].type == message.DESCRIPTOR.fields_by_name[last].TYPE_STRING
            )
            setattr(message, last, content.decode() if is_text else content)
        case "words":
            setattr(message, last, read_words(value))
        case "choice":
            kind = message.DESCRIPTOR.fields_by_name[last].enum_type
            setattr(message, last, kind.values_by_name[field.choices + value].number)
        case _:
            setattr(message, last, value)


def fill_from_toml(message: Message, path: str) -> None:
    """Fill a message from a TOML file with the names of its fields; the file's words are never repeated."""
    from google.protobuf.json_format import ParseDict, ParseError

    try:
        content = tomllib.loads(read_bytes(path).decode())
        ParseDict({key: _plain(value) for key, value in content.items()}, message)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise click.ClickException(f"{path} is no TOML file in UTF-8") from None
    except ParseError:
        known = ", ".join(message.DESCRIPTOR.fields_by_name)
        raise click.ClickException(f"{path} does not fit; its fields may be: {known}") from None


def _plain(value: Any) -> Any:  # noqa: ANN401 (a value of TOML)
    """Turn a value of TOML into one of JSON: times with their zone, Japan's where none is given."""
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case datetime():
            return _zoned(value).isoformat()
        case date():
            return _zoned(datetime.combine(value, time())).isoformat()
        case _:
            return value


def read_time(text: str) -> datetime:
    """Read `now`, a day or a time; without a zone it is Japan's."""
    if text == "now":
        return datetime.now(UTC)
    try:
        return _zoned(datetime.fromisoformat(text))
    except ValueError:
        raise click.ClickException(f"{text!r} is no time: write 2026-01-05T21:40+09:00, 2026-01-05, or now") from None


def _zoned(moment: datetime) -> datetime:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=JAPAN)).astimezone(UTC)


def read_bytes(path: str) -> bytes:
    """Read a file, or standard input for `-`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None


def read_words(text: str) -> str:
    """Take words as they stand, from a file (`@FILE`) or from standard input (`-`)."""
    if text == "-" or text.startswith("@"):
        return read_bytes(text.removeprefix("@")).decode().strip()
    return text
