"""The four gRPC services of personas, method by method."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.records.times import check_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.rpc.methods import Api, Method
    from renkei_personas.bases import Bases
    from renkei_personas.contacts import Contacts
    from renkei_personas.disclosures import Disclosures
    from renkei_personas.documents import Documents
    from renkei_personas.plans import Plans
    from renkei_personas.reading import Reading
    from renkei_personas.reports import Reports


def api_of(
    *,
    plans: Plans,
    bases: Bases,
    reading: Reading,
    documents: Documents,
    contacts: Contacts,
    disclosures: Disclosures,
    reports: Reports,
) -> Api:
    """Join what answers each method of the contract."""
    return {
        "renkei.personas.v1.PersonasService": {**_timed({**plans.methods(), **bases.methods()}), **reading.methods()},
        "renkei.personas.v1.DocumentsService": _timed(documents.methods()),
        "renkei.personas.v1.ContactsService": _timed({**contacts.methods(), **disclosures.methods()}),
        "renkei.personas.v1.ReportsService": _timed(reports.methods()),
    }


def _timed(methods: Mapping[str, Method]) -> Mapping[str, Method]:
    """Have what writes refuse times that there are not. A report of danger is never refused; it looks itself."""
    return {
        name: replace(method, rule=_checked(method.rule))
        if isinstance(method, WriteMethod) and name != "ReportDanger"
        else method
        for name, method in methods.items()
    }


def _checked(rule: Any) -> Any:  # noqa: ANN401 (the rule of any method)
    def checked(transaction: Transaction, request: Any, caller: Principal) -> Written:  # noqa: ANN401 (any request)
        check_times(request, "")
        written: Written = rule(transaction, request, caller)
        return written

    return checked
