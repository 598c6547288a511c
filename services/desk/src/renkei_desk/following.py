"""What officers do about leads, from the inbox and from a lead's page: forms in, steps out, refusals in words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo
from renkei.leads.v1.follow_up_pb2 import BatchFollowUpLeadsRequest, FollowUp, LeadToFollowUp

from renkei_chassis.errors import InvalidArgument, NotAllowed
from renkei_desk.domain.dates import JAPAN
from renkei_desk.request import field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei.leads.v1.follow_up_pb2 import LeadFollowUpResult, LeadStep
    from starlette.datastructures import FormData

    from renkei_chassis.clock import Clock
    from renkei_desk.asking import Asking
    from renkei_desk.sessions import Visitor

OPEN: Final = (
    FollowUp.STATE_NEW,
    FollowUp.STATE_TAKEN,
    FollowUp.STATE_ACKNOWLEDGED,
    FollowUp.STATE_SNOOZED,
)
VIEWS: Final[Mapping[str, Sequence[FollowUp.State.ValueType]]] = {
    "open": (FollowUp.STATE_NEW, FollowUp.STATE_TAKEN, FollowUp.STATE_ACKNOWLEDGED),
    "new": (FollowUp.STATE_NEW,),
    "mine": (FollowUp.STATE_TAKEN, FollowUp.STATE_SNOOZED),
    "snoozed": (FollowUp.STATE_SNOOZED,),
    "closed": (FollowUp.STATE_CONFIRMED, FollowUp.STATE_DISMISSED),
}
"""What the inbox shows, by the name of the view; the first is the one that comes of itself."""
STEPS: Final = {
    name.removeprefix("STEP_").lower(): number for name, number in BatchFollowUpLeadsRequest.Step.items() if number
}
SNOOZES: Final = ("1h", "4h", "morning", "3d", "7d")
_MORNING: Final = time(8, 30)
_MOST: Final = 50
_SEEING: Final = frozenset({"confirm", "dismiss", "acknowledge", "snooze"})
"""Steps that decide about what was read: a lead that changed meanwhile is to be looked at again."""
_GIVING: Final = frozenset({"SUPERVISOR", "NPA_DESK"})
_SPOKEN: Final = frozenset(
    {"LEAD_HELD", "LEAD_ENDED", "FOLLOW_UP_REFUSED", "ETAG_MISMATCH", "SNOOZE_TIME_INVALID", "ASSIGNEE_INVALID"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one lead, or all of them, could not be followed up so."""

    lead: str
    """Its id; empty: all of them."""
    key: str
    """What to say."""
    holder: str = ""


class Following:
    """Takes the steps."""

    def __init__(self, *, agency: str, asking: Asking, clock: Clock) -> None:
        self._agency = agency
        self._asking = asking
        self._clock = clock

    async def act(self, form: FormData) -> list[Refusal]:
        """Take the step of a form with each of its leads; says which were refused. The same form acts once."""
        request = self._request(form)
        if request is None:
            return [Refusal(lead="", key="acts_none")]
        try:
            results = await self._asking.follow_up(request)
        except InvalidArgument:  # what the form lacks is the same for all of them
            return [Refusal(lead="", key="acts_reason" if not request.reason else "acts_bad")]
        return [_refusal(result) for result in results if result.HasField("error")]

    async def history(self, lead: str) -> list[LeadStep]:
        """List what was done about a lead."""
        return await self._asking.steps(lead)

    async def look(self, lead: str, form: str) -> FollowUp | None:
        """Note that the officer looks at a lead; None where that is no officer's to note."""
        with suppress(NotAllowed):
            return await self._asking.mark_seen(lead, form)
        return None

    def _request(self, form: FormData) -> BatchFollowUpLeadsRequest | None:
        step, _, one = field(form, "act").partition(":")
        chosen = [one] if one else [each for each in form.getlist("lead") if isinstance(each, str)]
        if step not in STEPS or not 0 < len(chosen) <= _MOST:
            return None
        request = BatchFollowUpLeadsRequest(
            request_id=field(form, "form"),
            parent=self._agency,
            step=BatchFollowUpLeadsRequest.Step.ValueType(STEPS[step]),
            leads=[self._lead(each, with_etag=step in _SEEING) for each in chosen],
            reason=field(form, "reason").strip(),
        )
        if step in {"assign", "hand_over"}:
            officer = field(form, "assignee").strip()
            request.assignee = f"{self._agency}/officers/{officer}" if officer and "/" not in officer else officer
            request.unit = field(form, "unit").strip()
        if step == "snooze":
            request.snooze_end_time.CopyFrom(snooze_end(field(form, "until"), self._clock.now()))
        return request

    def _lead(self, chosen: str, *, with_etag: bool) -> LeadToFollowUp:
        lead, _, etag = chosen.partition("@")
        return LeadToFollowUp(name=f"{self._agency}/leads/{lead}", etag=etag if with_etag else "")


def may_assign(visitor: Visitor) -> bool:
    """Say whether a visitor may give away what another holds; the services decide again."""
    return not _GIVING.isdisjoint(visitor.roles)


def snooze_end(choice: str, now: datetime) -> Timestamp:
    """Give the time that a choice means; the next morning is that of the day shift."""
    ends = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "3d": timedelta(days=3), "7d": timedelta(days=7)}
    if choice in ends:
        end = now + ends[choice]
    else:
        local = now.astimezone(JAPAN)
        day = local.date() + timedelta(days=local.time() >= _MORNING)
        end = datetime.combine(day, _MORNING, JAPAN)
    found = Timestamp()
    found.FromDatetime(end)
    return found


def _refusal(result: LeadFollowUpResult) -> Refusal:
    info = ErrorInfo()
    for detail in result.error.details:
        if detail.Unpack(info):
            break
    key = info.reason if info.reason in _SPOKEN else "OTHER"
    return Refusal(
        lead=result.name.rpartition("/")[2],
        key=f"act_{key}",
        holder=info.metadata.get("holder", "").rpartition("/")[2],
    )
