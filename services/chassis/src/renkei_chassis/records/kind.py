"""What makes one kind of record differ from another, and what an agency decides about all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.resource_names import INVALID_RESOURCE_NAME, Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta

    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.audience import Audience
    from renkei_chassis.records.protected import Forms
    from renkei_chassis.records.tables import Tables
    from renkei_chassis.records.texts.query import Folding

Record: TypeAlias = Any
"""A `Tip` or an `Arrest`: generated classes with the same standard fields, and no class in common."""
Occurrence: TypeAlias = Any
"""A `renkei.identifiers.v1.Occurrence` that stands in a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The events of a kind of record. The first, second, third and sixth carry the record as field 1."""

    recorded: type[Message]
    revised: type[Message]
    released: type[Message]
    withdrawn: type[Message]
    deleted: type[Message]
    restored: type[Message]
    received: type[Message]
    removed: type[Message]
    purged: type[Message]
    more: tuple[type[Message], ...] = ()
    """Further events that carry the new version as field 1, such as DispositionRecorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long records of a class are kept, where their label does not say."""

    review: timedelta
    """After its creation a record is due for review."""
    unreviewed: timedelta | None
    """After its review was due a record is purged. None: never by itself."""
    overtaken_us: int | None = None
    """When something happened for which it is due for review at once, whatever its label says. None: nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """A kind of record."""

    word: str
    """The record's field in requests and events: `tip`."""
    names: Pattern
    """`agencies/{agency}/tips/{tip}`."""
    message: type[Message]
    create_request: type[Message]
    """What a record has to pass when it is recorded, and after each correction."""
    tables: Tables
    events: Events
    output_only: frozenset[str]
    """Paths that callers cannot write, in the record."""
    recorded_later: Mapping[str, str]
    """Fields that a method of their own records. They can be corrected once they are there; until then the reason for
    which that is refused stands beside them, with the status FAILED_PRECONDITION."""
    occurrences: Callable[[Record], Iterator[tuple[str, Occurrence]]]
    """Every occurrence of the record, with its path in it."""
    normalize: Callable[[str, str], tuple[str, int]]
    """(name of the type, original) -> (normal form or "", version of the rules)."""
    serves_all: Callable[[str, str], bool]
    """(name of the type, original without normal form) -> whether it is a public service's, such as 110."""
    search_key: Callable[[str, str], str]
    """(normal form or "", original) -> what a search for a part looks into, "" for nothing."""
    search_fragment: Callable[[str], str]
    """What to look for; ValueError where the text can be no part of an identifier."""
    texts: Callable[[Record], Iterator[tuple[str, str]]]
    """The texts of the record that a search looks into, each with the name of its field. Never a person's."""
    folding: Folding
    """What is written otherwise and read alike, in these texts."""
    anchor: Callable[[Record], Timestamp | None]
    """The time in the record around which a handle, an invite link or a place without a span is good."""
    category: Callable[[Record], int]
    """What lists filter by beside the state: a tip's source, an arrest's kind."""
    complete: Callable[[Record], None]
    """Check the kind's own rules before a version is stored, and set what is computed and stored."""
    present: Callable[[Record, datetime], None]
    """Set what is computed whenever an own record is read, and never stored."""
    state: Callable[[Record], int] = lambda record: int(record.state)
    """Where it stands in its life, in which lists choose too; always 0 for a kind that has none."""
    reference: Callable[[Record], str] = lambda record: str(record.case_reference)
    """By what lists find records: their case, or what they are about."""
    succeed: Callable[[Record, Record], None] = lambda _before, _after: None
    """Refuse a version that may not take the place of the one before."""
    restore: Callable[[Record], None] = lambda _record: None
    """Change what a record says that comes back after its deletion."""
    on_stored: Callable[[Transaction, bytes, Record], None] = lambda _transaction, _id, _record: None
    """Keep what the kind keeps beside a record, in the transaction of each version. A first version has nothing yet."""
    on_deleted: Callable[[Transaction, bytes], None] = lambda _transaction, _id: None
    """The same where a record is marked as deleted."""
    on_released: Callable[[Transaction, bytes, Record, Audience], None] = lambda _transaction, _id, _record, _to: None
    """Tell what is kept beside a record to agencies that get the record now, or another grade of it. The record itself
    was told before. Nobody stands there where it comes back after its deletion for our own services alone."""

    @property
    def collection(self) -> str:
        """The segment of names: `tips`."""
        return self.names.template.split("/")[2]

    def parse(self, name: str, *, field: str = "name") -> tuple[str, UUID]:
        """Take a name apart: (`agencies/jp-12`, id). Raises INVALID_RESOURCE_NAME."""
        ids = self.names.parse(name, field=field)
        text = ids[self.names.variables[1]]
        try:
            record_id = UUID(text)
        except ValueError:
            record_id = None
        if record_id is None or str(record_id) != text:
            what = f"the id in {field} is no UUID in lower case"
            raise InvalidArgument(
                INVALID_RESOURCE_NAME,
                what,
                metadata={"field": field, "pattern": self.names.template},
                violations=[FieldViolation(field=field, description=what)],
            )
        return f"agencies/{ids['agency']}", record_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the agency decides about its records."""

    agency: str
    """`agencies/jp-12`."""
    members: frozenset[str]
    """The agencies of the federation."""
    release_without_instrument: bool
    contact_desk: str
    handle_span: timedelta
    undelete: timedelta
    protected: Forms = field(default_factory=dict)
    """Identifiers that must link nothing."""
