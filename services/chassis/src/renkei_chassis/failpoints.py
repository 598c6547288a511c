"""Named places at which a test can have the process killed: before, inside and after what must be all or nothing.

Without the environment variable `RENKEI_FAILPOINT` nothing of this does anything. With it, the process kills itself
when the place of that name is passed, as a power cut would: no clean-up, no last word. `name@7` lets it pass six times.
"""

from __future__ import annotations

import itertools
import os
import signal
from enum import StrEnum
from typing import Final

VARIABLE: Final = "RENKEI_FAILPOINT"


class Place(StrEnum):
    """Every place, in the order in which a write passes them on its way to another agency."""

    BEFORE_COMMIT = "before-commit"
    """A group is decided and stored, and not committed."""
    AFTER_COMMIT = "after-commit"
    """A group is committed, and nobody was answered."""
    AFTER_PUBLISH = "after-publish"
    """The courier has taken messages, and the relay has not noted it."""
    AFTER_EFFECT = "after-effect"
    """Events of another service are in effect, and the follower has not noted it."""
    BEFORE_ACKNOWLEDGEMENT = "before-acknowledgement"
    """Messages are in effect, and the courier was not told."""
    AFTER_LANE_COMMIT = "after-lane-commit"
    """Bundles of another agency are committed, and the lane has not noted it."""


_ARMED, _, _PASSES = os.environ.get(VARIABLE, "").partition("@")
_passed = itertools.count(1)  # counts whole even where several threads pass


def hit(place: str) -> None:
    """Pass a place; the process ends here if a test armed it."""
    if place == _ARMED and next(_passed) >= int(_PASSES or 1):
        os.kill(os.getpid(), signal.SIGKILL)
