"""Tell what differs between two versions of a record: for programs as values, for people in words.

Elements of a list that stand in both versions are no difference, wherever they stand; what is left on both sides is
paired in order. So an element that was put in the middle is one difference, and not one for each that follows it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format
from renkei.policy.v1.differences_pb2 import FieldDifference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.protobuf.message import Message

ADDED: Final = FieldDifference.CHANGE_ADDED
REMOVED: Final = FieldDifference.CHANGE_REMOVED
REPLACED: Final = FieldDifference.CHANGE_REPLACED
REORDERED: Final = FieldDifference.CHANGE_REORDERED

_JAPAN: Final = timezone(timedelta(hours=9), "JST")
_TIMESTAMP: Final = "google.protobuf.Timestamp"
# What the contract's message has room for, and what is read at a glance.
_LONGEST_VALUE: Final = 2000
_LONGEST_QUOTE: Final = 80
# Each version has these anew, or they are computed when it is read.
OF_EVERY_VERSION: Final = frozenset(
    {"name", "version", "etag", "create_time", "update_time", "delete_time", "purge_time", "recorder"}
    | {"correction_reason"}
)
_JAPANESE: Final = {ADDED: "追加", REMOVED: "削除", REORDERED: "並び順の変更"}
_ENGLISH: Final = {ADDED: "added", REMOVED: "removed", REPLACED: "changed", REORDERED: "reordered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the versions of a kind of record are compared and told of."""

    unread: frozenset[str]
    """Fields of the record that are no difference."""
    sealed: frozenset[str]
    """Fields of the record of which only is told that they differ."""
    fields: Mapping[str, str]
    """The Japanese word for a field, by its name."""
    values: Mapping[str, str]
    """The Japanese word for a value of an enum, by its name."""


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    japanese: str
    english: str

    def field(self, name: str, reading: Reading) -> _Place:
        word = reading.fields.get(name, name)
        spoken = name.replace("_", " ")
        if not self.path:
            return _Place(name, word, spoken)
        return _Place(f"{self.path}.{name}", f"{self.japanese}の{word}", f"{self.english}, {spoken}")

    def element(self, index: int) -> _Place:
        number = index + 1
        return _Place(f"{self.path}[{index}]", f"{self.japanese}({number}件目)", f"{self.english} no. {number}")


def compare(before: Message, after: Message, reading: Reading) -> Iterator[FieldDifference]:
    """Give every difference, in the order of the contract's fields."""
    yield from _messages(before, after, _Place("", "", ""), reading)


def _messages(before: Message, after: Message, place: _Place, reading: Reading) -> Iterator[FieldDifference]:
    for field in after.DESCRIPTOR.fields:
        name = field.name
        if not place.path and name in reading.unread:
            continue
        below = place.field(name, reading)
        old, new = getattr(before, name), getattr(after, name)
        if not place.path and name in reading.sealed:
            yield from _sealed(_is_there(before, field), _is_there(after, field), old, new, below)
        elif field.is_repeated:
            yield from _lists(old, new, field, below, reading)
        elif field.message_type is not None and not field.message_type.full_name.startswith("google."):
            there = before.HasField(name), after.HasField(name)
            if all(there):
                yield from _messages(old, new, below, reading)
            elif any(there):
                yield _told(below, field, old if there[0] else None, new if there[1] else None, reading)
        else:
            had, has = _is_there(before, field), _is_there(after, field)
            if (had or has) and (had != has or old != new):
                yield _told(below, field, old if had else None, new if has else None, reading)


def _is_there(message: Message, field: Any) -> bool:  # noqa: ANN401 (upb's own descriptor)
    """Tell whether a field says something. A number or flag always does; a text or enum of proto3 only if it is set."""
    if field.is_repeated:
        return len(getattr(message, field.name)) > 0
    if field.has_presence:
        return message.HasField(field.name)
    return (field.type != field.TYPE_STRING and field.enum_type is None) or bool(getattr(message, field.name))


def _sealed(had: bool, has: bool, old: Any, new: Any, place: _Place) -> Iterator[FieldDifference]:  # noqa: ANN401, FBT001
    if old == new and had == has:
        return
    change = REPLACED if had and has else ADDED if has else REMOVED
    yield FieldDifference(
        path=place.path,
        change=change,
        sealed=True,
        text_ja=f"{place.japanese}: 変更あり(封印欄のため内容は表示しません)",
        text_en=f"{place.english}: {_ENGLISH[change]} (a sealed block: its content is not shown)",
    )


