"""Run the leads service alone: `python -m renkei_leads FILE`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from renkei_chassis.alone import main
from renkei_chassis.settings import load
from renkei_leads.settings import Settings
from renkei_leads.wiring import blueprint

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.service import Blueprint


def make(path: Path) -> Blueprint:
    """Build the service from its settings file."""
    return blueprint(load(Settings, path, "leads"))


if __name__ == "__main__":
    sys.exit(main("leads", make))
