"""Read and write how leads are followed up: a row a lead, and a row a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.leads.v1.events_pb2 import LeadFollowedUp
from renkei.leads.v1.follow_up_pb2 import FollowUp as Message
from renkei.leads.v1.follow_up_pb2 import LeadStep
from sqlalchemy import and_, func, or_, select, tuple_

from renkei_chassis.database.transaction import NewEvent
from renkei_leads.domain import FollowUp, Sight, Standing, State, StepKind
from renkei_leads.domain.follow_up import SIGHT_BYTES
from renkei_leads.tables import follow_ups, lead_records, lead_steps, leads

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from renkei_chassis.database.transaction import Transaction

# As many leads as one statement asks for: databases limit the parameters of a statement.
_AT_ONCE: Final = 500
_TAKEN_IN: Final = (int(StepKind.JOINED), int(StepKind.CARRIED_OVER))
_LIVE: Final = (int(State.CANDIDATE), int(State.SUPPORTED))
# What a history is put together of; a lead that took in more than these has them in the histories of those.
_MOST_LEADS: Final = 200

NOTHING_DONE: Final = FollowUp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A lead's row."""

    lead: str
    follow_up: FollowUp = NOTHING_DONE
    update_us: int = 0
    """When the last step but SEEN was; 0: never."""
    version: int = 0
    """Counts those steps."""
    steps: int = 0
    """Counts all steps; 0: there is no row yet."""
    seen_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step that is taken now. Without an actor it comes by itself."""

    kind: StepKind
    after: FollowUp
    actor: str = ""
    reason: str = ""
    other: str = ""
    """The id of a lead."""


def find(connection: Connection | Transaction, lead: str) -> Followed:
    """Read how one lead is followed up."""
    row = connection.execute(select(follow_ups).where(follow_ups.c.lead == lead)).first()
    return _followed(row) if row is not None else Followed(lead=lead)


def find_many(connection: Connection | Transaction, ids: Collection[str]) -> dict[str, Followed]:
    """Read how leads are followed up; those without a row are left out."""
    asked = sorted(ids)
    found = {}
    for start in range(0, len(asked), _AT_ONCE):
        those = follow_ups.c.lead.in_(asked[start : start + _AT_ONCE])
        found.update({row.lead: _followed(row) for row in connection.execute(select(follow_ups).where(those))})
    return found


def write_step(transaction: Transaction, *, agency: str, before: Followed, step: NewStep) -> Followed:
    """Take a step: its row, the lead's row, and the event; returns how the lead is followed up after it."""
    is_seen = step.kind is StepKind.SEEN
    after = Followed(
        lead=before.lead,
        follow_up=step.after,
        update_us=before.update_us if is_seen else transaction.now_us,
        version=before.version if is_seen else before.version + 1,
        steps=before.steps + 1,
        seen_count=before.seen_count + is_seen,
    )
    if before.steps:
        transaction.execute(follow_ups.update().where(follow_ups.c.lead == after.lead).values(**_values(after)))
    else:
        transaction.insert(follow_ups, {"lead": after.lead, **_values(after)})
    transaction.insert(
        lead_steps,
        {
            "lead": after.lead,
            "number": after.steps,
            "kind": int(step.kind),
            "actor": step.actor,
            "time_us": transaction.now_us,
            "reason": step.reason,
            "standing": int(step.after.standing),
            "holder": step.after.holder,
            "unit": step.after.unit,
            "snooze_end_us": step.after.snooze_end_us,
            "other": step.other,
        },
    )
    name = f"{agency}/leads/{after.lead}"
    event = LeadFollowedUp(
        name=name,
        kind=LeadStep.Kind.ValueType(step.kind),
        number=after.steps,
        state=Message.State.ValueType(step.after.standing),
        holder=step.after.holder,
    )
    transaction.emit(NewEvent(payload=event, resource=name, may_ignore=True))
    return after


def was_seen_by(transaction: Transaction, lead: str, officer: str) -> bool:
    """Say whether an officer looked at a lead before."""
    columns = lead_steps.c
    seen = and_(columns.lead == lead, columns.kind == int(StepKind.SEEN), columns.actor == officer)
    return transaction.first(select(columns.number).where(seen).limit(1)) is not None


