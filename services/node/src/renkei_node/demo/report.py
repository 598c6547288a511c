"""Write a lead for the demo's terminal: warnings first, then what it says in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.leads.v1.leads_pb2 import Lead

from renkei_node.commands.access import visible

if TYPE_CHECKING:
    from collections.abc import Iterator


def lead_lines(lead: Lead) -> Iterator[str]:
    """Give the lines of one lead."""
    yield f"\n{lead.name}  {Lead.State.Name(lead.state).removeprefix('STATE_')}"
    for caveat in dict.fromkeys(record.caveat for record in lead.records if record.caveat):
        yield f"  ⚠ {visible(caveat)}"
    for explanation in (lead.explanation_ja, lead.explanation_en):
        for line in explanation.split("\n"):
            yield f"  {visible(line)}"
