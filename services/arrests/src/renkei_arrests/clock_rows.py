"""The rows of clocks: set with each version of an arrest, in its transaction, and struck when something is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1.arrests_pb2 import Arrest, Clock
from renkei.arrests.v1.events_pb2 import ClockEscalated, ClockWarned
from sqlalchemy import and_, select

from renkei_arrests import custody
from renkei_arrests.facts import birth_of, facts_of
from renkei_arrests.store import CLOCKS
from renkei_chassis.clock import to_us
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.records.times import set_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from renkei_arrests.custody import Terms
    from renkei_chassis.database.transaction import Transaction

_MICROSECONDS: Final = 1_000_000
KIND_NUMBERS: Final = {kind: Clock.Kind.Value(f"KIND_{kind.value}") for kind in custody.ClockKind}
# No clock is due later after the latest of the three times that clocks begin with: 23 days, and the rest of a day.
_LONGEST_US: Final = (custody.LONGEST_DAYS + 1) * 86_400 * _MICROSECONDS
_UNTOUCHED: Final = {
    "level": 0,
    "warn_us": None,
    "acknowledge_us": None,
    "acknowledger": "",
    "escalate_us": None,
    "desk": "",
}


def stored(transaction: Transaction, record_id: bytes, arrest: Arrest, *, terms: Terms, known: bool = False) -> None:
    """Have the rows say what this version of a record says; what was warned of stays so while a clock does not move.

    `known`: this version was stored before.
    """
    first = not known and arrest.version == 1
    if first and _is_long_ago(arrest, transaction.now_us, terms):
        return
    wanted = running(arrest, transaction.now, terms)
    before: dict[int, Row[Any]] = {}
    if not first:  # the hot path reads nothing
        before = {row.kind: row for row in of_record(transaction, record_id)}
    for kind, row in before.items():
        values = (
            _set_anew(row, *wanted[kind], terms)
            if kind in wanted
            else {"running": 0, "look_us": None}
            if row.running
            else {}
        )
        if values:
            _change(transaction, row, values)
    for kind, (start_us, due_us) in wanted.items():
        if kind not in before and not _is_history(due_us, transaction.now_us, terms):
            transaction.insert(CLOCKS, {"record_id": record_id, "kind": kind, **_begun(start_us, due_us)})


def hidden(transaction: Transaction, record_id: bytes) -> None:
    """Take the clocks of a record that was marked as deleted from the board."""
    columns = CLOCKS.c
    transaction.execute(CLOCKS.update().where(columns.record_id == record_id).values(running=0, look_us=None))


def differs(arrest: Arrest, rows: Iterable[Row[Any]], now: datetime, terms: Terms) -> bool:
    """Tell whether the rows of a record that is open are not what its facts and the settings of today say."""
    before = {row.kind: row for row in rows}
    if not before and _is_long_ago(arrest, to_us(now), terms):
        return False
    wanted = running(arrest, now, terms)
    if any(row.running and row.kind not in wanted for row in before.values()):
        return True
    return any(
        _set_anew(before[kind], *times, terms) if kind in before else not _is_history(times[1], to_us(now), terms)
        for kind, times in wanted.items()
    )


def running(arrest: Arrest, now: datetime, terms: Terms) -> Mapping[int, tuple[int, int]]:
    """Give start and due time of every clock that runs, by kind."""
    facts = facts_of(arrest, birth=birth_of(arrest))
    return {
        KIND_NUMBERS[clock.kind]: (to_us(clock.start), to_us(clock.due))
        for clock in custody.clocks(facts, now=now, terms=terms)
        if clock.running
    }


def of_record(connection: Connection | Transaction, record_id: bytes) -> Sequence[Row[Any]]:
    """Read every clock of one record."""
    return connection.execute(select(CLOCKS).where(CLOCKS.c.record_id == record_id)).all()


def find(connection: Connection | Transaction, record_id: bytes, kind: int) -> Row[Any] | None:
    """Read one clock."""
    columns = CLOCKS.c
    return connection.execute(select(CLOCKS).where(and_(columns.record_id == record_id, columns.kind == kind))).first()


def strike(transaction: Transaction, row: Row[Any], *, arrest: str, terms: Terms) -> None:
    """Warn of every level that was reached, once each, and escalate what nobody acknowledged. It moves no limit."""
    now_us, level = transaction.now_us, int(row.level)
    escalation_us = escalation_due_us(row, terms)
    values: dict[str, Any] = {}
    if escalation_us is not None and escalation_us <= now_us:
        event = ClockEscalated(name=arrest, kind=row.kind, level=level, desk=terms.desk)
        tell(transaction, event, row)
        values |= {"escalate_us": now_us, "desk": terms.desk}
        escalation_us = None
    reached = custody.level_at(row.start_us, row.due_us, now_us)
    for each in custody.LEVELS:
        if level < each <= reached:
            tell(transaction, ClockWarned(name=arrest, kind=row.kind, level=each), row)
            values |= {**_UNTOUCHED, "level": each, "warn_us": now_us}
            escalation_us = now_us + _us(terms)
    level = max(level, reached)
    values["look_us"] = custody.next_look_us(row.start_us, row.due_us, level, escalation_us)
    _change(transaction, row, values)


def acknowledge(transaction: Transaction, row: Row[Any], *, acknowledger: str) -> None:
    """Note who looks after the last warning; the next level will warn again."""
    look_us = custody.next_look_us(row.start_us, row.due_us, row.level, None)
    values = {"acknowledge_us": transaction.now_us, "acknowledger": acknowledger, "look_us": look_us}
    _change(transaction, row, values)


def tell(transaction: Transaction, event: Any, row: Row[Any]) -> None:  # noqa: ANN401 (one of three events)
    """Put an event about a clock into the log: it stays at home, and goes when its arrest is purged."""
    set_us(event.due_time, row.due_us)
    transaction.emit(NewEvent(payload=event, resource=event.name, may_ignore=True))


def escalation_due_us(row: Row[Any], terms: Terms) -> int | None:
    """Tell when the last warning is to be escalated; None where it was, or was acknowledged, or there is none."""
    if not row.level or row.acknowledge_us is not None or row.escalate_us is not None:
        return None
    return int(row.warn_us) + _us(terms)


def _begun(start_us: int, due_us: int) -> dict[str, Any]:
    look_us = custody.next_look_us(start_us, due_us, 0, None)
    return {"start_us": start_us, "due_us": due_us, "running": 1, **_UNTOUCHED, "look_us": look_us}


def _set_anew(row: Row[Any], start_us: int, due_us: int, terms: Terms) -> dict[str, Any]:
    """Give what has to change in a row; nothing where it is right."""
    if (row.start_us, row.due_us) != (start_us, due_us):
        return _begun(start_us, due_us)
    look_us = custody.next_look_us(start_us, due_us, row.level, escalation_due_us(row, terms))
    return {} if row.running and row.look_us == look_us else {"running": 1, "look_us": look_us}


def _change(transaction: Transaction, row: Row[Any], values: Mapping[str, Any]) -> None:
    columns = CLOCKS.c
    where = and_(columns.record_id == row.record_id, columns.kind == row.kind)
    transaction.execute(CLOCKS.update().where(where).values(**values))


def _is_history(due_us: int, now_us: int, terms: Terms) -> bool:
    return due_us + int(terms.history.total_seconds()) * _MICROSECONDS <= now_us


def _is_long_ago(arrest: Arrest, now_us: int, terms: Terms) -> bool:
    """Tell, without computing any, that no clock of a record can be due so late that it would be begun."""
    times = (arrest.restraint_time, arrest.prosecutor_receipt_time, arrest.detention_request_time)
    latest_us = max(time.seconds for time in times) * _MICROSECONDS
    return _is_history(latest_us + _LONGEST_US, now_us, terms)


def _us(terms: Terms) -> int:
    return int(terms.patience.total_seconds() * _MICROSECONDS)
