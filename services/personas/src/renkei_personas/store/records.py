"""The rows beside the case: entries, contacts, tasks, documents' legends, dangers, disclosures, refusals, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from renkei_personas.store import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection, Row, Table

    from renkei_chassis.database.transaction import Transaction

_BATCH: Final = 500


def insert(transaction: Transaction, table: Table, row: Mapping[str, Any]) -> None:
    """Store a row of one of the tables that only grow."""
    transaction.insert(table, row)


def after(connection: Connection, table: Table, persona: bytes, *, number: int, limit: int) -> Sequence[Row[Any]]:
    """Read an investigation's entries, contacts or tasks after a number, oldest first."""
    statement = select(table).where(table.c.persona == persona, table.c.number > number)
    return connection.execute(statement.order_by(table.c.number).limit(limit)).all()


def keep_plan(transaction: Transaction, persona: bytes, plan_hash: bytes, content: bytes) -> None:
    """Keep a submitted plan; one that was submitted before is there already."""
    table = tables.plans
    kept = transaction.execute(select(table.c.plan_hash).where(table.c.persona == persona)).all()
    if plan_hash in {bytes(row.plan_hash) for row in kept}:
        return
    row = {
        "persona": persona,
        "number": len(kept) + 1,
        "plan_hash": plan_hash,
        "content": content,
        "submit_us": transaction.now_us,
    }
    transaction.insert(table, row)


def open_tasks(connection: Connection, persona: bytes, *, number: int, limit: int) -> Sequence[Row[Any]]:
    """Read the tasks that are not done, after a number, oldest first."""
    table = tables.tasks
    chosen = (table.c.persona == persona, table.c.number > number, table.c.complete_us == 0)
    return connection.execute(select(table).where(*chosen).order_by(table.c.number).limit(limit)).all()


def one(connection: Connection | Transaction, table: Table, persona: bytes, number: int) -> Row[Any] | None:
    """Read an investigation's entry, contact or task."""
    return connection.execute(select(table).where(table.c.persona == persona, table.c.number == number)).first()


def document(connection: Connection | Transaction, document_id: bytes) -> Row[Any] | None:
    """Read a document with its legend."""
    return connection.execute(select(tables.documents).where(tables.documents.c.id == document_id)).first()


def documents(connection: Connection, persona: bytes, *, after: bytes, limit: int) -> Sequence[Row[Any]]:
    """Read an investigation's documents, oldest first."""
    table = tables.documents
    statement = select(table).where(table.c.persona == persona, table.c.id > after).order_by(table.c.id)
    return connection.execute(statement.limit(limit)).all()


def legends(transaction: Transaction, persona: bytes) -> Sequence[Row[Any]]:
    """Read what the documents of an investigation say."""
    table = tables.documents
    return transaction.execute(select(table.c.legend).where(table.c.persona == persona)).all()


def complete_task(transaction: Transaction, persona: bytes, number: int, *, who: str, note: str) -> None:
    """Note that a task is done."""
    chosen = (tables.tasks.c.persona == persona, tables.tasks.c.number == number)
    values = {"completer": who, "note": note, "complete_us": transaction.now_us}
    transaction.execute(tables.tasks.update().where(*chosen).values(values))


def count_open(transaction: Transaction, persona: bytes, kind: int) -> int:
    """Count the open tasks of a kind."""
    chosen = (tables.tasks.c.persona == persona, tables.tasks.c.kind == kind, tables.tasks.c.complete_us == 0)
    return int(transaction.execute(select(func.count()).select_from(tables.tasks).where(*chosen)).scalar_one())


def review(transaction: Transaction, persona: bytes, *, through: int, reviewer: str) -> int:
    """Mark contacts as reviewed; returns how many were marked now."""
    table = tables.contacts
    chosen = (table.c.persona == persona, table.c.number <= through, table.c.review_us == 0)
    values = {"review_us": transaction.now_us, "reviewer": reviewer}
    return int(transaction.execute(table.update().where(*chosen).values(values)).rowcount)


def waiting(transaction: Transaction, persona: bytes) -> Sequence[Row[Any]]:
    """Read the contacts that wait for review, oldest first."""
    table = tables.contacts
    statement = select(table).where(table.c.persona == persona, table.c.review_us == 0)
    return transaction.execute(statement.order_by(table.c.number)).all()


def past(connection: Connection | Transaction, persona: bytes, part: int) -> frozenset[str]:
    """Name everybody who ever had a part that passes on: who approved, who supervised."""
    table = tables.past
    statement = select(table.c.officer).where(table.c.persona == persona, table.c.part == part)
    return frozenset(row.officer for row in connection.execute(statement))


def disclosure(connection: Connection | Transaction, disclosure_id: bytes) -> Row[Any] | None:
    """Read a disclosure."""
    return connection.execute(select(tables.disclosures).where(tables.disclosures.c.id == disclosure_id)).first()


