"""`renkei personas tell`: send a prepared disclosure to the service concerned, and note what it became."""

from __future__ import annotations

import json
import sys
import uuid
from typing import TYPE_CHECKING

import click

from renkei_node.commands.access import (
    client,
    directory_argument,
    json_option,
    language_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
)
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path

    from renkei.personas.v1.contacts_pb2 import Disclosure

    from renkei_node.settings import Ports


@click.command("tell", short_help="Send what `disclose --json` prepared.")
@directory_argument
@click.option(
    "--prepared", required=True, metavar="FILE", help="What `disclose --json` wrote, or - for standard input."
)
@token_option
@json_option
@language_option
@plain_failure
def tell(directory: Path, prepared: str, token: str | None, language: str, *, as_json: bool) -> None:
    """Send a prepared tip to the tips service, or a message of imminent harm to the exchange, and confirm it.

    It goes as the officer who learned it; nothing of it names an investigation.

    For: handler or supervisor.

    \b
    Example:
      renkei personas disclose ./jp-12 NAME/contacts/2 --content told.toml --json > told.json
      renkei personas tell ./jp-12 --prepared told.json
    """
    from renkei.personas.v1 import contacts_pb2
    from renkei.personas.v1.contacts_pb2_grpc import ContactsServiceStub

    from renkei_chassis.errors import RenkeiError, Unavailable
    from renkei_node.commands.personas.showing import show, show_refusal

    _, ports = read_settings(NodeDirectory(directory))
    asked = _read(prepared)
    try:
        record = _send(asked, ports, require_token(token))
        confirm = contacts_pb2.ConfirmDisclosureRequest(request_id=str(uuid.uuid4()), name=asked.name, record=record)
        with client(ports, "personas", require_token(token)) as opened:
            show(
                opened.call(opened.stub(ContactsServiceStub).ConfirmDisclosure, confirm),
                as_json=as_json,
                language=language,
            )
    except Unavailable:
        raise
    except RenkeiError as error:
        show_refusal(error, as_json=as_json)
        sys.exit(1)


def _read(prepared: str) -> Disclosure:
    from google.protobuf.json_format import ParseDict, ParseError
    from renkei.personas.v1 import contacts_pb2

    from renkei_node.commands.personas.request import read_bytes

    try:
        content = json.loads(read_bytes(prepared))
        if not isinstance(content, dict):
            raise ParseError("no object")  # noqa: TRY301 (one answer for all that does not fit)
        return ParseDict(content, contacts_pb2.Disclosure())
    except (ParseError, ValueError, RecursionError):
        raise click.ClickException(f"{prepared} is not what `renkei personas disclose --json` writes") from None


def _send(asked: Disclosure, ports: Ports, token: str) -> str:
    """Send it; returns the name of the record. The prepared request has its own id: sending twice records once."""
    from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
    from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

    if asked.HasField("harm_request"):
        with client(ports, "exchange", token) as opened:
            return opened.call(opened.stub(ExchangeServiceStub).RaiseImminentHarm, asked.harm_request).name
    if asked.HasField("tip_request"):
        with client(ports, "tips", token) as opened:
            return opened.call(opened.stub(TipsServiceStub).CreateTip, asked.tip_request).name
    raise click.ClickException("this disclosure was prepared before; what it holds is shown once, to who prepared it")
