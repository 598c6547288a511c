"""A second opinion on leads, small enough to be believed: which records each agency must see together.

It knows nothing of how the leads service works. Records are connected that share an identifier in
normal form, handles only while their spans overlap; each agency connects what it may see. The demo
compares this with the leads that the nodes show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1 import identifiers_pb2 as identifiers

from renkei_normalform import IdentifierType, NotAnIdentifier, Strength, normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from renkei.tips.v1.tips_pb2 import Tip

    from renkei_node.demo.journal import Entry

_HANDLE_SECONDS: Final = 90 * 86_400
"""The services' default: how long before and after its record a handle is taken to be the same person's."""
_LINKING: Final = frozenset(
    {identifiers.RELATION_USED_BY_SUBJECT, identifiers.RELATION_COMMUNICATED, identifiers.RELATION_MENTIONED}
)
_PREFIX: Final = "IDENTIFIER_TYPE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An identifier by which a record can be linked, and from when to when, in seconds since 1970."""

    form: str
    """Type and normal form: equal where the identifiers are."""
    start: float = float("-inf")
    until: float = float("inf")

    def meets(self, other: Site) -> bool:
        """Tell whether the two spans overlap."""
        return self.start <= other.until and other.start <= self.until


def sites_of(record: Tip | Arrest) -> tuple[Site, ...]:
    """Give the identifiers of a record that may link it, as it is sent to be recorded."""
    if isinstance(record, Arrest):
        anchor = record.restraint_time.seconds
        occurrences = [*record.identifiers, *(found for item in record.seized_items for found in item.identifiers)]
    else:
        anchor = record.observe_time.seconds
        occurrences = list(record.identifiers)
    return tuple(site for found in occurrences for site in _site(found, anchor))


def expected_leads(entries: Iterable[Entry], code: str) -> set[frozenset[str]]:
    """Give the sets of records that one agency must show as leads: each connected, and none to be enlarged."""
    at: dict[str, list[tuple[str, Site]]] = {}
    for entry in entries:
        if entry.seen_by(code):
            for site in entry.sites:
                at.setdefault(site.form, []).append((entry.name, site))
    group: dict[str, set[str]] = {}
    for standing in at.values():
        for number, (one, here) in enumerate(standing):
            for other, there in standing[number + 1 :]:
                if one != other and here.meets(there):
                    _join(group, one, other)
    return {frozenset(records) for records in group.values()}


def _join(group: dict[str, set[str]], one: str, other: str) -> None:
    together = group.get(one, {one}) | group.get(other, {other})
    for record in together:
        group[record] = together


def _site(found: identifiers.Occurrence, anchor: int) -> Iterator[Site]:
    if found.relation not in _LINKING:
        return
    kind = IdentifierType(identifiers.IdentifierType.Name(found.identifier.type).removeprefix(_PREFIX))
    try:
        normal = normalize(kind, found.identifier.original)
    except NotAnIdentifier:
        return
    form = f"{kind}:{normal.value}"
    if normal.strength is Strength.MEDIUM:
        yield Site(form=form, start=anchor - _HANDLE_SECONDS, until=anchor + _HANDLE_SECONDS)
    elif normal.strength is Strength.STRONG:
        yield Site(form=form)
