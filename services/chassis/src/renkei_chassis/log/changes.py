"""Let officers watch resources: changes from the service's own log, with tokens to resume from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.log.log import Log
    from renkei_chassis.rpc.page_tokens import PageTokens

_KIND: Final = "watch"
# What each watcher who does not read holds at least; there may be a thousand.
_BATCH_BYTES: Final = 256 * 1024
# Whoever catches up over a long stretch takes turns with the others, and leaves the loop to other calls between.
_AT_ONCE: Final = 2


class Changes:
    """The changes of one service's resources, as its log tells them."""

    def __init__(self, *, log: Log, tokens: PageTokens) -> None:
        """Take the log, and what makes its positions into opaque tokens."""
        self.turns = asyncio.Semaphore(_AT_ONCE)
        """To be entered while an answer is read and made: a hundred watchers must not all do so at once."""
        self._log = log
        self._tokens = tokens

    async def watch(self, *, resume_token: str, from_start: bool) -> AsyncIterator[tuple[Sequence[Event], str]]:
        """Yield (events, token to resume after them) for ever. No events: a checkpoint.

        The first answer comes at once, so that a watcher knows its token before anything happens.
        Raises INVALID_RESUME_TOKEN for a token of another log, or of this log before it was restored.
        """
        if resume_token:
            position = self._tokens.decode(_KIND, b"", resume_token, reason="INVALID_RESUME_TOKEN")
            epoch, after = position or ("", 0)
            if epoch != self._log.epoch or after > self._log.position.sequence:
                raise InvalidArgument("INVALID_RESUME_TOKEN", "the token is of another log; start without one")
        else:
            after = 0 if from_start else self._log.position.sequence
        yield (), self.token(after)
        async for events in self._log.follow(after=after, max_bytes=_BATCH_BYTES, turns=self.turns):
            after = events[-1].sequence if events else after
            yield events, self.token(after)

    def token(self, after: int) -> str:
        """Make the token that resumes after a sequence, where a batch is passed on in parts."""
        return self._tokens.encode(_KIND, b"", (self._log.epoch, after))
