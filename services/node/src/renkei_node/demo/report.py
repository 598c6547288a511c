"""Write what the demo found for its terminal: each lead in words, the measures, and the last line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.leads.v1.leads_pb2 import Lead

from renkei_node.commands.access import visible
from renkei_node.demo.agencies import AGENCIES, code_of, label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from renkei_node.demo.checks import Findings

READY_BAR_SECONDS: Final = 10.0
FIRST_LEAD_BAR_SECONDS: Final = 30.0
NODE_BAR_MEGABYTES: Final = 200.0
_SHOWN_FAULTS: Final = 20
_WORDS: Final = {
    Lead.STATE_CANDIDATE: "CANDIDATE, for a human to confirm",
    Lead.STATE_SUPPORTED: "SUPPORTED by independent evidence",
}
# Where a record begins in what a lead says of itself; a name is too long for two in a line.
_RECORD: Final = re.compile(r"(?<=[：、:,]) ?agencies/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    ready: float
    """Seconds until all agencies were ready."""
    first_lead: float
    """Seconds from the start of the first process to the first lead."""
    largest: float
    """The most memory that a node's Python process ever took, in megabytes."""
    findings: Findings
    leads: int
    records: int
    seconds: float

    def faults(self, *, bars: bool) -> list[str]:
        """Name everything that is wrong; with `bars` also what took too long or too much."""
        found = self.findings
        faults = [f"lost: {line}" for line in found.lost] + [f"leaked: {line}" for line in found.leaked]
        faults += [f"leads: {line}" for line in found.leads]
        if bars and self.ready > READY_BAR_SECONDS:
            faults.append(f"ready after {self.ready:.1f} s, not within {READY_BAR_SECONDS:.0f} s")
        if bars and self.first_lead > FIRST_LEAD_BAR_SECONDS:
            faults.append(f"the first lead after {self.first_lead:.1f} s, not within {FIRST_LEAD_BAR_SECONDS:.0f} s")
        if bars and self.largest >= NODE_BAR_MEGABYTES:
            faults.append(f"a node took {self.largest:.0f} MB, not less than {NODE_BAR_MEGABYTES:.0f} MB")
        return faults

    def lines(self, faults: Sequence[str]) -> Iterator[str]:
        """Give the faults, the measures and the last line."""
        for fault in faults[:_SHOWN_FAULTS]:
            yield f"wrong: {fault}"
        if len(faults) > _SHOWN_FAULTS:
            yield f"wrong: and {len(faults) - _SHOWN_FAULTS} more"
        yield f"ready {self.ready:.1f} s"
        yield f"first lead {self.first_lead:.1f} s"
        yield f"largest node {self.largest:.0f} MB"
        lost, leaked = len(self.findings.lost), len(self.findings.leaked)
        yield (
            f"demo: {self.leads} leads, {self.records} records, {len(AGENCIES)} agencies, "
            f"{lost} lost, {leaked} leaked, {self.seconds:.0f} s"
        )

    def document(self, faults: Sequence[str]) -> dict[str, Any]:
        """Give the same for a program, with every fault."""
        return {
            "leads": self.leads,
            "records": self.records,
            "agencies": len(AGENCIES),
            "lost": len(self.findings.lost),
            "leaked": len(self.findings.leaked),
            "seconds": round(self.seconds, 1),
            "ready_seconds": round(self.ready, 1),
            "first_lead_seconds": round(self.first_lead, 1),
            "largest_node_megabytes": round(self.largest),
            "faults": list(faults),
        }


def lead_lines(act: int, lead: Lead, seconds: float) -> Iterator[str]:
    """Give the lines of one lead: warnings first, then what it says in both languages, a record a line."""
    yield f"\n{act}. {label(code_of(lead.name))}, after {seconds:.2f} s: {_WORDS[lead.state]}"
    yield f"  {lead.name}"
    for caveat in dict.fromkeys(record.caveat for record in lead.records if record.caveat):
        yield f"  ⚠ {visible(caveat)}"
    for explanation in (lead.explanation_ja, lead.explanation_en):
        for line in _RECORD.sub("\n      agencies/", explanation).split("\n"):
            yield f"  {visible(line)}"
