"""A matching over a database in memory, and random ways for records to come, change and go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from renkei.leads.v1.events_pb2 import LeadChanged, LeadFollowedUp, LeadFound, LeadMerged, LeadRetracted
from sqlalchemy import create_engine, select
from sqlalchemy.pool import StaticPool

from renkei_chassis.database.transaction import Transaction
from renkei_leads import store, tables
from renkei_leads.content import read_content
from renkei_leads.domain import Identifier, Record, Site
from renkei_leads.matching import Beside, Gone, Matching, Seen
from renkei_leads.succession import LIVE
from tests.leads.oracle import Expected, expected_leads
from tests.leads.records import CHIBA, SAPPORO, TOKYO, numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from renkei_leads.matching import Change

BOUND: Final = 3
AGENCIES: Final = [CHIBA, TOKYO, CHIBA, SAPPORO, CHIBA, TOKYO]
NAMES: Final = [
    *(f"{agency}/tips/{numbered(number)}" for number, agency in enumerate(AGENCIES)),
    f"{CHIBA}/arrests/{numbered(2)}",  # the UUID of one of the tips
    f"{SAPPORO}/tips/a-slug",
]
IDENTIFIERS: Final = [
    Identifier(1, 1, "+819000000001"),
    Identifier(1, 1, "+819000000002"),
    Identifier(1, 2, "+819000000001"),  # made by other rules: never compared with the first
    Identifier(3, 1, "telegram:renkei_demo_01"),
    Identifier(3, 1, "x:renkei_demo_02"),
    Identifier(3, 1, "unknown:renkei_demo"),
    Identifier(99, 1, "of a type from the future"),
]
SPANS: Final = st.one_of(st.none(), st.integers(0, 6))
SITES: Final = st.tuples(
    st.sampled_from(IDENTIFIERS),
    st.sampled_from([1, 5, 6, 77]),
    st.sampled_from([1, 1, 1, 2, 4, 3, 88]),  # 3: an address book; 88: from the future
    SPANS,
    SPANS,
)


class World:
    """The matching over a database in memory, and what it told."""

    def __init__(self, connection: Connection, bound: int) -> None:
        self.connection = connection
        self.bound = bound
        self.matching = Matching(agency=CHIBA, max_records_per_identifier=bound)
        self.visible: dict[str, Seen] = {}
        self.parts: dict[str, dict[str, tuple[Site, ...]]] = {}
        self.places: dict[str, tuple[int, bool]] = {}
        self.told: dict[str, tuple[int, int]] = {}
        """What a follower of the events believes to be live: state and number of records."""
        self.followed: dict[str, LeadFollowedUp] = {}
        """What was told last of how people follow up each lead."""
        self.kinds: list[str] = []
        self.now_us = 0

    def bring(self, changes: Sequence[Change]) -> None:
        """Match a batch, and keep our own account of what is visible."""
        self.now_us += 1
        transaction = Transaction(self.connection, now_us=self.now_us)
        for change in changes:
            transaction.begin_request()
            self.matching.note(transaction, change)
        transaction.complete()
        for change in changes:
            if isinstance(change, Beside):
                if change.name in self.visible:
                    self.parts.setdefault(change.name, {}).update(change.parts)
                continue
            place = (change.version, isinstance(change, Gone))
            if place < self.places.get(change.name, (0, False)):
                continue
            self.places[change.name] = place
            if isinstance(change, Seen):
                self.visible[change.name] = change
            else:
                self.visible.pop(change.name, None)
                self.parts.pop(change.name, None)
        for event in transaction.events:
            self._hear(event.payload)

    def _hear(self, payload: Any) -> None:  # noqa: ANN401 (any of four events)
        lead = payload.name.rpartition("/")[2]
        self.kinds.append(type(payload).__name__)
        match payload:
            case LeadFound():
                assert lead not in self.told
                self.told[lead] = (payload.state, payload.record_count)
            case LeadChanged():
                assert lead in self.told
                self.told[lead] = (payload.state, payload.record_count)
            case LeadMerged() | LeadRetracted():
                self.told.pop(lead, None)
            case LeadFollowedUp():
                self.followed[lead] = payload
            case _:
                raise AssertionError

    def expected(self) -> dict[str, Expected]:
        return expected_leads({name: self.sites(name) for name in self.visible}, bound=self.bound)

    def sites(self, name: str) -> list[Site]:
        return [*self.visible[name].sites, *(site for part in self.parts.get(name, {}).values() for site in part)]

    def rows(self) -> list[store.LeadRow]:
        return [store.lead_row(row) for row in self.connection.execute(select(tables.leads))]

    def live(self) -> dict[str, Expected]:
        return {row.id: as_expected(row) for row in self.rows() if row.state in LIVE}


def as_expected(row: store.LeadRow) -> Expected:
    """Read a stored lead as the oracle writes it; the contract leaves out versions of normal forms."""
    lead = read_content(row)
    evidence = frozenset(
        (Identifier(each.type, 0, each.normal_form), frozenset(record.name for record in each.records))
        for each in lead.evidence
    )
    return Expected(state=row.state, records=tuple(record.name for record in lead.records), evidence=evidence)


def without_versions(expected: dict[str, Expected]) -> dict[str, Expected]:
    return {
        lead: Expected(
            state=each.state,
            records=each.records,
            evidence=frozenset(
                (Identifier(identifier.type, 0, identifier.form), names) for identifier, names in each.evidence
            ),
        )
        for lead, each in expected.items()
    }


@contextmanager
def a_world(bound: int = BOUND) -> Iterator[World]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        tables.metadata.create_all(connection)
        yield World(connection, bound)
    engine.dispose()


def linking(name: str, sites: Iterable[tuple[Identifier, int, int, int | None, int | None]]) -> tuple[Site, ...]:
    made = (Site(name, *site) for site in sites)
    return tuple(dict.fromkeys(site for site in made if site.relation in {1, 2, 4}))


def seen(name: str, version: int, *sites: tuple[Identifier, int, int, int | None, int | None]) -> Seen:
    record = Record(name=name, version=version, grade=0, contact_desk="", caveat="")
    return Seen(record=record, sites=linking(name, sites))


@st.composite
def parts(draw: st.DrawFn) -> Beside:
    name = draw(st.sampled_from(NAMES))
    told = draw(st.dictionaries(st.sampled_from(["a", "b"]), st.lists(SITES, max_size=2), min_size=1))
    return Beside(name=name, parts={part: linking(name, sites) for part, sites in told.items()})


@st.composite
def histories(draw: st.DrawFn, *, beside: bool = False) -> list[list[Change]]:
    """Draw records with versions that come and go, and a shuffled, repeated, cut way for them to arrive.

    What is told of parts holds from then on, so with them the order counts.
    """
    events: list[Change] = list(draw(st.lists(parts(), max_size=6))) if beside else []
    for name in NAMES:
        for version in range(1, draw(st.integers(0, 3)) + 1):
            events.append(seen(name, version, *draw(st.lists(SITES, max_size=3))))
            if draw(st.integers(0, 3)) == 0:
                events.append(Gone(name=name, version=version))
    repeated = draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    arriving = draw(st.permutations(events + repeated))
    batches: list[list[Change]] = [[]]
    for event in arriving:
        if draw(st.booleans()):
            batches.append([])
        batches[-1].append(event)
    return batches
