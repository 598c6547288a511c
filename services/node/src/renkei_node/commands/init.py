"""`renkei init`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from renkei_node.commands.access import emit_json, json_option, plain_failure
from renkei_node.layout import NodeDirectory

_LAST_PORT: Final = 32767
_NAMES: Final = ("tips", "arrests", "personas", "leads", "exchange", "nats", "metrics", "desk", "web")


@click.command(short_help="Make a node's directory: keys, trust file, settings.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--agency", required=True, metavar="CODE", help="The agency's code, such as jp-12 (JIS X 0401) or jp-npa."
)
@click.option(
    "--first-port",
    type=click.IntRange(1024, _LAST_PORT - len(_NAMES) + 1),
    default=21000,
    show_default=True,
    help=f"{len(_NAMES)} ports from here on, all on 127.0.0.1.",
)
@json_option
@plain_failure
def command(directory: Path, agency: str, first_port: int, *, as_json: bool) -> None:
    """Make the directory of a new node: keys, trust file and node.toml with its defaults.

    What it prints is this node's entry in every member's federation.toml; DIR needs one too, with all members.

    \b
    Example:
      renkei init ./jp-12 --agency jp-12 --first-port 21000
    """
    from renkei_chassis.resource_names import is_agency_code
    from renkei_node.initialise import DirectoryNotEmptyError, initialise
    from renkei_node.settings import NodeSettings, Ports

    if not is_agency_code(agency):
        raise click.BadParameter(
            "a code is two letters, a hyphen and two to eight letters or digits", param_hint="--agency"
        )
    ports = Ports(**{name: first_port + index for index, name in enumerate(_NAMES)})
    try:
        identity = initialise(NodeDirectory(directory), NodeSettings(agency=f"agencies/{agency}"), ports)
    except DirectoryNotEmptyError as error:
        raise click.ClickException(str(error)) from error
    entry = {
        "name": identity.agency,
        "exchange_address": f"127.0.0.1:{identity.exchange_port}",
        "nats_url": f"nats://127.0.0.1:{identity.nats_port}",
        "exchange_public_key": identity.exchange_public_key,
        "nats_public_nkey": identity.nats_public_nkey,
    }
    if as_json:
        emit_json(entry)
        return
    click.echo(f"{directory} is ready. Its entry for every federation.toml (add names and a contact desk):\n")
    click.echo("[[agencies]]")
    for key, value in entry.items():
        click.echo(f'{key} = "{value}"')
