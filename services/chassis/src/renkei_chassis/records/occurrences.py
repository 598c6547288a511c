"""The identifiers in a record: complete, in normal form, with a span, and as rows that a search looks into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.identifiers.v1.identifiers_pb2 import (
    IDENTIFIER_TYPE_HANDLE,
    IDENTIFIER_TYPE_INVITE_LINK,
    IDENTIFIER_TYPE_PLACE,
    IdentifierType,
)

from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.records.times import set_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from renkei_chassis.records.kind import Occurrence, Record, RecordKind

_MAX_VIOLATIONS: Final = 50
# What is somebody's for a time only, and links inside of it.
_SPANNED: Final = frozenset({IDENTIFIER_TYPE_HANDLE, IDENTIFIER_TYPE_INVITE_LINK, IDENTIFIER_TYPE_PLACE})
_TYPE_NAMES: Final = {number: name.removeprefix("IDENTIFIER_TYPE_") for name, number in IdentifierType.items()}


def read_occurrences(kind: RecordKind, record: Record, *, handle_span: timedelta, now_us: int) -> list[dict[str, Any]]:
    """Fill normal forms and spans in place; returns the rows to be searched, without their record's key.

    Raises FIELD_INVALID for occurrences that do not say what they are, SPAN_REVERSED for a span that
    ends before it begins. An original that cannot be read as its type is kept and has no normal form.
    """
    found = list(kind.occurrences(record))
    broken = [
        violation
        for path, occurrence in found
        if not _is_complete(occurrence)
        for violation in _incomplete(f"{kind.word}.{path}", occurrence)
    ]
    if broken:
        first = broken[0]
        raise InvalidArgument(
            "FIELD_INVALID", f"{first.field}: {first.description}", violations=broken[:_MAX_VIOLATIONS]
        )
    for path, occurrence in found:
        identifier = occurrence.identifier
        identifier.normal_form, identifier.normal_form_version = kind.normalize(
            _TYPE_NAMES[identifier.type], identifier.original
        )
        has_from, has_until = occurrence.HasField("valid_from"), occurrence.HasField("valid_until")
        if has_from and has_until:
            _refuse_reversed(f"{kind.word}.{path}", occurrence)
        elif identifier.type in _SPANNED and not has_from and not has_until:
            anchor = kind.anchor(record)
            middle_us = now_us if anchor is None else to_us(anchor)
            reach_us = handle_span.days * 86_400_000_000
            set_us(occurrence.valid_from, middle_us - reach_us)
            set_us(occurrence.valid_until, middle_us + reach_us)
    return search_rows(kind, [occurrence for _, occurrence in found])


def search_rows(kind: RecordKind, occurrences: list[Occurrence]) -> list[dict[str, Any]]:
    """Make the rows that a search looks into. What has neither normal form nor readable original has none."""
    rows: list[dict[str, Any]] = []
    for ordinal, occurrence in enumerate(occurrences):
        identifier = occurrence.identifier
        key = kind.search_key(identifier.normal_form, identifier.original)
        if key:
            rows.append({"ordinal": ordinal, "type": identifier.type, "search_key": key[:256]})
    return rows


def _is_complete(occurrence: Occurrence) -> bool:
    identifier = occurrence.identifier
    return bool(identifier.type and identifier.original and occurrence.provenance and occurrence.relation)


def _incomplete(path: str, occurrence: Occurrence) -> Iterator[FieldViolation]:
    if not occurrence.identifier.type:
        yield FieldViolation(field=f"{path}.identifier.type", description="must be set")
    if not occurrence.identifier.original:
        yield FieldViolation(field=f"{path}.identifier.original", description="must not be empty")
    if not occurrence.provenance:
        yield FieldViolation(field=f"{path}.provenance", description="must be set")
    if not occurrence.relation:
        yield FieldViolation(field=f"{path}.relation", description="must be set")


def _refuse_reversed(path: str, occurrence: Occurrence) -> None:
    begin, end = occurrence.valid_from, occurrence.valid_until
    if (end.seconds, end.nanos) < (begin.seconds, begin.nanos):
        field = f"{path}.valid_until"
        raise InvalidArgument(
            "SPAN_REVERSED",
            f"{field} lies before valid_from",
            metadata={"field": field},
            violations=[FieldViolation(field=field, description="lies before valid_from")],
        )
