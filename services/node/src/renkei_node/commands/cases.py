"""`renkei cases`."""

from __future__ import annotations

import click

from renkei_node.commands.access import emit_json, json_option


@click.command(short_help="Show the public case list of 2024, the demo's background.")
@json_option
def command(*, as_json: bool) -> None:
    """Show the public case list of 2024 (press reports; no person is named). It is in no node's database.

    \b
    Example:
      renkei cases --json
    """
    from renkei_node.demo.timeline import read_cases

    cases = read_cases()
    if as_json:
        emit_json([case.as_json() for case in cases])
        return
    for case in cases:
        click.echo(case.line())
