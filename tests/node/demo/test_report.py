"""What a run of the demo came to, in words: a bar that was missed is a fault as a false claim is."""

from __future__ import annotations

import re

import pytest
from renkei.leads.v1.leads_pb2 import Lead

from renkei_node.demo.checks import Findings
from renkei_node.demo.report import Outcome, lead_lines


def outcome(*, ready: float = 9.9, first_lead: float = 29.9, largest: float = 199.0, lost: int = 0) -> Outcome:
    findings = Findings(lost=["a record"] * lost)
    return Outcome(
        ready=ready, first_lead=first_lead, largest=largest, findings=findings, leads=39, records=3514, seconds=33.3
    )


def test_a_run_that_meets_every_bar_has_no_fault() -> None:
    assert outcome().faults(bars=True) == []


@pytest.mark.parametrize(
    ("missed", "fault"),
    [
        (outcome(ready=10.1), "ready after 10.1 s, not within 10 s"),
        (outcome(first_lead=30.1), "the first lead after 30.1 s, not within 30 s"),
        (outcome(largest=200.0), "a node took 200 MB, not less than 200 MB"),
    ],
)
def test_a_missed_bar_is_a_fault_where_bars_hold(missed: Outcome, fault: str) -> None:
    assert missed.faults(bars=True) == [fault]
    assert missed.faults(bars=False) == []


def test_what_is_lost_is_a_fault_in_any_case_and_counted_in_the_last_line() -> None:
    lost = outcome(lost=21)
    faults = lost.faults(bars=False)

    *rest, last = lost.lines(faults)

    assert len(faults) == 21
    assert last == "demo: 39 leads, 3514 records, 7 agencies, 21 lost, 0 leaked, 33 s"
    assert rest[-4:] == ["wrong: and 1 more", "ready 9.9 s", "first lead 29.9 s", "largest node 199 MB"]


def test_a_lead_is_shown_with_its_state_in_words_and_a_record_a_line() -> None:
    name = "agencies/jp-12/tips/01a20c4c-5245-70aa-a4aa-c27622a9a4ab"
    lead = Lead(
        name="agencies/jp-12/leads/6d9600eb-01f8-8a6c-b02a-9e4d999f6058",
        state=Lead.STATE_CANDIDATE,
        explanation_ja=f"・電話番号 +812042223333：{name}（銀行）、{name}（供述）",
        explanation_en=f"- Phone number +812042223333: {name} (bank), {name} (statement)\u202e",
    )

    lines = "\n".join(lead_lines(3, lead, 0.25)).split("\n")

    assert lines[1] == "3. 千葉県警察 Chiba (jp-12), after 0.25 s: CANDIDATE, for a human to confirm"
    assert len([line for line in lines if re.fullmatch(rf" +{name}\W.*", line)]) == 4
    assert lines[-1].endswith("(statement)\\u202e")
