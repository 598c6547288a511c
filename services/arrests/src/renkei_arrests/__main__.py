"""Run the arrests service alone: `python -m renkei_arrests FILE`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from renkei_arrests.settings import Settings
from renkei_arrests.wiring import blueprint
from renkei_chassis.alone import main
from renkei_chassis.settings import load

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.service import Blueprint


def make(path: Path) -> Blueprint:
    """Build the service from its settings file."""
    return blueprint(load(Settings, path, "arrests"))


if __name__ == "__main__":
    sys.exit(main("arrests", make))
