"""Run the personas service alone: `python -m renkei_personas FILE`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from renkei_chassis.alone import main
from renkei_chassis.settings import load
from renkei_personas.settings import Settings
from renkei_personas.wiring import blueprint

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.service import Blueprint


def make(path: Path) -> Blueprint:
    """Build the service from its settings file."""
    return blueprint(load(Settings, path, "personas"))


if __name__ == "__main__":
    sys.exit(main("personas", make))
