"""The demo's own account of what was acknowledged: what the nodes are measured against, and kept apart from them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1 import policy_pb2

from renkei_chassis.records.audience import audience_of
from renkei_node.demo.agencies import code_of
from renkei_node.demo.expected import Site, sites_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from renkei.tips.v1.tips_pb2 import Tip

    from renkei_node.demo.markers import Markers

_NUMBER_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One acknowledged create, and what was acknowledged of it since."""

    name: str
    """`agencies/jp-12/tips/...`."""
    markers: Markers
    audience: Mapping[str, policy_pb2.Grade.ValueType]
    """Who is to hold a copy now, by code, and how much of it."""
    ever_in_full: frozenset[str]
    """Who was ever to hold it in full: a withdrawn copy's bytes may stay in logs until erasure exists."""
    ever: frozenset[str]
    """Who was ever to hold any of it, and so may know its name."""
    sites: tuple[Site, ...] = ()
    """The identifiers by which it may make leads."""
    deleted: bool = False

    @property
    def origin(self) -> str:
        """Give the code of the agency that recorded it."""
        return code_of(self.name)

    @property
    def collection(self) -> str:
        """Give `tips` or `arrests`."""
        return self.name.split("/")[2]

    def seen_by(self, code: str) -> bool:
        """Tell whether an agency holds the record, as its own or as a copy."""
        return not self.deleted and (code == self.origin or code in self.audience)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgedClock:
    """A warning of a clock that somebody acknowledged."""

    arrest: str
    kind: int
    level: int
    acknowledger: str


@dataclass(slots=True)
class Journal:
    """All entries by name."""

    entries: dict[str, Entry] = field(default_factory=dict)
    address_books: dict[str, str] = field(default_factory=dict)
    """Who holds a number of an address book, by its last nine digits: nobody else may."""
    plans: dict[str, Markers] = field(default_factory=dict)
    """Plans of fictitious-identity investigations by name: neither name nor words are anywhere else."""
    clocks: list[AcknowledgedClock] = field(default_factory=list)

    def created(self, record: Tip | Arrest, *, name: str, markers: Markers) -> Entry:
        """Note a create that was acknowledged."""
        audience = _audience(record)
        entry = Entry(
            name=name,
            markers=markers,
            audience=audience,
            ever_in_full=_in_full(audience),
            ever=frozenset(audience),
            sites=sites_of(record),
        )
        self.entries[name] = entry
        self.address_books.update(dict.fromkeys(_bystanders(record), entry.origin))
        return entry

    def relabelled(self, record: Tip | Arrest) -> None:
        """Note that a new label was acknowledged."""
        entry = self.entries[record.name]
        audience = _audience(record)
        self.entries[record.name] = replace(
            entry,
            audience=audience,
            ever_in_full=entry.ever_in_full | _in_full(audience),
            ever=entry.ever | frozenset(audience),
        )

    def deleted(self, name: str) -> None:
        """Note that a delete was acknowledged."""
        self.entries[name] = replace(self.entries[name], deleted=True, audience={})

    def __len__(self) -> int:
        """Count the acknowledged creates."""
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        """Give every entry."""
        return iter(self.entries.values())


def last_digits(number: str) -> str:
    """Give the last nine digits, in which every spelling of a number agrees."""
    written = unicodedata.normalize("NFKC", number)
    return "".join(character for character in written if character.isdigit())[-_NUMBER_DIGITS:]


def _bystanders(record: Tip | Arrest) -> Iterator[str]:
    for item in record.seized_items if isinstance(record, Arrest) else ():
        for found in item.identifiers:
            if found.relation == identifiers_pb2.RELATION_ADDRESS_BOOK:
                yield last_digits(found.identifier.original)


def _audience(record: Tip | Arrest) -> Mapping[str, policy_pb2.Grade.ValueType]:
    return {code_of(agency): grade for agency, grade in audience_of(record.handling).items()}


def _in_full(audience: Mapping[str, policy_pb2.Grade.ValueType]) -> frozenset[str]:
    return frozenset(code for code, grade in audience.items() if grade == policy_pb2.GRADE_FULL)
