"""However the changes of others' records fall into batches, it is as if each came alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from sqlalchemy import create_engine, select

from renkei_chassis.database.transaction import Transaction
from renkei_chassis.records.copies import Change, Copies
from renkei_tips.record import TIPS
from tests.agency import SAPPORO, TOKYO
from tests.tips.calls import a_tip, an_occurrence

if TYPE_CHECKING:
    from sqlalchemy import Connection

TABLES = (TIPS.tables.copies, TIPS.tables.copy_identifiers, TIPS.tables.withdrawals)


def a_change(number: int, agency: str, version: int, *, comes: bool) -> Change:
    name = f"{agency}/tips/01920000-0000-7000-8000-00000000000{number}"
    copy = None
    if comes:
        found = [an_occurrence(f"080-8765-{each:04d}") for each in range(version)]
        copy = a_tip(name=name, version=version, received_grade=GRADE_FULL, text=f"{version}", identifiers=found)
    return Change(record_id=bytes([number]) * 16, agency=agency, name=name, version=version, copy=copy)


CHANGES = st.lists(
    st.builds(a_change, st.integers(1, 3), st.sampled_from([TOKYO, SAPPORO]), st.integers(1, 3), comes=st.booleans()),
    max_size=12,
)


def told(connection: Connection, batches: list[list[Change]]) -> list[Any]:
    """Bring batches into effect; returns what is in the tables then, and what was told."""
    copies, events = Copies(TIPS), []
    for batch in batches:
        transaction = Transaction(connection, now_us=1)
        for change in batch:
            transaction.begin_request()
            copies.change(transaction, change)
        transaction.complete()
        events += [(type(event.payload), event.payload, event.resource) for event in transaction.events]
    rows = [sorted(tuple(row) for row in connection.execute(select(table))) for table in TABLES]
    return [*rows, events]


@given(CHANGES, st.lists(st.integers(0, 12), max_size=4))
def test_changes_in_batches_do_what_they_do_one_by_one(changes: list[Change], cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(changes)]
    batches = [changes[first:last] for first, last in pairwise(edges)]
    results = []
    for each in (batches, [[change] for change in changes]):
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            for table in (*TABLES, TIPS.tables.texts.pending):
                table.create(connection)
            results.append(told(connection, each))
        engine.dispose()

    assert results[0] == results[1]


def test_a_withdrawal_and_a_late_copy_in_one_batch_leave_no_copy() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        for table in (*TABLES, TIPS.tables.texts.pending):
            table.create(connection)

        copies, identifiers, withdrawals, events = told(
            connection, [[a_change(1, TOKYO, 2, comes=False), a_change(1, TOKYO, 2, comes=True)]]
        )
    engine.dispose()

    assert (copies, identifiers, events) == ([], [], [])
    assert withdrawals == [(bytes([1]) * 16, TOKYO, 2)]