def confirm_disclosure(transaction: Transaction, disclosure_id: bytes, record: str) -> None:
    """Note the record that a disclosure became."""
    table = tables.disclosures
    transaction.execute(table.update().where(table.c.id == disclosure_id).values(record=record))


def disclosures(connection: Connection, persona: bytes | None, *, after: bytes, limit: int) -> Sequence[Row[Any]]:
    """Read disclosures of one investigation or of all, oldest first."""
    table = tables.disclosures
    statement = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
    if persona is not None:
        statement = statement.where(table.c.persona == persona)
    return connection.execute(statement).all()


def danger(connection: Connection | Transaction, danger_id: bytes) -> Row[Any] | None:
    """Read a report of danger."""
    return connection.execute(select(tables.dangers).where(tables.dangers.c.id == danger_id)).first()


def dangers(connection: Connection, *, before: bytes | None, limit: int) -> Sequence[Row[Any]]:
    """Read reports of danger, newest first."""
    statement = select(tables.dangers).order_by(tables.dangers.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(tables.dangers.c.id < before)
    return connection.execute(statement).all()


def bases(connection: Connection | Transaction) -> Sequence[Row[Any]]:
    """Read every registered legal basis, oldest first, and when each was revoked: None for one that was not."""
    basis, revoked = tables.legal_bases, tables.revocations
    joined = basis.outerjoin(revoked, basis.c.id == revoked.c.id)
    statement = select(basis, revoked.c.revoke_us).select_from(joined).order_by(basis.c.register_us)
    return connection.execute(statement).all()


def basis(connection: Connection | Transaction, name: str) -> Row[Any] | None:
    """Read one registered legal basis."""
    return next((row for row in bases(connection) if row.id == name), None)


def refusals(connection: Connection, *, before: int, limit: int) -> Sequence[Row[Any]]:
    """Read refusals, newest first."""
    table = tables.refusals
    statement = select(table).order_by(table.c.number.desc()).limit(limit)
    if before:
        statement = statement.where(table.c.number < before)
    return connection.execute(statement).all()


def report(connection: Connection | Transaction, name: str) -> Row[Any] | None:
    """Read a report that came in."""
    return connection.execute(select(tables.reports).where(tables.reports.c.name == name)).first()


def write_report(transaction: Transaction, row: Mapping[str, Any], *, is_new: bool) -> None:
    """Store a report, or put it in place of what was known of it."""
    if is_new:
        transaction.insert(tables.reports, row)
    else:
        transaction.execute(tables.reports.update().where(tables.reports.c.name == row["name"]).values(row))


def reports(
    connection: Connection, *, before: tuple[int, str] | None, only_open: bool, limit: int
) -> Sequence[Row[Any]]:
    """Read reports, newest first."""
    table = tables.reports
    statement = select(table).order_by(table.c.receive_us.desc(), table.c.name.desc()).limit(limit)
    if only_open:
        statement = statement.where(table.c.acknowledged_version < table.c.version)
    if before is not None:
        at, name = before
        statement = statement.where((table.c.receive_us < at) | ((table.c.receive_us == at) & (table.c.name < name)))
    return connection.execute(statement).all()


def all_reports(connection: Connection) -> Sequence[Row[Any]]:
    """Read every report: a country has a few dozen a year."""
    return connection.execute(select(tables.reports)).all()


def documents_at(transaction: Transaction, papers: Iterable[int]) -> Sequence[Row[Any]]:
    """Read every document that stands at one of some places: a force has a few dozen at most."""
    table = tables.documents
    statement = select(table.c.id, table.c.persona, table.c.legend).where(table.c.paper.in_(sorted(papers)))
    return transaction.execute(statement.order_by(table.c.id)).all()


def remember_seen(transaction: Transaction, hashes: Sequence[bytes]) -> AbstractSet[bytes]:
    """Keep hashes of what real records say; returns those that were not known."""
    fresh = set(hashes)
    asked = sorted(fresh)
    for start in range(0, len(asked), _BATCH):
        chosen = tables.seen.c.hash.in_(asked[start : start + _BATCH])
        fresh -= {bytes(row.hash) for row in transaction.execute(select(tables.seen.c.hash).where(chosen))}
    for value in sorted(fresh):
        transaction.insert(tables.seen, {"hash": value})
    return fresh


def places(connection: Connection) -> Mapping[str, Row[Any]]:
    """Read how far each log was read again."""
    return {row.source: row for row in connection.execute(select(tables.readings))}


def keep_place(transaction: Transaction, row: Mapping[str, Any]) -> None:
    """Keep how far a log was read again."""
    table = tables.readings
    moved = transaction.execute(table.update().where(table.c.source == row["source"]).values(row))
    if not moved.rowcount:
        transaction.insert(table, row)
