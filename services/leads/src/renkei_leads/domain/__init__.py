"""The rules of leads: what links records, what supports a lead, how it explains itself, how people follow it up.

No I/O, no clock.
"""

from renkei_leads.domain.evidence import Evidence
from renkei_leads.domain.explanation import explain
from renkei_leads.domain.finding import FoundLead, State, find_leads
from renkei_leads.domain.follow_up import FollowUp, Sight, Standing, StepKind
from renkei_leads.domain.identifiers import TYPES, Identifier, normal_form
from renkei_leads.domain.records import Provenance, Record, Relation, Site, links

__all__ = [
    "TYPES",
    "Evidence",
    "FollowUp",
    "FoundLead",
    "Identifier",
    "Provenance",
    "Record",
    "Relation",
    "Sight",
    "Site",
    "Standing",
    "State",
    "StepKind",
    "explain",
    "find_leads",
    "links",
    "normal_form",
]
