"""受理箱: the leads that wait, urgent ones first, each with its handling before its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
from renkei.leads.v1.leads_pb2 import Lead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.leads.v1.leads_pb2 import ListLeadsResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One lead of the inbox."""

    id: str
    state: int
    caveats: Sequence[str]
    records: int
    agencies: Sequence[str]
    kinds: Sequence[str]
    """What kinds of identifiers link it."""
    update_time: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A page of the inbox."""

    urgent: Sequence[Row]
    rest: Sequence[Row]
    unreachable: Sequence[str]
    next_page_token: str


def view(answer: ListLeadsResponse) -> Inbox:
    """Take what is shown: SUPPORTED leads are the urgent ones."""
    rows = [_row(lead) for lead in answer.leads]
    return Inbox(
        urgent=[row for row in rows if row.state == Lead.STATE_SUPPORTED],
        rest=[row for row in rows if row.state != Lead.STATE_SUPPORTED],
        unreachable=[code_of(name) for name in answer.unreachable],
        next_page_token=answer.next_page_token,
    )


def code_of(name: str) -> str:
    """Give `jp-12` of any resource name of that agency."""
    return name.split("/")[1] if "/" in name else name


def _row(lead: Lead) -> Row:
    return Row(
        id=lead.name.rpartition("/")[2],
        state=lead.state,
        caveats=tuple(dict.fromkeys(record.caveat for record in lead.records if record.caveat)),
        records=len(lead.records) + lead.records_omitted,
        agencies=sorted({code_of(record.name) for record in lead.records}),
        kinds=tuple(dict.fromkeys(IdentifierType.Name(evidence.type) for evidence in lead.evidence)),
        update_time=lead.update_time,
    )
