"""Build what leaves: an event with nothing in it but what may leave at its grade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from renkei.event.v1.event_pb2 import Event
from renkei.policy.v1 import policy_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY, GRADE_UNSPECIFIED

from renkei_chassis.contract import event_type
from renkei_chassis.release import may_travel, strip

if TYPE_CHECKING:
    from uuid import UUID

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message


GRADES: Final = (GRADE_INDEX_ONLY, GRADE_FULL)
"""The grades at which something leaves."""
SHORT_LISTED: Final = frozenset({"renkei.personas.v1"})
"""Packages of which nothing leaves without a short list, should one ever lose it."""
_TYPE_URL: Final = "type.googleapis.com/"


def leaves_when_released(type_name: str) -> bool:
    """Tell whether events of a type that the contract knows may leave to their audience.

    Where its file has a short list, the type must stand on it too, whatever its own mark says.
    """
    return _travel(type_name) == policy_pb2.TRAVEL_RELEASED and is_listed(type_name)


def is_listed(type_name: str) -> bool:
    """Tell whether the file of a known type has no short list of what leaves, or names the type in it."""
    file = cast("Descriptor", event_type(type_name).DESCRIPTOR).file
    listed = file.GetOptions().Extensions[policy_pb2.leaving]
    return type_name in listed or (not listed and file.package not in SHORT_LISTED)


def speaks_of_lanes(type_name: str) -> bool:
    """Tell whether a type that the contract knows belongs to the closed list of the control lane."""
    return _travel(type_name) == policy_pb2.TRAVEL_LANE


def released_body(event: Event, payload: Message, grade: policy_pb2.Grade.ValueType) -> bytes:
    """Build the body of an item for everybody who receives the event at this grade.

    Id, origin time, type, resource and what may leave of the payload: the log's own numbers, the
    digest, the audience and the trace stay. Raises NotReleasableError where the payload cannot leave.
    """
    body = Event(id=event.id, type=event.type, may_ignore=event.may_ignore, resource=event.resource, grade=grade)
    body.time.CopyFrom(event.time)
    body.data.type_url = _TYPE_URL + event.type
    body.data.value = strip(payload, grade).SerializeToString(deterministic=True)
    return body.SerializeToString(deterministic=True)


def lane_body(payload: Message, *, event_id: UUID, time_us: int) -> bytes:
    """Build the body of an item of the control lane: something that speaks of the lanes alone."""
    type_name = payload.DESCRIPTOR.full_name
    body = Event(id=str(event_id), type=type_name, may_ignore=True, grade=GRADE_UNSPECIFIED)
    body.time.FromMicroseconds(time_us)
    body.data.type_url = _TYPE_URL + type_name
    body.data.value = strip(payload, GRADE_FULL).SerializeToString(deterministic=True)
    return body.SerializeToString(deterministic=True)


def _travel(type_name: str) -> policy_pb2.Travel.ValueType:
    return may_travel(cast("Descriptor", event_type(type_name).DESCRIPTOR))
