"""Know everything the contract holds: its messages, its events, its methods and who may call them.

Importing this module imports every generated module of `renkei.*`, so that each message is known by
its full name, whether or not the service at hand deals in it.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import renkei
from google.protobuf import message_factory
from renkei.policy.v1 import policy_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.descriptor import Descriptor, FileDescriptor, MethodDescriptor
    from google.protobuf.message import Message

_EVENTS_FILE: Final = "/events.proto"


def event_type(name: str) -> type[Message]:
    """Give the class of an event by its full name, such as `renkei.tips.v1.TipRecorded`.

    Raises KeyError for anything that no `events.proto` of this contract defines.
    """
    return EVENT_TYPES[name]


def is_known(name: str) -> bool:
    """Tell whether the contract defines an event of this full name."""
    return name in EVENT_TYPES


def message_type(name: str) -> type[Message]:
    """Give the class of any message of the contract by its full name; KeyError if there is none."""
    return MESSAGE_TYPES[name]


def methods() -> Iterator[tuple[str, MethodDescriptor, policy_pb2.MethodPolicy]]:
    """Give every method: its path on the wire, such as `/renkei.tips.v1.TipsService/CreateTip`, and its policy.

    A method without the option has an empty policy: no permission and no role, so nobody may call it.
    """
    for file in FILES:
        for service in file.services_by_name.values():
            for method in service.methods:
                policy = policy_pb2.MethodPolicy()
                policy.CopyFrom(method.GetOptions().Extensions[policy_pb2.method])
                yield f"/{service.full_name}/{method.name}", method, policy


def _load_files() -> tuple[FileDescriptor, ...]:
    found = pkgutil.walk_packages(renkei.__path__, f"{renkei.__name__}.")
    names = sorted(module.name for module in found if module.name.endswith("_pb2"))
    return tuple(importlib.import_module(name).DESCRIPTOR for name in names)


def _messages(descriptors: Iterator[Descriptor]) -> Iterator[Descriptor]:
    for descriptor in descriptors:
        if not descriptor.GetOptions().map_entry:
            yield descriptor
            yield from _messages(iter(descriptor.nested_types))


FILES: Final[tuple[FileDescriptor, ...]] = _load_files()
"""Every file of the contract, sorted by name."""

MESSAGE_TYPES: Final[Mapping[str, type[Message]]] = MappingProxyType(
    {
        descriptor.full_name: message_factory.GetMessageClass(descriptor)
        for file in FILES
        for descriptor in _messages(iter(file.message_types_by_name.values()))
    }
)
"""Every message of the contract, nested ones too, by full name."""

EVENT_TYPES: Final[Mapping[str, type[Message]]] = MappingProxyType(
    {
        descriptor.full_name: MESSAGE_TYPES[descriptor.full_name]
        for file in FILES
        if file.name.endswith(_EVENTS_FILE)
        for descriptor in file.message_types_by_name.values()
    }
)
"""Every event of the contract, by full name."""
