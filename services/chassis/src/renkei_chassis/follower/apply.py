"""Apply events of another service's log: all of a batch in one transaction, the poisonous one set aside."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError, Message
from renkei.event.v1.event_pb2 import Event
from sqlalchemy.exc import IntegrityError

from renkei_chassis.alarms import EVENT_SET_ASIDE, Alarms
from renkei_chassis.contract import event_type, is_known
from renkei_chassis.database.transaction import Transaction
from renkei_chassis.errors import RenkeiError, Unavailable
from renkei_chassis.follower import state
from renkei_chassis.follower.memory import MAYBE_APPLIED, Memory, advance, enter_epoch, is_doubtful
from renkei_chassis.log.digest import event_digest
from renkei_chassis.telemetry.logging import log_event
from renkei_chassis.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.follower.state import Cursor

Handler = Callable[[Transaction, Event, Any], None]
"""What an event does here: `handler(transaction, envelope, payload)`. Plain, and safe to repeat."""

UNKNOWN_TYPE: Final = "UNKNOWN_TYPE"
UNREADABLE: Final = "UNREADABLE"
DIGEST_MISMATCH: Final = "DIGEST_MISMATCH"
HANDLER_FAILED: Final = "HANDLER_FAILED"
BEHIND_ANOTHER: Final = "BEHIND_ANOTHER"
_MEMORY: Final = Memory()
_LOG: Final = logging.getLogger("renkei.follower")


class SetAside(Exception):  # noqa: N818 (it is no error of ours)
    """Raised by a handler for an event that it will never take; `reason` is kept with the event."""

    def __init__(self, reason: str) -> None:
        """Give the reason in capitals, such as FOREIGN_ORIGINATOR."""
        super().__init__(reason)
        self.reason = reason


class _HandlerError(Exception):
    """A handler failed on an event; `reason` is what is kept of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Where the cursor stands, and what was set aside on the way."""

    cursor: Cursor
    aside: Sequence[tuple[Event, str]] = ()


class Applier:
    """Applies the events of one log by the handlers of one service."""

    def __init__(
        self,
        *,
        source: str,
        handlers: Mapping[str, Handler],
        writer: Writer,
        alarms: Alarms,
        memory: Memory = _MEMORY,
        tracing: Tracing | None = None,
    ) -> None:
        """Take handlers by the full name of the event's type; a known type without one does nothing here."""
        self.source = source
        self.aside_changes = 0
        """Grows with every event that was set aside or taken back."""
        self._tracing = tracing or Tracing()
        self._handlers = handlers
        self._writer = writer
        self.alarms = alarms
        self._memory = memory

    def does_nothing(self, event: Event) -> bool:
        """Tell whether an event has no effect here, whatever stands before it."""
        return event.erased or (event.type not in self._handlers and (event.may_ignore or is_known(event.type)))

    async def apply(self, events: Sequence[Event], *, after: Cursor) -> Cursor:
        """Bring the gapless stretch that follows a cursor into effect, and return the cursor behind it.

        What cannot be read is set aside at once. A stretch in which a handler fails is applied event
        by event; one that fails alone, and again, is set aside with a reason. Every later event of its
        resource is set aside with it. Raises what the writer raises (Unavailable, ResourceExhausted):
        that is no event's fault, and is to be tried again.
        """
        try:
            outcome = await self._writer.run(lambda transaction: self._all(transaction, events, after))
        except RenkeiError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever a handler raises is the event's own failure)
            if len(events) == 1:
                return await self._alone(events[0], after, error)
        else:
            self._tell(outcome)
            return outcome.cursor
        cursor = after
        for event in events:
            cursor = await self.apply([event], after=cursor)
        return cursor

    async def enter_epoch(self, *, epoch: str, sequence: int, chain: bytes) -> Cursor:
        """Go on in a restored log, of which everything up to `sequence` is known by its hash."""
        return await self._writer.run(
            lambda transaction: enter_epoch(transaction, self.source, epoch=epoch, sequence=sequence, chain=chain)
        )

    async def retry(self, event: Event) -> bool:
        """Apply an event that was set aside. False: it stays aside."""
        try:
            await self._writer.run(lambda transaction: self._again(transaction, event))
        except RenkeiError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever a handler raises is the event's own failure)
            reason = _reason(error)
            await self._writer.run(lambda transaction: state.count_attempt(transaction, self.source, event, reason))
            return False
        self.aside_changes += 1
        return True

    def _all(self, transaction: Transaction, events: Sequence[Event], after: Cursor) -> _Outcome:
        fresh = state.unapplied(transaction, self.source, events)
        waiting = state.resources_aside(transaction, self.source, fresh)
        aside = []
        for event in fresh:
            reason = self._one(transaction, event, waiting, doubt=after.doubt)
            if reason is not None:
                state.put_aside(transaction, self.source, event, reason)
                aside.append((event, reason))
                if event.resource:
                    waiting.add(event.resource)
            state.remember_applied(transaction, self.source, event)
        cursor = advance(transaction, self.source, after, events, self._memory)
        return _Outcome(cursor=cursor, aside=aside)

    def _one(
        self, transaction: Transaction, event: Event, waiting: Collection[str], *, doubt: bytes = b""
    ) -> str | None:
        """Bring one event into effect, or tell why it must be set aside."""
        if event.erased:
            return None
        if (doubtful := is_doubtful(event, doubt)) or event.resource in waiting:
            return MAYBE_APPLIED if doubtful else BEHIND_ANOTHER
        if not is_known(event.type):
            return None if event.may_ignore else UNKNOWN_TYPE
        handler = self._handlers.get(event.type)
        if handler is None:
            return None
        try:
            payload = _payload(event)
        except SetAside as error:
            return error.reason
        age_seconds = (transaction.now_us - event.time.ToMicroseconds()) / 1e6
        try:
            with self._tracing.event(event.type, event.trace_parent, age_seconds=age_seconds) as scope:
                transaction.trace_parent = scope.traceparent
                handler(transaction, event, payload)
        except (Unavailable, OSError) as error:
            raise Unavailable("STORAGE_UNAVAILABLE", "an event cannot be applied now") from error
        except Exception as error:
            raise _HandlerError(_reason(error)) from error
        return None

    def _again(self, transaction: Transaction, event: Event) -> None:
        if not state.is_aside(transaction, self.source, event):
            return
        reason = self._one(transaction, event, ())
        if reason is not None:
            raise SetAside(reason)
        state.take_back(transaction, self.source, event)

    async def _alone(self, event: Event, after: Cursor, first: Exception) -> Cursor:
        """One event failed alone: once more, and then it is set aside."""
        try:
            outcome = await self._writer.run(lambda transaction: self._all(transaction, [event], after))
        except RenkeiError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever a handler raises is the event's own failure)
            reason = _reason(error)
            outcome = await self._writer.run(lambda transaction: self._set_aside(transaction, event, after, reason))
        self._tell(outcome, first)
        return outcome.cursor

    def _set_aside(self, transaction: Transaction, event: Event, after: Cursor, reason: str) -> _Outcome:
        state.put_aside(transaction, self.source, event, reason)
        state.remember_applied(transaction, self.source, event)
        cursor = advance(transaction, self.source, after, [event], self._memory)
        return _Outcome(cursor=cursor, aside=[(event, reason)])

    def _tell(self, outcome: _Outcome, error: Exception | None = None) -> None:
        self.aside_changes += len(outcome.aside)
        for event, reason in outcome.aside:
            self.alarms.sound(EVENT_SET_ASIDE, self.source)
            log_event(
                _LOG,
                "an event was set aside",
                level=logging.ERROR,
                error=error,
                log=self.source,
                sequence=event.sequence,
                event_id=event.id,
                event_type=event.type,
                reason=reason,
            )


def _payload(event: Event) -> Message:
    """Read the payload, and check that it is what the log's digest was made over."""
    try:
        digest = event_digest(
            salt=event.salt,
            event_id=uuid.UUID(event.id),
            time_us=event.time.ToMicroseconds(),
            type_name=event.type,
            payload=event.data.value,
        )
    except (ValueError, OverflowError):  # an id that is none, a time before 1970
        raise SetAside(UNREADABLE) from None
    if digest != event.digest:
        raise SetAside(DIGEST_MISMATCH)
    try:
        return event_type(event.type).FromString(event.data.value)
    except DecodeError:
        raise SetAside(UNREADABLE) from None


def _reason(error: Exception) -> str:
    match error:
        case SetAside() | _HandlerError() | RenkeiError():
            return error.reason
        case IntegrityError():
            return "ROW_REFUSED"
        case _:
            return HANDLER_FAILED
