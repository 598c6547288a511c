"""Whatever comes in whatever order: what is stored is what the records that are visible amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from renkei_leads import tables
from renkei_leads.content import read_content
from renkei_leads.domain import Provenance, Relation, State
from renkei_leads.succession import LIVE, lead_id
from tests.leads.worlds import IDENTIFIERS, NAMES, World, a_world, histories, seen, without_versions

if TYPE_CHECKING:
    from random import Random

    from renkei_leads.matching import Change


def check(world: World) -> None:
    expected = world.expected()
    assert world.live() == without_versions(expected)
    assert world.told == {lead: (int(each.state), len(each.records)) for lead, each in expected.items()}
    homes = {record: lead for lead, each in expected.items() for record in each.records}
    for row in world.rows():
        assert row.id == lead_id(row.first_record)
        if row.state not in LIVE:
            assert row.merged_into == homes.get(row.first_record, "")
            assert row.state == (State.MERGED if row.merged_into else State.RETRACTED)
            assert not read_content(row).records
    stored = {row.record: row.lead for row in world.connection.execute(select(tables.lead_records))}
    assert stored == homes
    counts = {row.key: row.records for row in world.connection.execute(select(tables.identifiers))}
    standing: dict[str, set[str]] = {}
    for name in world.visible:
        for site in world.sites(name):
            standing.setdefault(site.identifier.key, set()).add(name)
    assert counts == {key: len(names) for key, names in standing.items()}
    kept = {(row.record, row.part, row.identifier) for row in world.connection.execute(select(tables.occurrences))}
    assert {(name, part) for name, part, _ in kept if part} == {
        (name, part) for name, parts in world.parts.items() for part, sites in parts.items() if sites
    }


@given(st.booleans().flatmap(lambda beside: histories(beside=beside)))
@settings(max_examples=150)
def test_after_every_batch_the_leads_are_those_of_the_visible_records(batches: list[list[Change]]) -> None:
    with a_world() as world:
        for batch in batches:
            world.bring(batch)
            check(world)


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_another_order_of_arrival_leads_to_the_same_leads(batches: list[list[Change]], random: Random) -> None:
    everything = [change for batch in batches for change in batch]
    shuffled = random.sample(everything, len(everything))

    with a_world() as one, a_world() as other:
        one.bring(everything)
        for change in shuffled:
            other.bring([change])

        assert one.live() == other.live()
        assert {row.id: row.content for row in one.rows() if row.state in LIVE} == {
            row.id: row.content for row in other.rows() if row.state in LIVE
        }


def test_a_repeated_batch_tells_nothing() -> None:
    phone = (IDENTIFIERS[0], Provenance.TIP, Relation.USED_BY_SUBJECT, None, None)
    batch = [seen(NAMES[0], 1, phone), seen(NAMES[1], 1, phone)]

    with a_world() as world:
        world.bring(batch)
        world.bring(batch)

        assert world.kinds == ["LeadFound"]
        assert world.connection.execute(select(func.count()).select_from(tables.occurrences)).scalar_one() == 2
