from __future__ import annotations

from renkei.arrests.v1.arrests_pb2 import Arrest, SeizedItem
from renkei.identifiers.v1 import identifiers_pb2 as ids
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.checks import check_leads
from renkei_node.demo.expected import expected_leads
from renkei_node.demo.journal import Journal
from tests.node.demo.nodes import markers

PHONE, HANDLE = ids.IDENTIFIER_TYPE_PHONE, ids.IDENTIFIER_TYPE_HANDLE
DAY = 86_400


class Noted:
    """A journal that is written by hand."""

    def __init__(self) -> None:
        self.journal = Journal()

    def tip(self, name: str, *found: ids.Occurrence, to: tuple[str, ...] = (), day: int = 0) -> str:
        tip = Tip(name=name, identifiers=found, handling=_label(to))
        tip.observe_time.FromSeconds(day * DAY)
        self.journal.created(tip, name=name, markers=markers("A"))
        return name

    def arrest(self, name: str, *found: ids.Occurrence, to: tuple[str, ...] = (), day: int = 0) -> str:
        arrest = Arrest(name=name, seized_items=[SeizedItem(identifiers=found)], handling=_label(to))
        arrest.restraint_time.FromSeconds(day * DAY)
        self.journal.created(arrest, name=name, markers=markers("A"))
        return name

    def at(self, code: str) -> set[frozenset[str]]:
        return expected_leads(self.journal, code)


def _label(to: tuple[str, ...]) -> handling_pb2.Handling:
    return handling_pb2.Handling(releasable_to=[f"agencies/{code}" for code in to])


def found(
    kind: ids.IdentifierType.ValueType,
    original: str,
    relation: ids.Relation.ValueType = ids.RELATION_USED_BY_SUBJECT,
) -> ids.Occurrence:
    return ids.Occurrence(identifier=ids.Identifier(type=kind, original=original), relation=relation)


def test_records_that_share_a_number_in_any_spelling_are_one_lead_where_both_are_seen() -> None:
    noted = Noted()
    one = noted.tip("agencies/jp-12/tips/1", found(PHONE, "020-4123-4567"), to=("jp-13",))
    other = noted.arrest("agencies/jp-13/arrests/2", found(PHONE, "+81 20-4123-4567"))

    assert noted.at("jp-13") == {frozenset({one, other})}
    assert noted.at("jp-12") == set()


def test_connected_records_are_one_lead_over_others() -> None:
    noted = Noted()
    ends = found(PHONE, "020-4123-4567"), found(HANDLE, "telegram:enshu_kage1")
    names = {
        noted.tip("agencies/jp-12/tips/1", ends[0]),
        noted.arrest("agencies/jp-12/arrests/2", *ends),
        noted.tip("agencies/jp-12/tips/3", ends[1]),
    }
    noted.tip("agencies/jp-12/tips/4", found(PHONE, "020-4999-0000"))

    assert noted.at("jp-12") == {frozenset(names)}


def test_a_handle_links_only_while_the_spans_overlap() -> None:
    noted = Noted()
    handle = found(HANDLE, "telegram:enshu_kage1")
    first = noted.tip("agencies/jp-12/tips/1", handle, day=1000)
    second = noted.tip("agencies/jp-12/tips/2", handle, day=1179)
    noted.tip("agencies/jp-12/tips/3", handle, day=1500)

    assert noted.at("jp-12") == {frozenset({first, second})}


def test_an_address_book_links_nothing() -> None:
    noted = Noted()
    noted.tip("agencies/jp-12/tips/1", found(PHONE, "020-4912-3456"))
    noted.arrest("agencies/jp-12/arrests/2", found(PHONE, "020-4912-3456", ids.RELATION_ADDRESS_BOOK))

    assert noted.at("jp-12") == set()


def test_a_lead_that_lacks_and_one_that_nothing_carries_are_both_told() -> None:
    noted = Noted()
    one = noted.tip("agencies/jp-12/tips/1", found(PHONE, "020-4123-4567"))
    other = noted.tip("agencies/jp-12/tips/2", found(PHONE, "020-4123-4567"))
    stray = noted.tip("agencies/jp-12/tips/3", found(PHONE, "020-4999-0000"))

    assert check_leads(noted.journal, {"jp-12": [frozenset({one, other})]}) == []
    assert check_leads(noted.journal, {"jp-12": [frozenset({one, stray})]}) == [
        f"jp-12 lacks the lead of {one} and {other}",
        f"jp-12 shows a lead of {one} and {stray}",
    ]
