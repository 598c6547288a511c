"""`renkei explain`."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from renkei_node.commands.access import visible

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(short_help="Read a refusal that `buf curl` printed.")
def command() -> None:
    """Show what standard input says of a refused call in words: its details are base64 otherwise.

    Anything else passes through as it is. The reasons stand in the contract, in the errors.proto of each package,
    with an example and what to do.

    \b
    Examples:
      buf curl ... 2>&1 | renkei explain
    """
    from google.protobuf.message import DecodeError

    text = sys.stdin.read()
    try:
        lines = list(_lines(json.loads(text)))
    except (ValueError, KeyError, TypeError, AttributeError, DecodeError):
        click.echo(text, nl=False)
        return
    click.echo("\n".join(lines))


def _lines(refusal: Any) -> Iterator[str]:  # noqa: ANN401 (whatever JSON it is)
    from google.protobuf.json_format import MessageToDict
    from google.rpc import error_details_pb2

    yield visible(f"{refusal['code']}: {refusal['message']}")
    for detail in refusal.get("details", ()):
        package, _, name = detail["type"].rpartition(".")
        if package != "google.rpc":
            continue
        value = base64.b64decode(detail["value"] + "==")
        message = getattr(error_details_pb2, name).FromString(value)
        yield visible(f"  {name} {json.dumps(MessageToDict(message), ensure_ascii=False)}")
