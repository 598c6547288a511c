"""The group `renkei arrests`."""

from __future__ import annotations

import click

from renkei_node.commands.files.exporting import export_command
from renkei_node.commands.files.importing import import_command


@click.group(short_help="Arrest records from files and into files.")
def command() -> None:
    """Arrest records (逮捕記録) from files, and into files for others to read. docs/files.md has the rules.

    \b
    Examples:
      renkei arrests import ./jp-12 arrests.csv --check
      renkei arrests import ./jp-12 arrests.csv
      renkei arrests export ./jp-12 arrests-2026.csv
    """


command.add_command(import_command("arrests"))
command.add_command(export_command("arrests"))
