"""The demo's checks on prepared nodes: each kind of loss and leak is found, and nothing is found where all is well."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from renkei.policy.v1 import handling_pb2, policy_pb2
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.ports import PortClaims
from renkei_node.demo.checks import check
from renkei_node.demo.journal import AcknowledgedClock, Journal
from tests.node.demo.nodes import copy_of, drop_copies, markers, member, metrics, put, put_clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from renkei_node.demo.federation import Member

HOME, FULL, INDEX, NOBODY = "jp-13", "jp-12", "jp-09", "jp-01"


pytestmark = pytest.mark.slow


@dataclass(slots=True, kw_only=True)
class World:
    nodes: dict[str, Member]
    journal: Journal
    shared: Tip
    indexed: Tip

    def found(self) -> tuple[list[str], list[str]]:
        findings = check(self.nodes, self.journal)
        return findings.lost, findings.leaked

    def leave(self, code: str, content: str) -> None:
        (self.nodes[code].directory.path / "logs" / "stray.txt").write_text(content)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four nodes, and two tips of Tokyo's: one that Chiba has in full, one of which Tochigi has the index entry."""
    with PortClaims() as claims, ExitStack() as stack:
        nodes = {code: member(tmp_path, code, claims.claim_many(7)) for code in (HOME, FULL, INDEX, NOBODY)}
        for node in nodes.values():
            stack.enter_context(metrics(node.ports.metrics))
        journal = Journal()
        shared = record(journal, nodes[HOME], "A", to=FULL, action=handling_pb2.PERMITTED_ACTION_ACT)
        indexed = record(journal, nodes[HOME], "B", to=INDEX, action=handling_pb2.PERMITTED_ACTION_INDEX_ONLY)
        put(nodes[FULL], "tip_copy", copy_of(shared, policy_pb2.GRADE_FULL))
        put(nodes[INDEX], "tip_copy", copy_of(indexed, policy_pb2.GRADE_INDEX_ONLY))
        yield World(nodes=nodes, journal=journal, shared=shared, indexed=indexed)


def record(
    journal: Journal, node: Member, letter: str, *, to: str, action: handling_pb2.PermittedAction.ValueType
) -> Tip:
    made = markers(letter)
    tip = Tip(
        name=f"{node.agency.name}/tips/{uuid.uuid4()}",
        text=f"演習データ {made.text}",
        external_reference=made.home,
        handling=handling_pb2.Handling(releasable_to=[f"agencies/{to}"], permitted_action=action),
    )
    put(node, "tip", tip)
    journal.created(tip, name=tip.name, markers=made)
    return tip


def test_nothing_is_found_where_everything_is_in_its_place(world: World) -> None:
    assert world.found() == ([], [])


def test_a_copy_that_is_not_there_is_lost(world: World) -> None:
    drop_copies(world.nodes[INDEX])

    assert world.found() == ([f"{INDEX} holds {world.indexed.name} 0 times"], [])


def test_a_copy_that_is_there_twice_is_a_loss_of_exactly_once(world: World) -> None:
    put(world.nodes[FULL], "tip_copy", copy_of(world.shared, policy_pb2.GRADE_FULL))

    assert world.found() == ([f"{FULL} holds {world.shared.name} 2 times"], [])


def test_a_record_that_is_not_at_its_origin_is_lost(world: World) -> None:
    name = f"agencies/{HOME}/tips/{uuid.uuid4()}"
    world.journal.created(Tip(name=name), name=name, markers=markers("C"))

    lost, leaked = world.found()

    assert lost == [f"{name} is 0 times at its origin", f"the words of {name} are not at {HOME}"]
    assert leaked == []


def test_a_copy_at_somebody_who_has_no_part_in_it_is_leaked(world: World) -> None:
    put(world.nodes[NOBODY], "tip_copy", copy_of(world.shared, policy_pb2.GRADE_INDEX_ONLY))

    _, leaked = world.found()

    assert f"{NOBODY} holds {world.shared.name}" in leaked