def _lists(
    old: Sequence[Any],
    new: Sequence[Any],
    field: Any,  # noqa: ANN401 (upb's own descriptor)
    place: _Place,
    reading: Reading,
) -> Iterator[FieldDifference]:
    of_messages = field.message_type is not None
    before, after = ([_key(item) if of_messages else item for item in items] for items in (old, new))
    if before == after:
        return
    gone, come = _unmatched(before, after)
    if not gone and not come:
        yield FieldDifference(
            path=place.path,
            change=REORDERED,
            text_ja=f"{place.japanese}: {_JAPANESE[REORDERED]}",
            text_en=f"{place.english}: {_ENGLISH[REORDERED]}",
        )
        return
    both = min(len(gone), len(come))
    for was, becomes in zip(gone[:both], come[:both], strict=True):
        below = place.element(becomes)
        if of_messages:
            yield from _messages(old[was], new[becomes], below, reading)
        else:
            yield _told(below, field, old[was], new[becomes], reading)
    for index in gone[both:]:
        yield _told(place.element(index), field, old[index], None, reading)
    for index in come[both:]:
        yield _told(place.element(index), field, None, new[index], reading)


def _unmatched(before: Sequence[Any], after: Sequence[Any]) -> tuple[list[int], list[int]]:
    """Give the places of what stands in one list alone, each as often as it does."""
    waiting: dict[Any, list[int]] = defaultdict(list)
    for index in reversed(range(len(before))):
        waiting[before[index]].append(index)
    come = []
    for index, key in enumerate(after):
        if waiting.get(key):
            waiting[key].pop()
        else:
            come.append(index)
    return sorted(index for left in waiting.values() for index in left), come


def _key(item: Message) -> bytes:
    return item.SerializeToString(deterministic=True)


def _told(place: _Place, field: Any, old: Any, new: Any, reading: Reading) -> FieldDifference:  # noqa: ANN401 (any value)
    """Tell of a place where one value took the place of another; None: there is none."""
    change = ADDED if old is None else REMOVED if new is None else REPLACED
    values = ["" if value is None else _json(field, value) for value in (old, new)]
    japanese, english = (
        [("" if value is None else _quoted(field, value, words)) for value in (old, new)]
        for words in (reading.values, {})
    )
    if change == REPLACED:
        text_ja = f"{place.japanese}: {japanese[0]} から {japanese[1]} に変更"
        text_en = f"{place.english}: {english[0]} became {english[1]}"
    else:
        text_ja = f"{place.japanese}: {''.join(japanese)} を{_JAPANESE[change]}"
        text_en = f"{place.english}: {''.join(english)} {_ENGLISH[change]}"
    return FieldDifference(
        path=place.path,
        change=change,
        before=values[0][:_LONGEST_VALUE],
        after=values[1][:_LONGEST_VALUE],
        cut=max(map(len, values)) > _LONGEST_VALUE,
        text_ja=text_ja,
        text_en=text_en,
    )


def _json(field: Any, value: Any) -> str:  # noqa: ANN401 (any value)
    if field.message_type is not None:
        value = json_format.MessageToDict(value, preserving_proto_field_name=True)
    elif field.enum_type is not None:
        value = _value_name(field, value)
    return json.dumps(value, ensure_ascii=False)


def _quoted(field: Any, value: Any, words: Mapping[str, str]) -> str:  # noqa: ANN401 (any value)
    """Say a value at a glance."""
    if field.enum_type is not None:
        name = str(_value_name(field, value))
        return words.get(name, name)
    if field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
        return str(value.ToDatetime(tzinfo=_JAPAN).strftime("%Y-%m-%d %H:%M:%S JST"))
    text = value if isinstance(value, str) else _json(field, value)
    return f"「{text[: _LONGEST_QUOTE - 1]}…」" if len(text) > _LONGEST_QUOTE else f"「{text}」"


def _value_name(field: Any, value: int) -> str | int:  # noqa: ANN401 (upb's own descriptor)
    known = field.enum_type.values_by_number.get(value)
    return value if known is None else str(known.name)
