"""Write a lead down as the contract's message, within the contract's limits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.leads.v1.leads_pb2 import Evidence, EvidenceRecord, Lead, LeadRecord
from renkei.policy.v1 import policy_pb2

from renkei_leads.domain import explain
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Collection

    from renkei_leads import domain
    from renkei_leads.store import LeadRow

MAX_LISTED: Final = 1000
MAX_SUCCESSORS: Final = 100
# Over all rows of evidence: a thousand rows of a thousand records each would fit in no answer.
MAX_PLACES: Final = 2000
_STRENGTHS: Final = {
    Strength.WEAK: Evidence.STRENGTH_WEAK,
    Strength.MEDIUM: Evidence.STRENGTH_MEDIUM,
    Strength.STRONG: Evidence.STRENGTH_STRONG,
}


def live_content(name: str, found: domain.FoundLead) -> bytes:
    """Write a lead that was found: everything but its times and etag."""
    japanese, english = explain(found)
    lead = Lead(name=name, state=Lead.State.ValueType(found.state), explanation_ja=japanese, explanation_en=english)
    for record in found.records[:MAX_LISTED]:
        lead.records.append(
            LeadRecord(
                name=record.name,
                version=record.version,
                grade=policy_pb2.Grade.ValueType(record.grade),
                contact_desk=record.contact_desk,
                caveat=record.caveat,
            )
        )
    lead.records_omitted = len(found.records) - len(lead.records)
    order = {record.name: number for number, record in enumerate(found.records)}
    places = 0
    for evidence in found.evidence[:MAX_LISTED]:
        row = _evidence(evidence, order)
        places += len(row.records)
        if places > MAX_PLACES and lead.evidence:
            break
        lead.evidence.append(row)
    lead.evidence_omitted = len(found.evidence) - len(lead.evidence)
    return lead.SerializeToString(deterministic=True)


def merged_content(name: str, into: str) -> bytes:
    """Write a lead that another one took in."""
    lead = Lead(
        name=name,
        state=Lead.STATE_MERGED,
        merged_into=into,
        explanation_ja=f"この手がかりは {into} に統合されました。",
        explanation_en=f"This lead was taken in by {into}.",
    )
    return lead.SerializeToString(deterministic=True)


def retracted_content(name: str, succeeded_by: Collection[str]) -> tuple[bytes, list[str]]:
    """Write a lead that ended; returns also which of its successors are listed."""
    listed = sorted(succeeded_by)[:MAX_SUCCESSORS]
    japanese, english = "根拠となる記録または識別子がなくなりました。", "What carried this lead is gone."
    if listed:
        # Two names: a hundred would not fit.
        rest = len(listed) - 2
        japanese += f"残りは {'、'.join(listed[:2])}{f' ほか{rest}件' if rest > 0 else ''} に引き継がれています。"
        english += f" What is left goes on in {', '.join(listed[:2])}{f' and {rest} more' if rest > 0 else ''}."
    lead = Lead(
        name=name,
        state=Lead.STATE_RETRACTED,
        succeeded_by=listed,
        explanation_ja=japanese,
        explanation_en=english,
    )
    return lead.SerializeToString(deterministic=True), listed


def read_content(row: LeadRow) -> Lead:
    """Read a lead, with its times and etag."""
    lead = Lead.FromString(row.content)
    digest = hashlib.sha256(row.content + row.update_us.to_bytes(8, "big")).hexdigest()
    lead.etag = digest[:16]
    lead.create_time.FromMicroseconds(row.create_us)
    lead.update_time.FromMicroseconds(row.update_us)
    return lead


def _evidence(evidence: domain.Evidence, order: dict[str, int]) -> Evidence:
    places = {(order[site.record], site.provenance, site.relation) for group in evidence.groups for site in group}
    names = {order[site.record]: site.record for group in evidence.groups for site in group}
    return Evidence(
        type=identifiers_pb2.IdentifierType.ValueType(evidence.identifier.type),
        normal_form=evidence.identifier.form,
        strength=_STRENGTHS[evidence.strength],
        records=[
            EvidenceRecord(
                name=names[number],
                provenance=identifiers_pb2.Provenance.ValueType(provenance),
                relation=identifiers_pb2.Relation.ValueType(relation),
            )
            for number, provenance, relation in sorted(places)[:MAX_LISTED]
        ],
    )
