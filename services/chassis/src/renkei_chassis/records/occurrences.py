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
from renkei_chassis.records.protected import PUBLIC_SERVICE
from renkei_chassis.records.times import set_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_chassis.records.kind import Occurrence, Policy, Record, RecordKind

_MAX_VIOLATIONS: Final = 50
# What is somebody's for a time only, and links inside of it.
_SPANNED: Final = frozenset({IDENTIFIER_TYPE_HANDLE, IDENTIFIER_TYPE_INVITE_LINK, IDENTIFIER_TYPE_PLACE})
_TYPE_NAMES: Final = {number: name.removeprefix("IDENTIFIER_TYPE_") for name, number in IdentifierType.items()}


def read_occurrences(
    kind: RecordKind, record: Record, *, policy: Policy, now_us: int, before: Record | None = None
) -> list[dict[str, Any]]:
    """Fill normal forms and spans in place; returns the rows to be searched, without their record's key.

    Raises FIELD_INVALID for occurrences that do not say what they are, SPAN_REVERSED for a span that
    ends before it begins, PROTECTED_IDENTIFIER for what must link nothing. An original that cannot be read
    as its type is kept and has no normal form; so is what was protected only after it had come into
    `before`, the version before.
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
    protected: dict[int, tuple[str, Occurrence, str]] = {}
    for index, (path, occurrence) in enumerate(found):
        identifier = occurrence.identifier
        type_name = _TYPE_NAMES[identifier.type]
        form, identifier.normal_form_version = kind.normalize(type_name, identifier.original)
        whose = policy.protected.get((type_name, form)) if form else _whose(kind, type_name, identifier.original)
        if whose is not None:
            protected[index] = f"{kind.word}.{path}", occurrence, whose
            form = ""
        identifier.normal_form = form
        has_from, has_until = occurrence.HasField("valid_from"), occurrence.HasField("valid_until")
        if has_from and has_until:
            _refuse_reversed(f"{kind.word}.{path}", occurrence)
        elif identifier.type in _SPANNED and not has_from and not has_until:
            anchor = kind.anchor(record)
            middle_us = now_us if anchor is None else to_us(anchor)
            reach_us = policy.handle_span.days * 86_400_000_000
            set_us(occurrence.valid_from, middle_us - reach_us)
            set_us(occurrence.valid_until, middle_us + reach_us)
    if protected:
        _refuse_protected(list(protected.values()), _originals(kind, before))
    return search_rows(kind, [occurrence for index, (_, occurrence) in enumerate(found) if index not in protected])


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


def _whose(kind: RecordKind, type_name: str, original: str) -> str | None:
    return PUBLIC_SERVICE if kind.serves_all(type_name, original) else None


def _originals(kind: RecordKind, record: Record | None) -> set[tuple[int, str]]:
    if record is None:
        return set()
    return {(one.identifier.type, one.identifier.original) for _, one in kind.occurrences(record)}


def _refuse_protected(found: list[tuple[str, Occurrence, str]], stood: set[tuple[int, str]]) -> None:
    """Refuse what is protected and new. The refusal names the place and never the number."""
    new = [
        (f"{path}.identifier", whose)
        for path, occurrence, whose in found
        if (occurrence.identifier.type, occurrence.identifier.original) not in stood
    ]
    if new:
        field, whose = new[0]
        raise InvalidArgument(
            "PROTECTED_IDENTIFIER",
            f"{field} is protected ({whose}) and must not link records; leave it out",
            metadata={"field": field, "whose": whose},
            violations=[
                FieldViolation(field=field, description=f"is protected ({whose})")
                for field, whose in new[:_MAX_VIOLATIONS]
            ],
        )


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
