"""`renkei desk`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from renkei_node.commands.access import directory_argument, emit_json, json_option, plain_failure, read_settings
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path

_ROLES: Final = ("OFFICER", "SUPERVISOR", "NPA_DESK")


@click.command(short_help="Make a one-time link into the coordination desk.")
@directory_argument
@click.option("--officer", required=True, metavar="ID", help="Who it is for: lower-case letters, digits, hyphens.")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="May be given several times."
)
@json_option
@plain_failure
def command(directory: Path, officer: str, roles: tuple[str, ...], *, as_json: bool) -> None:
    """Make a link with which an officer opens the desk of the running node in DIR, once, within minutes.

    The browser warns of the node's own certificate; its fingerprint is printed, to compare.

    \b
    Example:
      renkei desk ./jp-13 --officer sato --role OFFICER
    """
    from renkei_node.desk_link import DeskAwayError, make_link

    node = NodeDirectory(directory)
    settings, ports = read_settings(node)
    if not ports.web:
        raise click.ClickException(f"{directory}: this node has no desk: see `desk` and `web` in section `ports`")
    try:
        link = make_link(node, settings.agency, ports.web, officer=officer, roles=roles)
    except DeskAwayError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        emit_json({"link": link.url, "fingerprint": link.fingerprint})
    else:
        click.echo(link.url)
        click.echo(f"SHA-256 {link.fingerprint}", err=True)
