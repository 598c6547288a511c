"""Match records: write what was seen of them, and find anew every lead that this can have touched.

A batch is matched as a whole when all its events are read, so each lead is found once a batch however
many of its records came. Only leads that hold a record of the batch, or one that shares an identifier
with it, are looked at: the work grows with their size and not with the number of records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from renkei_leads import store
from renkei_leads.carrying import carry
from renkei_leads.domain import Identifier, Record, Site, find_leads
from renkei_leads.store import KnownRecord
from renkei_leads.succession import succeed
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from renkei_chassis.database.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A record is visible, in this version."""

    record: Record
    sites: tuple[Site, ...]

    @property
    def name(self) -> str:
        """Name the record."""
        return self.record.name

    @property
    def version(self) -> int:
        """Tell the version."""
        return self.record.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A record is not visible any more, as of this version."""

    name: str
    version: int


Change = Seen | Gone


class Matching:
    """Matches the records of one agency's node."""

    def __init__(self, *, agency: str, max_records_per_identifier: int) -> None:
        """Take whose leads these are, and when an identifier is too common to mean anything."""
        self._agency = agency
        self._max_records = max_records_per_identifier

    def note(self, transaction: Transaction, change: Change) -> None:
        """Hand over what an event says of a record; the leads are found when the batch is complete.

        A version older than the known one is passed over. What is gone as of a version does not come
        back with that version, only with a later one. Else, of one version the later event holds.
        """
        transaction.collect(self.match, change)

    def match(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        """Bring a batch of changes into effect."""
        batch = _read(transaction, changes)
        if not batch.changes:
            return
        _write(transaction, batch)
        self._find(transaction, batch)
        if any(_takes_away(change, batch.known) for change in batch.changes.values()):
            transaction.scrub()

    def _find(self, transaction: Transaction, batch: _Batch) -> None:
        names = set(batch.changes) | store.records_with(transaction, self._shared(batch))
        # A record that was never here before is in no lead, and has begun none.
        homes = store.homes_of(transaction, names - batch.fresh)
        homes = store.members_of(transaction, set(homes.values()))
        names |= homes.keys()
        records, sites = _visible(transaction, batch, names)
        counts = _all_counts(transaction, batch, sites)
        found = find_leads(records, sites, crowded=lambda identifier: counts[identifier.key] > self._max_records)
        rows = store.leads_by_first(transaction, names - batch.fresh)
        outcome = succeed(agency=self._agency, found=found, rows=rows, homes=homes, now_us=transaction.now_us)
        store.write_leads(transaction, new=outcome.new, changed=outcome.changed)
        store.move_records(transaction, before=homes, after=outcome.homes)
        for event in outcome.events:
            transaction.emit(event)
        carry(transaction, agency=self._agency, found=found, before=rows, homes=homes, outcome=outcome)

    def _shared(self, batch: _Batch) -> list[str]:
        """Choose the identifiers through which the batch can touch records outside of it.

        Never those that were and are too common, so no more than the bound and the batch are read. A
        WEAK one links nothing: it touches others only when it becomes too common, or ceases to be.
        """
        chosen = []
        for identifier in batch.identifiers:
            before, after = batch.before.get(identifier.key, 0), batch.after.get(identifier.key, 0)
            common = (before > self._max_records, after > self._max_records)
            links = identifier.strength in {Strength.STRONG, Strength.MEDIUM}
            if before and ((links and not all(common)) or common[0] != common[1]):
                chosen.append(identifier.key)
        return chosen


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What a batch changes: the last change of each record that changes anything."""

    changes: dict[str, Change]
    known: Mapping[str, KnownRecord]
    sites: Mapping[str, list[Site]]
    """Where identifiers stood in its records until now."""
    identifiers: set[Identifier] = field(default_factory=set)
    before: Mapping[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    @property
    def fresh(self) -> set[str]:
        """Name the records that were not known before."""
        return self.changes.keys() - self.known.keys()


def _read(transaction: Transaction, changes: Iterable[Change]) -> _Batch:
    last: dict[str, Change] = {}
    all_changes = list(changes)
    known = store.known_records(transaction, {change.name for change in all_changes})
    standing = {name: (those.record.version, not those.visible) for name, those in known.items()}
    for change in all_changes:
        place = (change.version, isinstance(change, Gone))
        if place >= standing.get(change.name, place):
            standing[change.name] = place
            last[change.name] = change
    sites = store.sites_of(transaction, [name for name in last if name in known and known[name].visible])
    real = {
        name: change
        for name, change in last.items()
        if name not in known or not _says_the_same(change, known[name], sites.get(name, ()))
    }
    batch = _Batch(changes=real, known=known, sites={name: those for name, those in sites.items() if name in real})
    _count(transaction, batch)
    return batch


def _says_the_same(change: Change, known: KnownRecord, sites: Iterable[Site]) -> bool:
    if isinstance(change, Gone):
        return not known.visible and change.version == known.record.version
    return known.visible and change.record == known.record and set(change.sites) == set(sites)


def _takes_away(change: Change, known: Mapping[str, KnownRecord]) -> bool:
    """Say whether a record was here, and is no more or in less detail: nothing of it may stay in the files."""
    before = known.get(change.name)
    if before is None or not before.visible:
        return False
    return isinstance(change, Gone) or change.record.grade < before.record.grade


def _count(transaction: Transaction, batch: _Batch) -> None:
    """Count anew in how many records the identifiers of the batch stand."""
    moves: dict[Identifier, int] = {}
    for name, change in batch.changes.items():
        for identifier in {site.identifier for site in batch.sites.get(name, ())}:
            moves[identifier] = moves.get(identifier, 0) - 1
        for identifier in {site.identifier for site in _sites(change)}:
            moves[identifier] = moves.get(identifier, 0) + 1
    batch.identifiers = set(moves)
    batch.before = store.counts(transaction, [identifier.key for identifier in moves])
    batch.after = {identifier.key: batch.before.get(identifier.key, 0) + move for identifier, move in moves.items()}


def _write(transaction: Transaction, batch: _Batch) -> None:
    rows = [_row(change) for change in batch.changes.values()]
    store.write_records(
        transaction,
        new=[row for row in rows if row.record.name not in batch.known],
        changed=[row for row in rows if row.record.name in batch.known],
    )
    sites = {name: _sites(change) for name, change in batch.changes.items()}
    store.replace_sites(transaction, sites, standing=batch.sites.keys())
    store.write_counts(transaction, before=batch.before, after=batch.after)


def _row(change: Change) -> KnownRecord:
    if isinstance(change, Seen):
        return KnownRecord(record=change.record, visible=True)
    nothing = Record(name=change.name, version=change.version, grade=0, contact_desk="", caveat="")
    return KnownRecord(record=nothing, visible=False)


def _sites(change: Change) -> tuple[Site, ...]:
    return change.sites if isinstance(change, Seen) else ()


def _visible(transaction: Transaction, batch: _Batch, names: Iterable[str]) -> tuple[dict[str, Record], list[Site]]:
    """Gather the records that are visible now, and their sites."""
    others = [name for name in names if name not in batch.changes]
    records = {name: those.record for name, those in store.known_records(transaction, others).items() if those.visible}
    sites = [site for those in store.sites_of(transaction, others).values() for site in those]
    for change in batch.changes.values():
        if isinstance(change, Seen):
            records[change.name] = change.record
            sites.extend(change.sites)
    return records, sites


def _all_counts(transaction: Transaction, batch: _Batch, sites: Iterable[Site]) -> Mapping[str, int]:
    """Give the counts of every identifier among the sites, those of the batch as they are now."""
    missing = {site.identifier.key for site in sites} - batch.after.keys()
    return {**store.counts(transaction, missing), **batch.after}
