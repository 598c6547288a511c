"""The group `renkei tips`."""

from __future__ import annotations

import click

from renkei_node.commands.files.exporting import export_command
from renkei_node.commands.files.importing import import_command
from renkei_node.commands.opinions import opine_command, opinions_command, sight_command


@click.group(short_help="Tips from files and into files; opinions on those of others.")
def command() -> None:
    """Tips (情報) from the files that forces have, and into files for others to read. docs/files.md has the rules.

    Of tips of other agencies: what everybody says of them, and what this agency has to say. docs/handling-rules.md.

    \b
    Examples:
      renkei tips import ./jp-12 tips.csv --check
      renkei tips import ./jp-12 tips.csv
      renkei tips export ./jp-12 tips-2026.csv
      renkei tips opinions ./jp-12
    """


command.add_command(import_command("tips"))
command.add_command(export_command("tips"))
command.add_command(opinions_command)
command.add_command(opine_command)
command.add_command(sight_command)
