"""`renkei up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from renkei_node.commands.access import directory_argument, plain_failure
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Run a node until it is told to stop.")
@directory_argument
@plain_failure
def command(directory: Path) -> None:
    """Run the node in DIR until SIGTERM or Ctrl-C: its nats-server and all its services, in one process.

    It writes its log to DIR/logs/node.log. Stopping drains what runs and leaves no process behind.

    \b
    Examples:
      renkei up ./jp-12
      RENKEI_NODE_LOG_LEVEL=DEBUG renkei up ./jp-12
    """
    from renkei_chassis.database.engine import DatabaseInUseError, WrongOwnerError
    from renkei_chassis.database.schema import SchemaError
    from renkei_node.nats_server import ConfigurationError, NatsServerError
    from renkei_node.runner import NodeRunningError, run_node

    try:
        run_node(NodeDirectory(directory.absolute()), say=click.echo)
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
