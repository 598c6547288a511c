"""Publish many messages to JetStream at once, and learn the fate of each.

Written by hand because nats-py's own asynchronous publish leaves a future open for ever when the
server answers with an error or the connection goes. Here every message ends: stored, refused, or
unanswered within the time given. Unanswered does not mean not stored.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import nats.errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from renkei_chassis.courier.connection import Link

UNANSWERED: Final = 0
NOBODY_THERE: Final = 503
TOO_LARGE: Final = 413
_PENDING_MESSAGES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to publish."""

    subject: str
    data: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The server has it under `sequence`; `duplicate` when it says it had it before."""

    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStored:
    """The server refused it with `code`, or (UNANSWERED) nobody knows."""

    code: int


Outcome: TypeAlias = Stored | NotStored


class _Flight:
    """One call's messages that are under way."""

    def __init__(self, count: int) -> None:
        self._outcomes: list[Outcome | None] = [None] * count
        self._missing = count
        self.landed = asyncio.Event()

    def land(self, index: int, outcome: Outcome) -> None:
        if self._outcomes[index] is None:
            self._outcomes[index] = outcome
            self._missing -= 1
            if not self._missing:
                self.landed.set()

    def outcomes(self) -> list[Outcome]:
        return [outcome or NotStored(code=UNANSWERED) for outcome in self._outcomes]


class Publisher:
    """A publisher on one link; it ends with it."""

    def __init__(self, link: Link) -> None:
        """Prepare; it answers nothing before `open`."""
        self._client = link.client
        self._inbox = link.client.new_inbox()
        self._subscription: Subscription | None = None
        self._last_token = 0  # never used twice, so a late answer finds nobody
        self._waiting: dict[str, tuple[_Flight, int]] = {}
        self._forget = link.when_lost(self._give_up)

    async def open(self) -> Self:
        """Subscribe to the answers."""
        self._subscription = await self._client.subscribe(
            f"{self._inbox}.*", cb=self._on_answer, pending_msgs_limit=_PENDING_MESSAGES
        )
        return self

    async def close(self) -> None:
        """Stop listening; what is under way ends unanswered."""
        self._forget()
        self._give_up()
        if self._subscription is not None:
            with suppress(nats.errors.Error, OSError):
                await self._subscription.unsubscribe()

    async def publish(self, messages: Sequence[Outgoing], *, seconds: float) -> list[Outcome]:
        """Send all in order, and give the outcome of each within `seconds`.

        After one that cannot be sent the rest is not tried. Raises nothing of the network's.
        """
        if not messages:
            return []
        flight = _Flight(len(messages))
        tokens: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                await self._send(messages, flight, tokens)
                await flight.landed.wait()
        except TimeoutError:
            pass
        finally:
            for token in tokens:
                self._waiting.pop(token, None)
        return flight.outcomes()

    async def _send(self, messages: Sequence[Outgoing], flight: _Flight, tokens: list[str]) -> None:
        for index, message in enumerate(messages):
            self._last_token += 1
            token = str(self._last_token)
            tokens.append(token)
            self._waiting[token] = (flight, index)
            try:
                await self._client.publish(
                    message.subject,
                    message.data,
                    reply=f"{self._inbox}.{token}",
                    headers=dict(message.headers),
                )
            except (nats.errors.Error, OSError) as error:
                too_large = isinstance(error, nats.errors.MaxPayloadError)
                flight.land(index, NotStored(code=TOO_LARGE if too_large else UNANSWERED))
                for unsent in range(index + 1, len(messages)):
                    flight.land(unsent, NotStored(code=UNANSWERED))
                return

    async def _on_answer(self, answer: Msg) -> None:
        waiting = self._waiting.pop(answer.subject.rpartition(".")[2], None)
        if waiting is not None:
            flight, index = waiting
            flight.land(index, _outcome(answer.data))

    def _give_up(self) -> None:
        for flight, index in self._waiting.values():
            flight.land(index, NotStored(code=UNANSWERED))
        self._waiting.clear()


def _outcome(data: bytes) -> Outcome:
    if not data:  # the status "no responders": no stream takes this subject
        return NotStored(code=NOBODY_THERE)
    try:
        answer: dict[str, Any] = json.loads(data)
        if error := answer.get("error"):
            return NotStored(code=int(error["err_code"]))
        return Stored(sequence=int(answer["seq"]), duplicate=bool(answer.get("duplicate")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return NotStored(code=UNANSWERED)
