"""Notice a cancellation that somebody on the way has swallowed.

nats-py catches CancelledError in some places, and `asyncio.wait_for`, on which it stands, loses one
that arrives together with the result (Python 3.11). A loop that has no other end would then go on
for ever: so each of its turns asks.
"""

from __future__ import annotations

import asyncio


def heed_cancellation() -> None:
    """Raise CancelledError if the running task was told to end and is still here."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
