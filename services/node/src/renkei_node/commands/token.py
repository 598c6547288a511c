"""`renkei token`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from renkei_node.commands.access import directory_argument, emit_json, json_option, plain_failure, read_settings
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path

_ROLES: Final = ("OFFICER", "SUPERVISOR", "CUSTODIAN", "HQ_CHIEF", "NPA_DESK", "AUDITOR", "OPERATOR")


@click.command(short_help="Make a short token for an officer.")
@directory_argument
@click.option("--officer", required=True, metavar="ID", help="Who it is for: lower-case letters, digits, hyphens.")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="May be given several times."
)
@click.option("--minutes", type=click.IntRange(1, 15), default=15, show_default=True, help="How long it lives.")
@json_option
@plain_failure
def command(directory: Path, officer: str, roles: tuple[str, ...], minutes: int, *, as_json: bool) -> None:
    """Make a token with which an officer calls the services of the node in DIR, signed by the node's issuer key.

    \b
    Examples:
      renkei token ./jp-12 --officer sato --role OFFICER
      export RENKEI_TOKEN=$(renkei token ./jp-12 --officer sato --role OFFICER)
    """
    from renkei_node.officer_token import make_token
    from renkei_node.officers import check_roles

    node = NodeDirectory(directory)
    settings, _ = read_settings(node)
    check_roles(node.officers, officer, roles)
    token = make_token(node, settings.agency, officer, roles, seconds=minutes * 60)
    if as_json:
        emit_json(
            {
                "token": token,
                "subject": f"{settings.agency}/officers/{officer}",
                "roles": sorted(set(roles)),
                "seconds": minutes * 60,
            }
        )
    else:
        click.echo(token)
