"""A node for which an hour of running is a moment: `python -m tests.system.hasty_node up DIR`.

Nothing else is different: what a clock of a test cannot do in a process of its own is to let a day pass.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from renkei_chassis.database import retention
from renkei_node.cli import main

HOUR: Final = timedelta(milliseconds=100)

if __name__ == "__main__":
    setattr(retention, "_HOUR_US", HOUR // timedelta(microseconds=1))  # noqa: B010 (it is none of its public names)
    main()
