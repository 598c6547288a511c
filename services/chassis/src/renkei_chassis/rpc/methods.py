"""What a service answers calls with: one value for each method of the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renkei_chassis.database.requests import WriteMethod

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from renkei_chassis.identity import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is known of a call beside its request."""

    path: str
    caller: Principal
    trace_parent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMethod:
    """A method that answers once and changes nothing."""

    answer: Callable[[Any, Call], Awaitable[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMethod:
    """A method that answers one request many times. An answer that is made for many callers comes serialised."""

    answers: Callable[[Any, Call], AsyncIterator[Message | bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplexMethod:
    """A method that answers many requests many times."""

    answers: Callable[[AsyncIterator[Any], Call], AsyncIterator[Message]]
    validated: bool = True
    """Each request is validated before it is seen. False: the method does so, as its rows have answers of their own."""


Method = WriteMethod | ReadMethod | StreamMethod | DuplexMethod
Api = Mapping[str, Mapping[str, Method]]
"""Methods by the full name of their gRPC service and their own name."""
