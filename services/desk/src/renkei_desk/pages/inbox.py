"""受理箱: the leads that wait, urgent ones first, each with its handling before its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
from renkei.leads.v1.leads_pb2 import Lead

from renkei_desk.rendering import moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from renkei.leads.v1.follow_up_pb2 import FollowUp
    from renkei.leads.v1.leads_pb2 import ListLeadsResponse

_MINUTE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How a lead stands with people, as far as a row says."""

    state: int
    holder: str
    unit: str
    has_grown: bool
    seen_count: int
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One lead of the inbox: everything that its row says, and nothing else, so that equal rows look the same."""

    id: str
    state: int
    caveats: tuple[str, ...]
    records: int
    agencies: tuple[str, ...]
    kinds: tuple[str, ...]
    """What kinds of identifiers link it."""
    updated: datetime
    follow_up: Followed
    left_seconds: float | None
    """How long until somebody is to look at it, or until it comes back; less than 0: overdue. None: no such time.
    Of whole minutes, since no more is shown."""

    @property
    def chosen(self) -> str:
        """Give what a form says of it: the lead, and what was read of it."""
        return f"{self.id}@{self.follow_up.etag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """A page of the inbox."""

    urgent: Sequence[Row]
    rest: Sequence[Row]
    unreachable: Sequence[str]
    next_page_token: str


def view(answer: ListLeadsResponse, *, now: datetime) -> Inbox:
    """Take what is shown, in the order in which it was listed: SUPPORTED leads are the urgent ones."""
    rows = [_row(lead, now) for lead in answer.leads]
    return Inbox(
        urgent=[row for row in rows if row.state == Lead.STATE_SUPPORTED],
        rest=[row for row in rows if row.state != Lead.STATE_SUPPORTED],
        unreachable=[code_of(name) for name in answer.unreachable],
        next_page_token=answer.next_page_token,
    )


def code_of(name: str) -> str:
    """Give `jp-12` of any resource name of that agency."""
    return name.split("/")[1] if "/" in name else name


def left_of(follow_up: FollowUp, now: datetime) -> float | None:
    """Tell how many seconds are left to look at a lead, or until it comes back."""
    for name in ("due_time", "snooze_end_time"):
        if follow_up.HasField(name):
            return float((moment_of(getattr(follow_up, name)) - now).total_seconds())
    return None


def _row(lead: Lead, now: datetime) -> Row:
    return Row(
        id=lead.name.rpartition("/")[2],
        state=lead.state,
        caveats=tuple(dict.fromkeys(record.caveat for record in lead.records if record.caveat)),
        records=len(lead.records) + lead.records_omitted,
        agencies=tuple(sorted({code_of(record.name) for record in lead.records})),
        kinds=tuple(dict.fromkeys(IdentifierType.Name(evidence.type) for evidence in lead.evidence)),
        updated=moment_of(lead.update_time),
        follow_up=Followed(
            state=lead.follow_up.state,
            holder=lead.follow_up.holder,
            unit=lead.follow_up.unit,
            has_grown=lead.follow_up.has_grown,
            seen_count=lead.follow_up.seen_count,
            etag=lead.follow_up.etag,
        ),
        left_seconds=_of_whole_minutes(left_of(lead.follow_up, now)),
    )


def _of_whole_minutes(left: float | None) -> float | None:
    if left is None:
        return None
    whole = abs(left) // _MINUTE * _MINUTE
    return whole if left >= 0 else -max(whole, 1.0)
