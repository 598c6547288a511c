"""Name the streams, subjects and inboxes of an agency, in one place for relay, reader and server.

An agency's code becomes one token of a subject by turning '-' into '_', which no code contains, so
that two codes never become one name.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, Literal, get_args

from renkei_chassis.courier.jetstream import DurableShape, StreamShape

Lane = Literal["control", "data"]
LANES: Final[tuple[Lane, ...]] = get_args(Lane)
FEED: Final = DurableShape(name="feed")
LOG_MAX_AGE: Final = timedelta(hours=24)

_CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_SERVICE: Final = re.compile(r"[a-z][a-z0-9]*", re.ASCII)
_LONGEST: Final = 32


def agency_token(agency: str) -> str:
    """Give an agency's code as a token of a subject. Raises ValueError for what is no code."""
    if len(agency) > _LONGEST or not _CODE.fullmatch(agency):
        raise ValueError("an agency's code is lower-case letters and digits with single hyphens, 32 at most")
    return agency.replace("-", "_")


def lane_shape(peer: str, lane: Lane) -> StreamShape:
    """Give the stream in which an agency keeps one lane to `peer`."""
    if lane not in LANES:
        raise ValueError("a lane is control or data")
    token = agency_token(peer)
    return StreamShape(name=f"OUT_{token}_{lane}", subject=f"lane.{token}.{lane}", durable=FEED)


def log_shape(service: str, *, max_age: timedelta = LOG_MAX_AGE) -> StreamShape:
    """Give the stream in which an agency keeps the log of one of its services."""
    if len(service) > _LONGEST or not _SERVICE.fullmatch(service):
        raise ValueError("a service's name is lower-case letters and digits, 32 at most")
    return StreamShape(name=f"LOG_{service}", subject=f"ev.{service}", max_age=max_age)


def peer_inbox_prefix(agency: str) -> str:
    """Give the inbox prefix under which `agency` may receive on another agency's server."""
    return f"_INBOX_{agency_token(agency)}"
