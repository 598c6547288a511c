"""The `renkei` command. Each command's code is imported when it is asked for: help comes at once."""

from __future__ import annotations

import importlib
from typing import Final

import click

# name -> (module, first line of its help)
COMMANDS: Final = {
    "demo": ("demo", "Seven agencies on this machine: the main job, played and checked."),
    "init": ("init", "Make a node's directory: keys, trust file, settings."),
    "up": ("up", "Run a node until it is told to stop."),
    "doctor": ("doctor", "Look a node over: what is wrong, and what to do."),
    "status": ("status", "Show services, peers, lanes, lag and repairs."),
    "tail": ("tail", "Follow what happens at a node, as it happens."),
    "leads": ("leads", "List leads with their evidence, and follow them up."),
    "tips": ("tips", "Tips from files and into files."),
    "arrests": ("arrests", "Arrest records from files and into files."),
    "clocks": ("clocks", "Show which clocks of custody run, soonest due first."),
    "personas": ("personas", "Undercover work by the book: plans, documents, contacts, reports."),
    "desk": ("desk", "Make a one-time link into the coordination desk."),
    "token": ("token", "Make a short token for an officer."),
    "explain": ("explain", "Read a refusal that `buf curl` printed."),
    "retry": ("retry", "Apply again what was set aside."),
    "cases": ("cases", "Show the public case list of 2024, the demo's background."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"renkei_node.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="renkei-node", prog_name="renkei")
def main() -> None:
    """Renkei (連携): police forces share leads without a central system.

    \b
    Examples:
      renkei demo                          seven agencies on this machine
      renkei init ./jp-12 --agency jp-12   a directory for one node
      renkei up ./jp-12                    run it
      renkei status ./jp-12                how it stands
      renkei doctor ./jp-12                what is wrong with it, and what to do

    All data of the demo is invented (演習データ). No official body endorses this software.
    """


if __name__ == "__main__":
    main()
