"""The demo's second opinion on leads, against cases small enough to be seen at a glance."""

from __future__ import annotations

from typing import Final

from renkei.identifiers.v1 import identifiers_pb2 as ids
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.checks import check_leads
from renkei_node.demo.expected import expected_leads
from renkei_node.demo.journal import Journal
from renkei_node.demo.markers import Markers

DAY: Final = 86_400
NUMBER: Final = "020-4111-2222"


def record(
    journal: Journal,
    name: str,
    *originals: str,
    to: tuple[str, ...] = (),
    day: int = 0,
    relation: ids.Relation.ValueType = ids.RELATION_USED_BY_SUBJECT,
) -> Tip:
    tip = Tip(name=f"agencies/{name}")
    tip.observe_time.FromSeconds(1_750_000_000 + day * DAY)
    tip.handling.releasable_to.extend(f"agencies/{code}" for code in to)
    for original in originals:
        kind = ids.IDENTIFIER_TYPE_PHONE if original[0] in "0+" else ids.IDENTIFIER_TYPE_HANDLE
        tip.identifiers.add(identifier=ids.Identifier(type=kind, original=original), relation=relation)
    journal.created(tip, name=tip.name, markers=Markers(text=f"T{name}", home=f"H{name}"))
    return tip


def leads(journal: Journal, code: str) -> set[frozenset[str]]:
    return {frozenset(name.removeprefix("agencies/") for name in lead) for lead in expected_leads(journal, code)}


def test_records_are_together_that_share_a_number_in_any_spelling() -> None:
    journal = Journal()
    record(journal, "jp-12/tips/1", NUMBER)
    record(journal, "jp-12/tips/2", "+81 20-4111-2222")
    record(journal, "jp-12/tips/3", "020-4111-3333")

    assert leads(journal, "jp-12") == {frozenset({"jp-12/tips/1", "jp-12/tips/2"})}


def test_a_record_that_shares_with_two_groups_makes_them_one() -> None:
    journal = Journal()
    for number, originals in enumerate(([NUMBER], ["020-4111-3333"], [NUMBER], ["020-4111-3333"])):
        record(journal, f"jp-12/tips/{number}", *originals)
    assert len(leads(journal, "jp-12")) == 2

    record(journal, "jp-12/tips/9", NUMBER, "020-4111-3333")

    assert [len(lead) for lead in leads(journal, "jp-12")] == [5]


def test_each_agency_sees_only_what_was_released_to_it() -> None:
    journal = Journal()
    record(journal, "jp-12/tips/1", NUMBER, to=("jp-13",))
    record(journal, "jp-09/tips/2", NUMBER)

    assert [len(leads(journal, code)) for code in ("jp-12", "jp-13", "jp-09")] == [0, 0, 0]

    record(journal, "jp-13/tips/3", NUMBER, to=("jp-09",))

    assert leads(journal, "jp-13") == {frozenset({"jp-12/tips/1", "jp-13/tips/3"})}
    assert leads(journal, "jp-09") == {frozenset({"jp-09/tips/2", "jp-13/tips/3"})}


def test_a_withdrawn_record_is_in_no_lead_elsewhere() -> None:
    journal = Journal()
    tip = record(journal, "jp-12/tips/1", NUMBER, to=("jp-13",))
    record(journal, "jp-13/tips/2", NUMBER)
    assert len(leads(journal, "jp-13")) == 1

    del tip.handling.releasable_to[:]
    journal.relabelled(tip)

    assert leads(journal, "jp-13") == set()


def test_handles_are_the_same_only_while_their_spans_overlap() -> None:
    journal = Journal()
    record(journal, "jp-12/tips/1", "telegram:enshu_x1", day=0)
    record(journal, "jp-12/tips/2", "telegram:enshu_x1", day=180)
    record(journal, "jp-12/tips/3", "telegram:enshu_x1", day=361)

    assert leads(journal, "jp-12") == {frozenset({"jp-12/tips/1", "jp-12/tips/2"})}


def test_a_number_of_an_address_book_makes_no_lead() -> None:
    journal = Journal()
    record(journal, "jp-12/tips/1", NUMBER)
    record(journal, "jp-12/tips/2", NUMBER, relation=ids.RELATION_ADDRESS_BOOK)

    assert leads(journal, "jp-12") == set()


def test_a_lead_too_few_and_a_lead_too_many_are_both_said() -> None:
    journal = Journal()
    record(journal, "jp-12/tips/1", NUMBER)
    record(journal, "jp-12/tips/2", NUMBER)
    invented = frozenset({"agencies/jp-12/tips/1", "agencies/jp-12/tips/7"})

    wrong = check_leads(journal, {"jp-12": [invented]})

    assert wrong == [
        "jp-12 lacks the lead of agencies/jp-12/tips/1 and agencies/jp-12/tips/2",
        "jp-12 shows a lead of agencies/jp-12/tips/1 and agencies/jp-12/tips/7",
    ]
