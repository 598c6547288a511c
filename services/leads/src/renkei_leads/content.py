"""Write a lead, and how it is followed up, as the contract's messages, within the contract's limits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.leads.v1.follow_up_pb2 import FollowUp
from renkei.leads.v1.leads_pb2 import Evidence, EvidenceRecord, Lead, LeadRecord
from renkei.policy.v1 import policy_pb2

from renkei_leads.domain import Standing, State, explain
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Collection

    from renkei_leads import domain
    from renkei_leads.follow_up_rows import Followed
    from renkei_leads.store import LeadRow

_MICROSECOND: Final = timedelta(microseconds=1)
MAX_LISTED: Final = 1000
MAX_SUCCESSORS: Final = 100
# Over all rows of evidence: a thousand rows of a thousand records each would fit in no answer.
MAX_PLACES: Final = 2000
_STRENGTHS: Final = {
    Strength.WEAK: Evidence.STRENGTH_WEAK,
    Strength.MEDIUM: Evidence.STRENGTH_MEDIUM,
    Strength.STRONG: Evidence.STRENGTH_STRONG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an agency decided about the time that people take."""

    look_supported: timedelta
    look_candidate: timedelta
    longest_snooze: timedelta


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
    lead.etag = _digest(row).hex()[:16]
    lead.create_time.FromMicroseconds(row.create_us)
    lead.update_time.FromMicroseconds(row.update_us)
    return lead


def read_followed(row: LeadRow, followed: Followed, *, agency: str, terms: Terms) -> FollowUp:
    """Read how a lead is followed up."""
    follow_up = followed.follow_up
    message = FollowUp(
        lead=f"{agency}/leads/{row.id}",
        state=FollowUp.State.ValueType(follow_up.standing),
        etag=follow_up_etag(row, followed),
        holder=follow_up.holder,
        unit=follow_up.unit,
        seen_count=followed.seen_count,
        has_grown=follow_up.has_grown,
    )
    if follow_up.snooze_end_us is not None:
        message.snooze_end_time.FromMicroseconds(follow_up.snooze_end_us)
    if follow_up.standing is Standing.NEW and row.state in {State.CANDIDATE, State.SUPPORTED}:
        patience = terms.look_supported if row.state is State.SUPPORTED else terms.look_candidate
        message.due_time.FromMicroseconds((followed.update_us or row.create_us) + patience // _MICROSECOND)
    if followed.update_us:
        message.update_time.FromMicroseconds(followed.update_us)
    return message


def follow_up_etag(row: LeadRow, followed: Followed) -> str:
    """Compute what changes with each change of a lead and with each step."""
    digest = hashlib.sha256(_digest(row) + followed.version.to_bytes(8, "big"))
    return digest.hexdigest()[:16]


def evidence_count(row: LeadRow) -> int:
    """Count the rows of evidence of a lead, those too that are not listed."""
    lead = Lead.FromString(row.content)
    return len(lead.evidence) + lead.evidence_omitted


def _digest(row: LeadRow) -> bytes:
    return hashlib.sha256(row.content + row.update_us.to_bytes(8, "big")).digest()


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
