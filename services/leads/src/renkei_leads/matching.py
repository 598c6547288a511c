"""Match records: write what was seen of them, and find anew every lead that this can have touched.

A batch is matched as a whole when all its events are read, so each lead is found once a batch however
many of its records came. Only leads that hold a record of the batch, or one that shares an identifier
with it, are looked at: the work grows with their size and not with the number of records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from renkei_leads import store
from renkei_leads.carrying import carry
from renkei_leads.domain import Identifier, Record, Site, find_leads
from renkei_leads.store import KnownRecord
from renkei_leads.succession import succeed
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from renkei_chassis.database.transaction import Transaction
    from renkei_leads.store import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A record is visible, in this version."""

    record: Record
    sites: tuple[Site, ...]
    """In the record itself. What stands in parts of it stays as it is."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Parts of a record that is visible have these sites now, such as what lies among its exhibits."""

    name: str
    parts: Mapping[str, tuple[Site, ...]]
    """By part; no sites: the part is gone."""


Change = Seen | Gone | Beside


class Matching:
    """Matches the records of one agency's node."""

    def __init__(self, *, agency: str, max_records_per_identifier: int) -> None:
        """Take whose leads these are, and when an identifier is too common to mean anything."""
        self._agency = agency
        self._max_records = max_records_per_identifier

    def note(self, transaction: Transaction, change: Change) -> None:
        """Hand over what an event says of a record; the leads are found when the batch is complete.

        A version older than the known one is passed over. What is gone as of a version does not come
        back with that version, only with a later one. Else, of one version the later event holds. Parts
        go with their record, and what is told of them while it is not visible is passed over.
        """
        transaction.collect(self.match, change)

    def match(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        """Bring a batch of changes into effect."""
        batch = _read(transaction, changes)
        if not batch.outcomes:
            return
        _write(transaction, batch)
        self._find(transaction, batch)
        if any(_takes_away(outcome, batch) for outcome in batch.outcomes.values()):
            transaction.scrub()

    def _find(self, transaction: Transaction, batch: _Batch) -> None:
        names = set(batch.outcomes) | store.records_with(transaction, self._shared(batch))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a batch leaves of a record that it changes."""

    record: Record
    visible: bool
    parts: Mapping[str, tuple[Site, ...]] = field(default_factory=dict)
    """The sites by part, "" for the record itself; no part without any."""

    @property
    def sites(self) -> Iterator[Site]:
        """Give all of them."""
        return chain.from_iterable(self.parts.values())


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What a batch changes: what it leaves of each record of which it changes anything."""

    outcomes: dict[str, _Outcome]
    known: Mapping[str, KnownRecord]
    parts: Mapping[str, Parts]
    """Where identifiers stood in its records until now."""
    identifiers: set[Identifier] = field(default_factory=set)
    before: Mapping[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)

    @property
    def fresh(self) -> set[str]:
        """Name the records that were not known before."""
        return self.outcomes.keys() - self.known.keys()

    def sites_before(self, name: str) -> Iterator[Site]:
        """Give where identifiers stood in a record until now."""
        return (site for those in self.parts.get(name, {}).values() for _, site in those)


@dataclass(slots=True)
class _Story:
    """What a batch tells of one record, as far as it counts."""

    last: Seen | Gone | None = None
    ended: bool = False
    """It was gone in between, and its parts with it."""
    beside: dict[str, tuple[Site, ...]] = field(default_factory=dict)


def _read(transaction: Transaction, changes: Sequence[Change]) -> _Batch:
    known = store.known_records(transaction, {change.name for change in changes})
    stories = _stories(changes, known)
    parts = store.parts_of(transaction, [name for name in stories if name in known and known[name].visible])
    outcomes = {name: _outcome(story, known.get(name), parts.get(name, {})) for name, story in stories.items()}
    real = {
        name: outcome
        for name, outcome in outcomes.items()
        if name not in known or not _says_the_same(outcome, known[name], parts.get(name, {}))
    }
    batch = _Batch(outcomes=real, known=known, parts={name: those for name, those in parts.items() if name in real})
    _count(transaction, batch)
    return batch


def _stories(changes: Iterable[Change], known: Mapping[str, KnownRecord]) -> dict[str, _Story]:
    standing = {name: (those.record.version, not those.visible) for name, those in known.items()}
    stories: dict[str, _Story] = {}
    for change in changes:
        if isinstance(change, Beside):
            if not standing.get(change.name, (0, True))[1]:
                stories.setdefault(change.name, _Story()).beside.update(change.parts)
            continue
        place = (change.version, isinstance(change, Gone))
        if place >= standing.get(change.name, place):
            standing[change.name] = place
            story = stories.setdefault(change.name, _Story())
            story.last = change
            if isinstance(change, Gone):
                story.ended = True
                story.beside.clear()
    return stories


def _outcome(story: _Story, known: KnownRecord | None, parts: Parts) -> _Outcome:
    if isinstance(story.last, Gone):
        nothing = Record(name=story.last.name, version=story.last.version, grade=0, contact_desk="", caveat="")
        return _Outcome(record=nothing, visible=False)
    left = {} if story.ended else {part: tuple(site for _, site in those) for part, those in parts.items()}
    left.update(story.beside)
    if story.last is not None:
        record, left[""] = story.last.record, story.last.sites
    else:
        assert known is not None  # noqa: S101 (parts are told of visible records alone)
        record = known.record
    return _Outcome(record=record, visible=True, parts={part: sites for part, sites in left.items() if sites})


def _says_the_same(outcome: _Outcome, known: KnownRecord, parts: Parts) -> bool:
    if not outcome.visible:
        return not known.visible and outcome.record.version == known.record.version
    before = {part: {site for _, site in those} for part, those in parts.items()}
    return (
        known.visible
        and outcome.record == known.record
        and before == {part: set(sites) for part, sites in outcome.parts.items()}
    )


def _takes_away(outcome: _Outcome, batch: _Batch) -> bool:
    """Say whether a record was here, and is no more or in less detail: nothing of it may stay in the files."""
    before = batch.known.get(outcome.record.name)
    if before is None or not before.visible:
        return False
    gone = batch.parts.get(outcome.record.name, {}).keys() - outcome.parts.keys() - {""}
    return not outcome.visible or outcome.record.grade < before.record.grade or bool(gone)


def _count(transaction: Transaction, batch: _Batch) -> None:
    """Count anew in how many records the identifiers of the batch stand."""
    moves: dict[Identifier, int] = {}
    for name, outcome in batch.outcomes.items():
        for identifier in {site.identifier for site in batch.sites_before(name)}:
            moves[identifier] = moves.get(identifier, 0) - 1
        for identifier in {site.identifier for site in outcome.sites}:
            moves[identifier] = moves.get(identifier, 0) + 1
    batch.identifiers = set(moves)
    batch.before = store.counts(transaction, [identifier.key for identifier in moves])
    batch.after = {identifier.key: batch.before.get(identifier.key, 0) + move for identifier, move in moves.items()}


def _write(transaction: Transaction, batch: _Batch) -> None:
    rows = [KnownRecord(record=each.record, visible=each.visible) for each in batch.outcomes.values()]
    store.write_records(
        transaction,
        new=[row for row in rows if row.record.name not in batch.known],
        changed=[row for row in rows if row.record.name in batch.known],
    )
    store.replace_parts(transaction, batch.parts, {name: outcome.parts for name, outcome in batch.outcomes.items()})
    store.write_counts(transaction, before=batch.before, after=batch.after)


def _visible(transaction: Transaction, batch: _Batch, names: Iterable[str]) -> tuple[dict[str, Record], list[Site]]:
    """Gather the records that are visible now, and their sites."""
    others = [name for name in names if name not in batch.outcomes]
    records = {name: those.record for name, those in store.known_records(transaction, others).items() if those.visible}
    sites = [site for those in store.sites_of(transaction, others).values() for site in those]
    for name, outcome in batch.outcomes.items():
        if outcome.visible:
            records[name] = outcome.record
            sites.extend(outcome.sites)
    return records, sites


def _all_counts(transaction: Transaction, batch: _Batch, sites: Iterable[Site]) -> Mapping[str, int]:
    """Give the counts of every identifier among the sites, those of the batch as they are now."""
    missing = {site.identifier.key for site in sites} - batch.after.keys()
    return {**store.counts(transaction, missing), **batch.after}
