"""Let officers watch resources: changes from the service's own log, with tokens to resume from."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.log.log import Log
    from renkei_chassis.rpc.page_tokens import PageTokens

_KIND: Final = "watch"
_BATCH_BYTES: Final = 256 * 1024
# Whoever catches up over a long stretch takes turns with the others, and leaves the loop to other calls between.
_AT_ONCE: Final = 2
_CHECKPOINT_SECONDS: Final = 15.0


class Changes:
    """The changes of one service's resources, as its log tells them."""

    def __init__(self, *, log: Log, tokens: PageTokens) -> None:
        """Take the log, and what makes its positions into opaque tokens."""
        self.turns = asyncio.Semaphore(_AT_ONCE)
        """To be entered while an answer is read and made: a hundred watchers must not all do so at once."""
        self._log = log
        self._tokens = tokens

    def start(self, *, resume_token: str, from_start: bool) -> int:
        """Tell after which sequence a watch begins.

        Raises INVALID_RESUME_TOKEN for a token of another log, or of this log before it was restored.
        """
        if not resume_token:
            return 0 if from_start else self._log.position.sequence
        position = self._tokens.decode(_KIND, b"", resume_token, reason="INVALID_RESUME_TOKEN")
        epoch, after = position or ("", 0)
        if epoch != self._log.epoch or after > self._log.position.sequence:
            raise InvalidArgument("INVALID_RESUME_TOKEN", "the token is of another log; start without one")
        return int(after)

    @property
    def last_sequence(self) -> int:
        """The sequence at which the log ends now."""
        return self._log.position.sequence

    async def grown(self, *, after: int) -> bool:
        """Wait until the log goes beyond a sequence. False: it is time for a sign of life."""
        if self._log.position.sequence > after:
            return True
        try:
            async with asyncio.timeout(_CHECKPOINT_SECONDS):
                await self._log.grown(after=after)
        except TimeoutError:
            return False
        return True

    async def events(self, *, after: int) -> Sequence[Event]:
        """Read what comes after a sequence: about as much as fits into one answer."""
        return await self._log.events(after=after, max_bytes=_BATCH_BYTES)

    def token(self, after: int) -> str:
        """Make the token that resumes after a sequence."""
        return self._tokens.encode(_KIND, b"", (self._log.epoch, after))
