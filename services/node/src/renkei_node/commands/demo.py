"""`renkei demo`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from renkei_node.commands.access import emit_json, json_option, plain_failure


@click.command(short_help="Seven agencies on this machine: the main job, played and checked.")
@click.option("--once", is_flag=True, help="Play, check every claim from the outside, stop everything and exit.")
@click.option("--watch", is_flag=True, help="Wait for Enter before the story, so that it can be watched at the desk.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to put the seven nodes. Default: a new temporary directory, removed at the end.",
)
@click.option(
    "--records", type=click.IntRange(100, 100_000), default=3500, show_default=True, help="Synthetic records to load."
)
@json_option
@plain_failure
def command(directory: Path | None, records: int, *, once: bool, watch: bool, as_json: bool) -> None:
    """Start seven agencies on this machine and play the main job. All data is invented (演習データ).

    Without --once it stays up and shows how the agencies stand until Ctrl-C. With --json standard output has the
    figures and faults alone, and the story goes to standard error.

    \b
    Examples:
      renkei demo
      renkei demo --once
      renkei demo --watch
      renkei demo --dir /tmp/renkei-demo
    """
    from renkei_node.demo.begin import begin

    if not as_json:
        sys.exit(begin(once=once, watch=watch, directory=directory, records=records))
    output = sys.stdout
    with redirect_stdout(sys.stderr):
        sys.exit(
            begin(
                once=once,
                watch=watch,
                directory=directory,
                records=records,
                on_outcome=lambda document: emit_json(document, output),
            )
        )
