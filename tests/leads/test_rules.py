"""The rules of leads by tables: what links, what does not, and what is a second, independent piece of evidence."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

import pytest
from renkei.identifiers.v1 import identifiers_pb2
from renkei.leads.v1.leads_pb2 import Lead

from renkei_leads.domain import FoundLead, Identifier, Provenance, Record, Relation, Site, State, find_leads
from renkei_leads.domain.identifiers import TYPES
from renkei_leads.succession import lead_id
from renkei_normalform import IdentifierType
from tests.leads.records import CHIBA, SAPPORO, TOKYO, numbered, tip_name

PHONE: Final = Identifier(1, 1, "+819000000001")
OTHER_PHONE: Final = Identifier(1, 1, "+819000000002")
HANDLE: Final = Identifier(3, 1, "telegram:renkei_demo_01")
WEAK: Final = Identifier(3, 1, "unknown:renkei_demo_01")
# Three records of Chiba and one each of Tokyo and Sapporo.
A: Final = tip_name(1)
B: Final = tip_name(2)
C: Final = tip_name(3)
T: Final = tip_name(4, TOKYO)
S: Final = tip_name(5, SAPPORO)


def at(
    record: str,
    identifier: Identifier = PHONE,
    provenance: int = Provenance.TIP,
    *,
    relation: int = Relation.USED_BY_SUBJECT,
    span: tuple[int | None, int | None] = (None, None),
) -> Site:
    return Site(record, identifier, provenance, relation, *span)


def found(*sites: Site, bound: int = 50) -> list[FoundLead]:
    records = {site.record: Record(name=site.record, version=1, grade=0, contact_desk="", caveat="") for site in sites}
    standing: dict[Identifier, set[str]] = {}
    for site in sites:
        standing.setdefault(site.identifier, set()).add(site.record)
    return find_leads(records, sites, crowded=lambda identifier: len(standing[identifier]) > bound)


def members(leads: list[FoundLead]) -> list[list[str]]:
    return [[record.name for record in lead.records] for lead in leads]


@pytest.mark.parametrize(
    "sites",
    [
        pytest.param([at(A), at(B, OTHER_PHONE)], id="two numbers"),
        pytest.param([at(A), at(A, provenance=Provenance.BANK)], id="one record"),
        pytest.param([at(A, WEAK), at(B, WEAK)], id="a weak identifier"),
        pytest.param([at(A), at(B, Identifier(1, 2, PHONE.form))], id="forms of two versions"),
        pytest.param([at(A), at(B, Identifier(4, 1, PHONE.form))], id="equal forms of two types"),
        pytest.param([at(A, Identifier(99, 1, "x")), at(B, Identifier(99, 1, "x"))], id="a type not known yet"),
        pytest.param([at(A), at(B, relation=Relation.ADDRESS_BOOK)], id="an address book"),
        pytest.param([at(A), at(B, relation=88)], id="a relation not known yet"),
        pytest.param([at(A, HANDLE, span=(0, 9)), at(B, HANDLE, span=(10, 20))], id="a handle sold on"),
        pytest.param([at(A, HANDLE, span=(9, 0)), at(B, HANDLE)], id="a span that ends before it begins"),
    ],
)
def test_these_link_nothing(sites: list[Site]) -> None:
    assert found(*sites) == []


@pytest.mark.parametrize(
    "sites",
    [
        pytest.param([at(A), at(B)], id="a number"),
        pytest.param([at(A, relation=Relation.MENTIONED), at(B, relation=Relation.COMMUNICATED)], id="any relation"),
        pytest.param([at(A, span=(0, 1)), at(B, span=(8, 9))], id="a number in two years"),
        pytest.param([at(A, HANDLE), at(B, HANDLE)], id="a handle with open spans"),
        pytest.param([at(A, HANDLE, span=(0, 9)), at(B, HANDLE, span=(9, 20))], id="spans with a common end"),
        pytest.param([at(A, HANDLE, span=(None, 9)), at(B, HANDLE, span=(3, None))], id="half-open spans"),
        pytest.param(
            [at(A, HANDLE, span=(0, 1)), at(A, HANDLE, span=(5, 6)), at(B, HANDLE, span=(6, 7))], id="one of two spans"
        ),
    ],
)
def test_these_link_two_records(sites: list[Site]) -> None:
    assert members(found(*sites)) == [[A, B]]


def test_a_handle_links_along_a_chain_of_spans_and_not_across_a_gap() -> None:
    sites = [
        at(A, HANDLE, span=(0, 5)),
        at(B, HANDLE, span=(4, 9)),
        at(C, HANDLE, span=(8, 12)),
        at(T, HANDLE, span=(20, 22)),
        at(S, HANDLE, span=(22, 25)),
    ]

    assert members(found(*sites)) == [[A, B, C], [T, S]]


def test_an_identifier_in_more_records_than_the_bound_links_and_supports_nothing() -> None:
    sites = [at(A), at(B), at(T), at(A, OTHER_PHONE), at(B, OTHER_PHONE)]

    (within,) = found(*sites, bound=3)
    (beyond,) = found(*sites, bound=2)

    assert members([within]) == [[A, B, T]]
    assert within.state is State.SUPPORTED
    assert members([beyond]) == [[A, B]]
    assert beyond.state is State.CANDIDATE
    assert [row.identifier for row in beyond.evidence] == [OTHER_PHONE]


@pytest.mark.parametrize(
    "sites",
    [
        pytest.param([at(A), at(T)], id="one pair"),
        pytest.param([at(A), at(T), at(A, OTHER_PHONE), at(T, OTHER_PHONE)], id="one pair and two numbers"),
        pytest.param([at(A), at(B), at(C)], id="one agency and one provenance"),
        pytest.param([at(A), at(B), at(B, OTHER_PHONE), at(C, OTHER_PHONE)], id="a chain of one origin"),
        pytest.param(
            [at(A), at(T), at(T, OTHER_PHONE), at(B, OTHER_PHONE)], id="twice the same agency beside the same record"
        ),
        pytest.param(
            [at(A), at(B), at(C, provenance=Provenance.WITHHELD_ASK_ORIGINATOR)], id="a source that is withheld"
        ),
        pytest.param([at(A), at(B), at(C, provenance=77)], id="a provenance not known yet"),
    ],
)
def test_a_lead_without_two_independent_pieces_is_a_candidate(sites: list[Site]) -> None:
    (lead,) = found(*sites)

    assert lead.state is State.CANDIDATE


@pytest.mark.parametrize(
    "sites",
    [
        pytest.param([at(A), at(T), at(S)], id="three agencies"),
        pytest.param([at(A), at(B), at(T)], id="two agencies"),
        pytest.param([at(A), at(B), at(C, provenance=Provenance.SEIZED_DEVICE)], id="two provenances of one agency"),
        pytest.param([at(A), at(T), at(T, OTHER_PHONE), at(S, OTHER_PHONE)], id="two numbers"),
        pytest.param(
            [at(A), at(T), at(T, OTHER_PHONE), at(B, OTHER_PHONE), at(A, WEAK), at(B, WEAK)],
            id="a weak identifier between records that are linked already",
        ),
        pytest.param(
            [
                at(A),
                at(B),
                at(B, HANDLE, Provenance.BANK),
                at(C, HANDLE),
                at(C, OTHER_PHONE, Provenance.OBSERVATION),
                at(tip_name(9), OTHER_PHONE, Provenance.BANK),
            ],
            id="two pairs that share no record",
        ),
    ],
)
def test_a_lead_with_two_independent_pieces_is_supported(sites: list[Site]) -> None:
    (lead,) = found(*sites)

    assert lead.state is State.SUPPORTED


def test_two_weak_pieces_support_nothing() -> None:
    """The number's source is withheld and so shows no difference; the weak pieces differ, and are not enough."""
    number = [at(record, provenance=Provenance.WITHHELD_ASK_ORIGINATOR) for record in (A, B, C)]
    other_weak = Identifier(3, 1, "unknown:renkei_demo_02")
    weak = [at(A, WEAK), at(B, WEAK, Provenance.BANK), at(A, other_weak), at(C, other_weak)]

    (lead,) = found(*number, *weak)
    (with_handle,) = found(*number, *weak, at(A, HANDLE), at(C, HANDLE))

    assert lead.state is State.CANDIDATE
    assert with_handle.state is State.SUPPORTED


