"""The four gRPC services of personas, method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from renkei_chassis.rpc.methods import Api
    from renkei_personas.contacts import Contacts
    from renkei_personas.documents import Documents
    from renkei_personas.plans import Plans
    from renkei_personas.reading import Reading
    from renkei_personas.reports import Reports


def api_of(*, plans: Plans, reading: Reading, documents: Documents, contacts: Contacts, reports: Reports) -> Api:
    """Join what answers each method of the contract."""
    return {
        "renkei.personas.v1.PersonasService": {**plans.methods(), **reading.methods()},
        "renkei.personas.v1.DocumentsService": documents.methods(),
        "renkei.personas.v1.ContactsService": contacts.methods(),
        "renkei.personas.v1.ReportsService": reports.methods(),
    }
