"""`renkei explain`."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from renkei_node.commands.access import emit_json, json_option, visible

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(short_help="Read a refusal that `buf curl` printed.")
@json_option
def command(*, as_json: bool) -> None:
    """Show what standard input says of a refused call in words: its details are base64 otherwise.

    Anything else passes through as it is. The reasons stand in the contract, in the errors.proto of each package,
    with an example and what to do.

    \b
    Examples:
      buf curl ... 2>&1 | renkei explain
    """
    from google.protobuf.message import DecodeError

    given = sys.stdin.buffer.read()
    try:
        refusal = json.loads(given.decode())
        details = list(_details(refusal))
        said = {"code": refusal["code"], "message": refusal["message"], "details": [dict([each]) for each in details]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, DecodeError):
        click.echo(given, nl=False)
        return
    if as_json:
        emit_json(said)
        return
    click.echo(visible(f"{said['code']}: {said['message']}"))
    for name, value in details:
        click.echo(visible(f"  {name} {json.dumps(value, ensure_ascii=False)}"))


def _details(refusal: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (whatever JSON it is)
    from google.protobuf.json_format import MessageToDict
    from google.rpc import error_details_pb2

    for detail in refusal.get("details", ()):
        package, _, name = detail["type"].rpartition(".")
        if package != "google.rpc":
            continue
        value = base64.b64decode(detail["value"] + "==")
        message = getattr(error_details_pb2, name).FromString(value)
        yield name, MessageToDict(message)