def test_records_stand_in_the_order_of_their_ids_whoever_they_belong_to() -> None:
    slug = f"{CHIBA}/tips/a-slug"
    twin = f"{CHIBA}/arrests/{numbered(2)}"

    (lead,) = found(at(slug), at(S), at(B), at(A), at(twin))

    assert members([lead]) == [[A, twin, B, S, slug]]


def test_the_id_of_a_lead_is_the_hash_of_its_first_records_name() -> None:
    digest = hashlib.sha256(b"renkei-lead-v1\0" + A.encode()).hexdigest()

    computed = uuid.UUID(lead_id(A))

    assert computed.version == 8
    assert computed.hex[:12] == digest[:12]


def test_the_rules_number_things_as_the_contract_does() -> None:
    kinds = {f"IDENTIFIER_TYPE_{kind.name}": number for number, kind in TYPES.items()}

    assert kinds | {"IDENTIFIER_TYPE_UNSPECIFIED": 0} == dict(identifiers_pb2.IdentifierType.items())
    assert set(TYPES.values()) == set(IdentifierType)
    assert {f"PROVENANCE_{each.name}": each.value for each in Provenance} == dict(identifiers_pb2.Provenance.items())
    assert {f"RELATION_{each.name}": each.value for each in Relation} == dict(identifiers_pb2.Relation.items())
    assert {f"STATE_{each.name}": each.value for each in State} | {"STATE_UNSPECIFIED": 0} == dict(Lead.State.items())
