"""Show answers and refusals of `renkei personas`: for people, in the language of the terminal, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from renkei_node.commands.access import emit_json, visible
from renkei_node.commands.personas.rules_ja import RULES_JA
from renkei_node.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.message import Message

    from renkei_chassis.errors import RenkeiError


def show(message: Message, *, as_json: bool, language: str) -> None:
    """Show one answer."""
    if as_json:
        emit_json(to_dict(message))
        return
    click.echo("\n".join(_lines(message, language)))


def show_list(messages: list[Message], *, as_json: bool, language: str) -> None:
    """Show the items of a list."""
    if as_json:
        emit_json([to_dict(message) for message in messages])
        return
    if not messages:
        click.echo(say("nothing", language))
    for message in messages:
        click.echo("\n".join(_lines(message, language)))


def to_dict(message: Message) -> dict[str, Any]:
    """Give a message as JSON has it, with the contract's names."""
    from google.protobuf.json_format import MessageToDict

    return dict(MessageToDict(message, preserving_proto_field_name=True))


def show_refusal(error: RenkeiError, *, as_json: bool) -> None:
    """Show which rule refused, in both languages, and what it is about."""
    japanese = error.metadata.get("ja") or RULES_JA.get(error.reason, "")
    about = {key: value for key, value in error.metadata.items() if key != "ja"}
    fields = [violation.field for violation in error.violations]
    if as_json:
        emit_json(
            {"refused": {"reason": error.reason, "ja": japanese, "en": error.message, "about": about, "fields": fields}}
        )
        return
    click.echo(f"拒否 refused: {error.reason}", err=True)
    if japanese:
        click.echo(f"  規則: {visible(japanese)}", err=True)
    click.echo(f"  rule: {visible(error.message)}", err=True)
    for key, value in about.items():
        click.echo(f"  {key}: {visible(value)}", err=True)
    for field in fields:
        click.echo(f"  field: {visible(field)}", err=True)


def _lines(message: Message, language: str) -> Iterator[str]:
    head = to_dict(message)
    yield visible(str(head.pop("name", message.DESCRIPTOR.name)))
    for key, value in head.items():
        yield from _line(key, value, language, "  ")


def _line(key: str, value: Any, language: str, indent: str) -> Iterator[str]:  # noqa: ANN401 (a value of JSON)
    match value:
        case dict():
            yield f"{indent}{key}:"
            for inner, one in value.items():
                yield from _line(inner, one, language, f"{indent}  ")
        case list() if any(isinstance(one, dict) for one in value):
            yield f"{indent}{key}:"
            for one in value:
                words = (f"{inner} {_word(inner, what, language)}" for inner, what in one.items())
                yield f"{indent}  - {', '.join(words)}"
        case list():
            yield f"{indent}{key}: {', '.join(visible(str(one)) for one in value)}"
        case _:
            yield f"{indent}{key}: {_word(key, value, language)}"


def _word(key: str, value: Any, language: str) -> str:  # noqa: ANN401 (a value of JSON)
    if key in {"state", "from_state", "to_state"} and isinstance(value, str):
        state = value.removeprefix("STATE_")
        japanese = _states().get(state, "")
        return f"{japanese} {state}" if language == "ja" and japanese else state
    return visible(str(value))


def _states() -> Mapping[str, str]:
    from renkei_personas.page import STATES_JA

    return {state.name: japanese for state, japanese in STATES_JA.items()}
