"""Named places at which a test can have the process killed: before, inside and after what must be all or nothing.

Without the environment variable `RENKEI_FAILPOINT` nothing of this does anything. With it, the process kills itself
the first time the place of that name is passed, as a power cut would: no clean-up, no last word.
"""

from __future__ import annotations

import os
import signal
from typing import Final

VARIABLE: Final = "RENKEI_FAILPOINT"

_ARMED: Final = os.environ.get(VARIABLE, "")


def hit(name: str) -> None:
    """Pass a place; the process ends here if a test armed it."""
    if name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
