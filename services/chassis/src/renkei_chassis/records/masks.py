"""Update masks: which fields of a record a correction replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

MAX_PATHS: Final = 100


def read_mask(descriptor: Descriptor, paths: Collection[str], *, output_only: frozenset[str]) -> list[tuple[str, ...]]:
    """Take the paths apart and leave out those that are output only.

    A path may go into a message of ours, and not into a list, a map or a `google.*` message.
    Raises INVALID_UPDATE_MASK for an unknown path, for more than 100, and where none is left.
    """
    if len(paths) > MAX_PATHS:
        raise _refusal("update_mask", f"names more than {MAX_PATHS} paths")
    taken = []
    for index, path in enumerate(paths):
        names = tuple(path.split("."))
        if not _exists(descriptor, names):
            raise _refusal(f"update_mask.paths[{index}]", "names no field that can be changed by itself")
        if not any(".".join(names[:depth]) in output_only for depth in range(1, len(names) + 1)):
            taken.append(names)
    if not taken:
        raise _refusal("update_mask", "names no field that can be changed")
    return taken


def replace_fields(target: Message, source: Message, paths: Iterable[tuple[str, ...]]) -> None:
    """Give each field of `target` that a path names the value it has in `source`, also where that is none."""
    for names in paths:
        _replace(target, source, names)


def _replace(target: Message, source: Message, names: tuple[str, ...]) -> None:
    name, *rest = names
    field = target.DESCRIPTOR.fields_by_name[name]
    if rest:
        _replace(getattr(target, name), getattr(source, name), tuple(rest))
    elif field.is_repeated:
        target.ClearField(name)
        getattr(target, name).MergeFrom(getattr(source, name))
    elif field.message_type is None:
        setattr(target, name, getattr(source, name))
    elif source.HasField(name):
        getattr(target, name).CopyFrom(getattr(source, name))
    else:
        target.ClearField(name)


def _exists(descriptor: Descriptor, names: tuple[str, ...]) -> bool:
    field = descriptor.fields_by_name.get(names[0])
    if field is None:
        return False
    if len(names) == 1:
        return True
    below = field.message_type
    if below is None or field.is_repeated or below.full_name.startswith("google."):
        return False
    return _exists(below, names[1:])


def _refusal(field: str, what: str) -> InvalidArgument:
    # The path itself is the caller's text, and so is not repeated.
    return InvalidArgument(
        "INVALID_UPDATE_MASK",
        f"{field} {what}",
        metadata={"field": field},
        violations=[FieldViolation(field=field, description=what)],
    )