def test_a_copy_at_too_high_a_grade_is_leaked_and_so_is_its_text(world: World) -> None:
    drop_copies(world.nodes[INDEX])
    put(world.nodes[INDEX], "tip_copy", copy_of(world.indexed, policy_pb2.GRADE_FULL))

    lost, leaked = world.found()

    assert lost == []
    assert leaked == [
        f"{INDEX} holds {world.indexed.name} at grade {policy_pb2.GRADE_FULL}",
        f"{world.indexed.name} is in data/tips.db of {INDEX}",
    ]


def test_a_text_in_any_file_of_another_node_is_leaked(world: World) -> None:
    world.leave(NOBODY, f"…{markers('A').text}…")

    assert world.found() == ([], [f"{world.shared.name} is in logs/stray.txt of {NOBODY}"])


def test_what_never_leaves_is_leaked_even_where_the_record_is_held_in_full(world: World) -> None:
    world.leave(FULL, markers("A").home)

    assert world.found() == ([], [f"{world.shared.name} is in logs/stray.txt of {FULL}"])


def test_a_name_is_leaked_where_nobody_may_know_of_the_record(world: World) -> None:
    world.leave(NOBODY, world.indexed.name)

    assert world.found() == ([], [f"the name {world.indexed.name} is in logs/stray.txt of {NOBODY}"])


def test_a_number_of_an_address_book_is_leaked_in_any_spelling(world: World) -> None:
    world.journal.address_books["049123456"] = HOME
    world.leave(FULL, "020-4912-3456")

    assert world.found() == ([], [f"a number of an address book of {HOME} is in logs/stray.txt of {FULL}"])


def test_a_plan_is_leaked_by_its_words_and_by_its_name(world: World) -> None:
    plan = f"agencies/{HOME}/personas/{uuid.uuid4()}"
    world.journal.plans[plan] = markers("D")
    (world.nodes[HOME].directory.data / "personas.db").write_text(f"{markers('D').text}{markers('D').home}")
    world.leave(FULL, f"{markers('D').text} {plan}")

    assert world.found() == (
        [],
        [f"{plan} is in logs/stray.txt of {FULL}", f"the name {plan} is in logs/stray.txt of {FULL}"],
    )


def test_a_marker_in_the_numbers_for_a_scrape_is_leaked(tmp_path: Path) -> None:
    with PortClaims() as claims:
        node = member(tmp_path, NOBODY, claims.claim_many(7))
        journal = Journal()
        name = f"agencies/{HOME}/tips/{uuid.uuid4()}"
        journal.created(Tip(name=name), name=name, markers=markers("E"))

        with metrics(node.ports.metrics, b'renkei_total{what="%s"} 1\n' % markers("E").text.encode()):
            findings = check({NOBODY: node}, journal)

    assert findings.leaked == [f"{name} is in metrics of {NOBODY}"]


def test_after_a_withdrawal_the_copy_must_be_gone(world: World) -> None:
    narrowed = Tip()
    narrowed.CopyFrom(world.shared)
    del narrowed.handling.releasable_to[:]
    world.journal.relabelled(narrowed)

    assert world.found() == ([], [f"{FULL} holds {world.shared.name}"])

    drop_copies(world.nodes[FULL])
    world.leave(FULL, markers("A").text)  # logs keep what was once rightly there

    assert world.found() == ([], [])


def test_an_acknowledged_warning_that_is_gone_is_lost_and_one_at_another_agency_is_leaked(world: World) -> None:
    arrest = f"agencies/{HOME}/arrests/{uuid.uuid4()}"
    clock = AcknowledgedClock(arrest=arrest, kind=1, level=50, acknowledger=f"agencies/{HOME}/officers/sato")
    world.journal.clocks.append(clock)

    without = world.found()
    put_clock(world.nodes[HOME], clock)
    in_its_place = world.found()
    put_clock(world.nodes[FULL], clock)

    assert without == ([f"{HOME} lacks the acknowledged warning of {arrest}"], [])
    assert in_its_place == ([], [])
    assert f"{FULL} holds a clock of {arrest}" in world.found()[1]
