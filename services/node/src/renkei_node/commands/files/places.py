"""The argument of these commands, `[DIR] FILE`, and how they count."""

from __future__ import annotations

import os
from pathlib import Path

import click

from renkei_node.commands.access import DIRECTORY_VARIABLE

# A file alone is taken for the node of the environment, or of the folder in which one is.
paths_argument = click.argument("paths", metavar="[DIR] FILE", nargs=-1, required=True, type=click.Path(path_type=Path))


def counted(number: int, word: str) -> str:
    """Write a number of things."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def places(paths: tuple[Path, ...]) -> tuple[Path, Path]:
    """Give the node's directory and the file."""
    match paths:
        case (file,):
            return Path(os.environ.get(DIRECTORY_VARIABLE, ".")), file
        case (directory, file):
            return directory, file
        case _:
            raise click.UsageError("give one file, and before it the node's directory")
