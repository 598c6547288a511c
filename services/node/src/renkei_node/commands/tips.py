"""The group `renkei tips`."""

from __future__ import annotations

import click

from renkei_node.commands.files.exporting import export_command
from renkei_node.commands.files.importing import import_command


@click.group(short_help="Tips from files and into files.")
def command() -> None:
    """Tips (情報) from the files that forces have, and into files for others to read. docs/files.md has the rules.

    \b
    Examples:
      renkei tips import ./jp-12 tips.csv --check
      renkei tips import ./jp-12 tips.csv
      renkei tips export ./jp-12 tips-2026.csv
    """


command.add_command(import_command("tips"))
command.add_command(export_command("tips"))
