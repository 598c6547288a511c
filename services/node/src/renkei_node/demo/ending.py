"""End in good order, whichever signal says so."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any, Final

from renkei_node.demo.begin import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_BY_SIGNAL: Final = 128


def run_to_an_end(main: Coroutine[Any, Any, int], *, at_last: Callable[[], None]) -> int:
    """Run `main`, and call `at_last` however it ends: it returns, raises, or a signal cancels it.

    Returns its status, or 128 and the signal's number, as shells do. A hang-up that somebody chose to ignore
    (nohup) is ignored.
    """
    received: list[int] = []

    async def guarded() -> int:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio.run makes one)

        def end(number: int) -> None:
            received.append(number)
            task.cancel()

        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, end, number)
        return await main

    try:
        return asyncio.run(guarded())
    except KeyboardInterrupt:
        return _BY_SIGNAL + signal.SIGINT
    except asyncio.CancelledError:
        if not received:
            raise
        return _BY_SIGNAL + received[0]
    finally:
        at_last()
