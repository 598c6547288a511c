"""Run the desk alone: `python -m renkei_desk FILE`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from renkei_chassis.alone import ProcessSettings, main
from renkei_chassis.identity import load_trust
from renkei_chassis.settings import load
from renkei_desk.settings import Settings
from renkei_desk.wiring import Place, blueprint

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.service import Blueprint


def make(path: Path) -> Blueprint:
    """Build the service from its settings file. Nobody renews tokens here: a session ends with its officer's."""
    process = load(ProcessSettings, path, "process")
    place = Place(
        addresses=process.addresses, trust=load_trust(process.trust), folder=process.data_directory, renew=None
    )
    return blueprint(load(Settings, path, "desk"), place)


if __name__ == "__main__":
    sys.exit(main("desk", make))
