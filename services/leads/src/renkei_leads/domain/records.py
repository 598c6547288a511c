"""Records as leads see them: a name, a label, and the places where identifiers stand in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from renkei_leads.domain.identifiers import Identifier

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AFTER_ALL_UUIDS: Final = "~"


class Provenance(IntEnum):
    """Where a record has an identifier from, by the contract's numbers. Newer ones may come as plain numbers."""

    UNSPECIFIED = 0
    SEIZED_DEVICE = 1
    STATEMENT = 2
    ADVERTISEMENT = 3
    BANK = 4
    TIP = 5
    WITHHELD_ASK_ORIGINATOR = 6
    OBSERVATION = 7


class Relation(IntEnum):
    """What an identifier has to do with the subject of a record, by the contract's numbers."""

    UNSPECIFIED = 0
    USED_BY_SUBJECT = 1
    COMMUNICATED = 2
    ADDRESS_BOOK = 3
    MENTIONED = 4


_LINKING: Final = frozenset({Relation.USED_BY_SUBJECT, Relation.COMMUNICATED, Relation.MENTIONED})


def links(relation: int) -> bool:
    """Say whether an identifier that stands so in a record may link it.

    ADDRESS_BOOK never does, and neither does a relation that this program does not know: it may be
    one that says less than an address book does.
    """
    return relation in _LINKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record that is visible here. What an INDEX_ONLY copy lacks is empty."""

    name: str
    version: int
    grade: int
    """The contract's number; 0 for an own record."""
    contact_desk: str
    caveat: str

    @property
    def order(self) -> tuple[str, str]:
        """Give what records are ordered by: the UUID in the name, then the name. Names without one come last."""
        last = self.name.rpartition("/")[2]
        # The one spelling of a UUID sorts as its bytes do.
        return (last if _UUID.fullmatch(last) else _AFTER_ALL_UUIDS), self.name


@dataclass(frozen=True, slots=True)
class Site:
    """One place where an identifier stands in a record. A missing end of the span is open."""

    record: str
    identifier: Identifier
    provenance: int
    relation: int
    from_us: int | None = None
    until_us: int | None = None
