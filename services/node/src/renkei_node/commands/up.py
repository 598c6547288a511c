"""`renkei up`."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Final

import click

from renkei_node.commands.access import directory_argument, emit_json, json_option, plain_failure
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path

_INPUT: Final = 0


@click.command(short_help="Run a node until it is told to stop.")
@directory_argument
@click.option(
    "--tethered",
    is_flag=True,
    help="Start at the first line on standard input, and stop where it ends: for a program that starts nodes "
    "and must leave none behind, however it ends itself.",
)
@json_option
@plain_failure
def command(directory: Path, *, tethered: bool, as_json: bool) -> None:
    """Run the node in DIR until SIGTERM or Ctrl-C: its nats-server and all its services, in one process.

    It writes its log to DIR/logs/node.log. Stopping drains what runs and leaves no process behind.

    \b
    Examples:
      renkei up ./jp-12
      RENKEI_NODE_LOG_LEVEL=DEBUG renkei up ./jp-12
    """
    gc.disable()  # nothing that is imported is garbage; looking for it costs a sixth of the time
    from renkei_chassis.database.engine import DatabaseInUseError, WrongOwnerError
    from renkei_chassis.database.schema import SchemaError
    from renkei_node.nats_server import ConfigurationError, NatsServerError
    from renkei_node.runner import NodeRunningError, run_node

    gc.freeze()
    gc.enable()

    def say(text: str, /, **facts: str) -> None:
        if as_json:
            emit_json(facts)
        else:
            click.echo(text)

    if tethered and not os.read(_INPUT, 1):
        return  # whoever wanted the node is gone already
    try:
        run_node(NodeDirectory(directory.absolute()), say=say, tether=_INPUT if tethered else None)
    except (
        NodeRunningError,
        DatabaseInUseError,
        WrongOwnerError,
        SchemaError,
        ConfigurationError,
        NatsServerError,
        OSError,
    ) as error:
        raise click.ClickException(str(error)) from error
