"""What every command that asks a running node needs: its directory, its address, a token, and one way to fail."""

from __future__ import annotations

import functools
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from renkei_chassis.rpc.sync_client import SyncClient
    from renkei_node.layout import NodeDirectory
    from renkei_node.settings import NodeSettings, Ports

P = ParamSpec("P")
T = TypeVar("T")

TOKEN_VARIABLE: Final = "RENKEI_TOKEN"  # noqa: S105 (the name of a variable)
DIRECTORY_VARIABLE: Final = "RENKEI_DIR"


def default_language() -> str:
    """Give `ja` where the environment speaks Japanese, and `en` elsewhere."""
    return "ja" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ja") else "en"


directory_argument = click.argument(
    "directory",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DIRECTORY_VARIABLE,
    default=Path(),
)
directories_argument = click.argument(
    "directories",
    metavar="[DIR]...",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DIRECTORY_VARIABLE,
    nargs=-1,
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, one document on one line.")
language_option = click.option(
    "--lang",
    "language",
    type=click.Choice(["ja", "en"]),
    default=default_language,
    help="Japanese or English. Default: from LANG.",
)
token_option = click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    help=f"An officer's token, as `renkei token` makes it. Default: ${TOKEN_VARIABLE}.",
)


def read_settings(directory: NodeDirectory) -> tuple[NodeSettings, Ports]:
    """Read what a command needs to find the node's services."""
    from renkei_chassis.settings import load
    from renkei_node.settings import NodeSettings, Ports

    return load(NodeSettings, directory.settings, "node"), load(Ports, directory.settings, "ports")


def require_token(token: str | None) -> str:
    """Return the token, or say how to get one."""
    if not token:
        raise click.ClickException(
            f"no token: set {TOKEN_VARIABLE}=$(renkei token DIR --officer NAME --role OFFICER), or give --token"
        )
    return token


def operator_token(directory: NodeDirectory) -> str:
    """Read the running node's operator token, or say that the node does not run."""
    try:
        return directory.operator_token.read_text()
    except OSError as error:
        raise click.ClickException(
            f"{directory.path}: no operator token ({error.strerror}): is the node running? Start it with `renkei up`"
        ) from error


@contextmanager
def client(ports: Ports, service: str, token: str) -> Iterator[SyncClient]:
    """Open a client of one service of the node."""
    from renkei_chassis.rpc.sync_client import SyncClient

    with SyncClient(ports.address(service), token=lambda: token) as opened:
        yield opened


def emit_json(value: Mapping[str, Any] | list[Any], output: IO[str] | None = None) -> None:
    """Write one JSON document on one line, to standard output where nothing else is said."""
    click.echo(json.dumps(value, ensure_ascii=False, sort_keys=False), file=output)


def plain_failure(function: Callable[P, T]) -> Callable[P, T]:
    """Turn the errors that a user can do something about into one line and exit status 1."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        from renkei_chassis.errors import RenkeiError, SettingsError

        try:
            return function(*args, **kwargs)
        except (SettingsError, RenkeiError) as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            sys.exit(130)

    return wrapped


def visible(text: str) -> str:
    """Make a text safe for a terminal: control, bidi and zero-width characters are shown as escapes."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
