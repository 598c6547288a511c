"""Join each method of the contract with what answers it, and refuse what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.policy.v1 import policy_pb2

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.rpc.methods import DuplexMethod, ReadMethod, StreamMethod

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from renkei_chassis.rpc.methods import Method

_ROLE_PREFIX: Final = "ROLE_"
_STREAMS: Final = {
    WriteMethod: (False, False),
    ReadMethod: (False, False),
    StreamMethod: (False, True),
    DuplexMethod: (True, True),
}
"""Which sides of a call stream, the client's and the server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of the contract and what answers it."""

    path: str
    permission: str
    roles: frozenset[str]
    request_type: type[Message]
    method: Method


def make_route(descriptor: MethodDescriptor, request_type: type[Message], method: Method) -> Route:
    """Join a method of the contract with its answer. Raises ValueError where the two do not fit.

    A method without a permission or without roles in the contract is refused, and so is an answer that streams where
    the contract does not, and a write without a `request_id`.
    """
    policy = descriptor.GetOptions().Extensions[policy_pb2.method]
    service = descriptor.containing_service
    path = f"/{service.full_name}/{descriptor.name}"
    if not policy.permission or not policy.roles:
        raise ValueError(f"{path} has no permission or no role in the contract")
    if _STREAMS[type(method)] != (descriptor.client_streaming, descriptor.server_streaming):
        raise ValueError(f"{path} does not stream as a {type(method).__name__}")
    if isinstance(method, WriteMethod) and "request_id" not in descriptor.input_type.fields_by_name:
        raise ValueError(f"{path} writes and has no request_id")
    roles = frozenset(policy_pb2.Role.Name(role).removeprefix(_ROLE_PREFIX) for role in policy.roles)
    return Route(path=path, permission=policy.permission, roles=roles, request_type=request_type, method=method)
