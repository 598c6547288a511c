"""The rules by which clients call: deadlines, retries, pages and resumption, without any I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from renkei_chassis.errors import Cancelled, DeadlineExceeded, Internal, RenkeiError, Unavailable
from renkei_chassis.rpc.purpose import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

Q = TypeVar("Q", bound="Message")

RESUMED_AFTER: Final = (Unavailable, Cancelled, DeadlineExceeded)
"""What ends one connection of a watch, and not the watch."""

CHANNEL_OPTIONS: Final = (
    # The default lets a server that comes back wait up to two minutes for us.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.min_reconnect_backoff_ms", 2_000),  # in truth the time one attempt to connect may take
    # Not below the servers' ten seconds, or they call it abuse and hang up.
    ("grpc.keepalive_time_ms", 12_000),
    ("grpc.keepalive_timeout_ms", 4_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    # One mechanism decides about second tries, and it is ours.
    ("grpc.enable_retries", 0),
    # A variable of the environment must not send our calls through somebody else's machine.
    ("grpc.enable_http_proxy", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client waits, and between which tries."""

    seconds: float = 10.0
    """The deadline of a call that names none, second tries included."""
    longest_seconds: float = 60.0
    """The deadline of a call that asks for more: the server would cut it too."""
    stream_seconds: float = 3600.0
    """How long one connection of a stream may last."""
    first_pause_seconds: float = 0.05
    """The longest pause before the second try; each further one may be twice as long."""
    longest_pause_seconds: float = 2.0
    """No pause is longer."""

    def deadline(self, asked: float | None) -> float:
        """Give the seconds that a call gets."""
        return max(0.0, min(self.seconds if asked is None else asked, self.longest_seconds))

    def pause(self, attempt: int, chance: Callable[[], float]) -> float:
        """Draw the pause after a failed attempt (from 0): anything up to a limit that doubles."""
        limit = min(self.first_pause_seconds * 2.0 ** min(attempt, 30), self.longest_pause_seconds)
        return limit * chance()

    def pause_within(
        self, error: RenkeiError, attempt: int, remaining: float, chance: Callable[[], float]
    ) -> float | None:
        """Give the pause before the same call may be tried again, or None if it may not.

        Only UNAVAILABLE is tried again, and only while time remains. A write may be: its request_id
        makes the second try safe.
        """
        if not isinstance(error, Unavailable):
            return None
        pause = self.pause(attempt, chance)
        return pause if pause < remaining else None


def metadata(
    token: Callable[[], str | None] | None,
    trace_parent: Callable[[], str] | None,
    purpose: Callable[[], str | None] | None = None,
) -> tuple[tuple[str, str], ...]:
    """Make the metadata of one attempt; a token is asked for anew each time, since it is short-lived."""
    made = []
    if token is not None and (bearer := token()):
        made.append(("authorization", f"Bearer {bearer}"))
    if trace_parent is not None and (trace := trace_parent()):
        made.append(("traceparent", trace))
    if purpose is not None and (reason := purpose()):
        made.append((HEADER, reason))
    return tuple(made)


def next_page(request: Q, answer: Message) -> Q | None:
    """Make the request for the page after this answer, or None after the last one.

    Raises Internal if the server gives back the token that it was given: the listing would never end.
    """
    given: Any = request
    token: str = getattr(answer, "next_page_token")  # noqa: B009 (every answer of a List has one)
    if not token:
        return None
    if token == given.page_token:
        raise Internal("PAGE_TOKEN_REPEATED", "the server answered with the page token that it was asked with")
    following: Any = type(request)()
    following.CopyFrom(request)
    following.page_token = token
    result: Q = following
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Which field of a watch's answer goes into which field of the request that resumes it."""

    answer: str = "resume_token"
    request: str = "resume_token"

    def after(self, request: Q, answer: Message) -> Q:
        """Make the request that goes on after this answer."""
        following = type(request)()
        following.CopyFrom(request)
        setattr(following, self.request, getattr(answer, self.answer))
        return following


RESUME_TOKEN: Final = Resume()
"""For watches of resources."""
RESUME_SEQUENCE: Final = Resume(answer="through_sequence", request="after_sequence")
"""For WatchLog."""
