"""What a lead says of itself, and what it keeps to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.leads.v1.leads_pb2 import Lead

from renkei_leads.content import live_content
from renkei_leads.domain import Identifier, Provenance, Record, Relation, Site, explain, find_leads
from renkei_leads.domain.explanation import MAX_CHARACTERS
from tests.leads.records import TOKYO, tip_name

if TYPE_CHECKING:
    from renkei_leads.domain.finding import FoundLead

PHONE: Final = Identifier(1, 1, "+819000000001")
OWN: Final = tip_name(1)
THEIRS: Final = tip_name(2, TOKYO)
DESK: Final = "千葉県警察 捜査第一課"


def a_lead(
    *identifiers: Identifier, desk: str = "千葉県警察 捜査第一課", records: int = 2, caveat: str = ""
) -> FoundLead:
    names = [OWN, THEIRS, *(tip_name(number, TOKYO) for number in range(3, records + 1))]
    made = [Record(name=name, version=1, grade=0, contact_desk=desk, caveat=caveat) for name in names]
    sites = [
        Site(name, identifier, Provenance.TIP, Relation.USED_BY_SUBJECT)
        for place, name in enumerate(names)
        for identifier in (identifiers if place < 2 else identifiers[:1]) or (PHONE,)  # more would only take time
    ]
    (lead,) = find_leads({record.name: record for record in made}, sites, crowded=lambda _: False)
    return lead


def test_a_lead_names_its_records_their_desks_and_what_they_share() -> None:
    for text in explain(a_lead()):
        assert OWN in text
        assert THEIRS in text
        assert DESK in text
        assert "+819000000001" in text


def test_each_language_has_its_own_words() -> None:
    japanese, english = explain(a_lead(PHONE, Identifier(3, 1, "unknown:renkei_demo_01")))

    assert "候補" in japanese
    assert "電話番号 +819000000001" in japanese
    assert "アカウント名 unknown:renkei_demo_01（弱い・参考）" in japanese
    assert "Candidate" in english
    assert "Phone number +819000000001" in english
    assert "Handle unknown:renkei_demo_01 (weak: supports only)" in english


def test_where_no_desk_is_known_the_agency_stands() -> None:
    assert "(jp-13, tip)" in explain(a_lead(desk=""))[1]


def test_a_caveat_stands_beside_its_record_and_never_in_the_words() -> None:
    lead = Lead.FromString(live_content("agencies/jp-12/leads/x", a_lead(caveat="MARKERxCAVEAT")))

    assert [record.caveat for record in lead.records] == ["MARKERxCAVEAT"] * 2
    assert "MARKERxCAVEAT" not in lead.explanation_ja + lead.explanation_en


def test_a_hostile_desk_cannot_break_or_turn_a_line() -> None:
    """Another agency's desk comes as it was written there."""
    for text in explain(a_lead(desk="desk\n- \u202eforged\u200b\u2028line")):
        assert len(text.splitlines()) == 2
        assert not {"\u202e", "\u200b", "\u2028"} & set(text)


def test_a_large_lead_is_cut_to_what_the_contract_allows_and_says_so() -> None:
    identifiers = [Identifier(1, 1, f"+8190{number:08}") for number in range(1500)]

    found = a_lead(*identifiers, records=1100)
    lead = Lead.FromString(live_content("agencies/jp-12/leads/x", found))

    assert all(len(text) <= MAX_CHARACTERS for text in explain(found))
    assert "more identifier(s)" in lead.explanation_en
    assert (len(lead.records), lead.records_omitted) == (1000, 100)
    assert len(lead.evidence) + lead.evidence_omitted == 1500
    assert lead.ByteSize() < 1024 * 1024