def sight_of(transaction: Transaction, lead: str, *, state: int, evidence: int) -> Sight:
    """Tell what there is of a live lead to see now."""
    members = transaction.execute(select(lead_records.c.record).where(lead_records.c.lead == lead))
    return Sight.of((row.record for row in members), state=state, evidence=evidence)


def taken_in(transaction: Transaction, lead: str) -> dict[str, int]:
    """Tell which other leads a lead took in with what people had done about them, over others too, and when last."""
    return _taken_in(transaction, [lead])


def due(connection: Connection, *, now_us: int, limit: int) -> list[str]:
    """Name live leads that come back now because they were put off until now at the latest."""
    columns = follow_ups.c
    late = select(columns.lead).join(leads, leads.c.id == columns.lead)
    late = late.where(columns.snooze_end_us <= now_us, leads.c.state.in_(_LIVE))
    return [row.lead for row in connection.execute(late.order_by(columns.snooze_end_us).limit(limit))]


def steps_of(
    connection: Connection, lead: str, *, after: tuple[int, str, int] | None, limit: int
) -> Sequence[Row[Any]]:
    """Read a page of a lead's history: its steps, and of the leads that it took in those up to then; oldest first."""
    columns = lead_steps.c
    mine = or_(*(_up_to(each, until) for each, until in _history(connection, lead).items()))
    statement = select(lead_steps).where(mine).order_by(columns.time_us, columns.lead, columns.number).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(columns.time_us, columns.lead, columns.number) > after)
    return connection.execute(statement).all()


def _history(connection: Connection, lead: str) -> dict[str, int | None]:
    """Name the leads whose steps are the history of one, each with the time up to which they are; None: to the end."""
    members = select(leads.c.id).join(lead_records, lead_records.c.record == leads.c.first_record)
    members = members.join(follow_ups, follow_ups.c.lead == leads.c.id).where(lead_records.c.lead == lead)
    whole = [lead, *(row.id for row in connection.execute(members.limit(_MOST_LEADS)))]
    return {**_taken_in(connection, whole), **dict.fromkeys(whole)}


def _taken_in(connection: Connection | Transaction, ids: Collection[str]) -> dict[str, int]:
    columns = lead_steps.c
    last = select(columns.other, func.max(columns.time_us).label("time_us")).where(columns.kind.in_(_TAKEN_IN))
    found: dict[str, int] = {}
    asked = list(ids)
    while asked and len(found) < _MOST_LEADS:
        mine: Select[Any] = last.where(columns.lead.in_(asked)).group_by(columns.other)
        rows = connection.execute(mine).all()
        asked = [row.other for row in rows if row.other not in found]
        for row in rows:
            found[row.other] = max(row.time_us, found.get(row.other, 0))
    return found


def _up_to(lead: str, until_us: int | None) -> ColumnElement[bool]:
    is_of = lead_steps.c.lead == lead
    return is_of if until_us is None else and_(is_of, lead_steps.c.time_us <= until_us)


def _followed(row: Row[Any]) -> Followed:
    seen = Sight(records=frozenset(_cut(bytes(row.seen_records))), state=row.seen_state, evidence=row.seen_evidence)
    return Followed(
        lead=row.lead,
        follow_up=FollowUp(
            standing=Standing(row.standing),
            holder=row.holder,
            unit=row.unit,
            snooze_end_us=row.snooze_end_us,
            has_grown=row.has_grown,
            seen=seen,
            act_us=row.act_us,
        ),
        update_us=row.update_us,
        version=row.version,
        steps=row.steps,
        seen_count=row.seen_count,
    )


def _values(followed: Followed) -> Mapping[str, Any]:
    follow_up = followed.follow_up
    return {
        "standing": int(follow_up.standing),
        "holder": follow_up.holder,
        "unit": follow_up.unit,
        "snooze_end_us": follow_up.snooze_end_us,
        "has_grown": follow_up.has_grown,
        "seen_records": b"".join(sorted(follow_up.seen.records)),
        "seen_state": follow_up.seen.state,
        "seen_evidence": follow_up.seen.evidence,
        "act_us": follow_up.act_us,
        "update_us": followed.update_us,
        "version": followed.version,
        "steps": followed.steps,
        "seen_count": followed.seen_count,
    }


def _cut(hashes: bytes) -> Iterator[bytes]:
    for start in range(0, len(hashes), SIGHT_BYTES):
        yield hashes[start : start + SIGHT_BYTES]
