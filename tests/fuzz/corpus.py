"""The inputs that are kept: a file a target, an input a line, written as Python writes bytes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER: Final = Path(__file__).parent / "corpus"


def kept(name: str, folder: Path = FOLDER) -> list[bytes]:
    """Read the inputs of a target, in order."""
    path = folder / f"{name}.txt"
    if not path.is_file():
        return []
    found = [ast.literal_eval(line) for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert all(isinstance(data, bytes) for data in found), path
    return found


def keep(name: str, inputs: Iterable[bytes], folder: Path = FOLDER) -> int:
    """Add inputs that are not there yet; returns how many that were."""
    known = kept(name, folder)
    fresh = sorted(set(inputs) - set(known), key=lambda data: (len(data), data))
    if fresh:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.txt").open("a") as file:
            file.writelines(f"{data!r}\n" for data in fresh)
    return len(fresh)
