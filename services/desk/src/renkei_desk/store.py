"""Read and write sessions, purposes and shift notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from renkei_chassis.clock import from_us
from renkei_desk.tables import notes, purposes, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session: who it is, since when, and when somebody last did something in it."""

    officer: str
    roles: tuple[str, ...]
    begin_us: int
    seen_us: int
    purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A shift note."""

    number: int
    officer: str
    create_us: int
    text: str

    @property
    def time(self) -> datetime:
        """When it was written."""
        return from_us(self.create_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeRow:
    """Why an officer asks: said once for a case."""

    id: str
    officer: str
    case_reference: str
    reason: str


def add_session(transaction: Transaction, session: bytes, row: SessionRow) -> None:
    """Write a new session."""
    transaction.insert(
        sessions,
        {
            "id": session,
            "officer": row.officer,
            "roles": " ".join(row.roles),
            "begin_us": row.begin_us,
            "seen_us": row.seen_us,
        },
    )


def find_session(connection: Connection, session: bytes) -> SessionRow | None:
    """Read one session."""
    row = connection.execute(select(sessions).where(sessions.c.id == session)).first()
    if row is None:
        return None
    return SessionRow(
        officer=row.officer,
        roles=tuple(row.roles.split()),
        begin_us=row.begin_us,
        seen_us=row.seen_us,
        purpose=row.purpose,
    )


def touch_session(transaction: Transaction, session: bytes, seen_us: int) -> None:
    """Note that somebody did something in it."""
    transaction.execute(sessions.update().where(sessions.c.id == session).values(seen_us=seen_us))


def end_session(transaction: Transaction, session: bytes) -> None:
    """Forget a session."""
    transaction.execute(sessions.delete().where(sessions.c.id == session))


def forget_sessions(transaction: Transaction, *, begun_before_us: int, seen_before_us: int) -> None:
    """Forget every session that is over."""
    over = (sessions.c.begin_us < begun_before_us) | (sessions.c.seen_us < seen_before_us)
    transaction.execute(sessions.delete().where(over))


def add_purpose(transaction: Transaction, row: PurposeRow, session: bytes) -> None:
    """Write a purpose, unless the same form was sent before, and have a session ask for it."""
    if transaction.first(select(purposes.c.id).where(purposes.c.id == row.id)) is None:
        values = {"id": row.id, "officer": row.officer, "case_reference": row.case_reference, "reason": row.reason}
        transaction.insert(purposes, {**values, "create_us": transaction.now_us})
    take_purpose(transaction, row.id, row.officer, session)


def take_purpose(transaction: Transaction, purpose: str, officer: str, session: bytes) -> None:
    """Have a session ask for a purpose that its officer said before; of another officer's nothing happens."""
    own = select(purposes.c.id).where(purposes.c.id == purpose, purposes.c.officer == officer)
    if transaction.first(own) is not None:
        transaction.execute(sessions.update().where(sessions.c.id == session).values(purpose=purpose))


def list_purposes(connection: Connection, *, officer: str, limit: int) -> list[PurposeRow]:
    """Read what an officer asked for, the newest first."""
    statement = select(purposes).where(purposes.c.officer == officer).order_by(purposes.c.create_us.desc()).limit(limit)
    return [
        PurposeRow(id=row.id, officer=row.officer, case_reference=row.case_reference, reason=row.reason)
        for row in connection.execute(statement)
    ]


def add_note(transaction: Transaction, *, form: str, officer: str, text: str) -> None:
    """Write a note, unless the same form was sent before."""
    if transaction.first(select(notes.c.number).where(notes.c.form == form)) is not None:
        return
    last = transaction.first(select(func.max(notes.c.number)))
    number = (last[0] or 0) + 1 if last is not None else 1
    row = {"number": number, "form": form, "officer": officer, "create_us": transaction.now_us, "text": text}
    transaction.insert(notes, row)


def list_notes(connection: Connection, *, before: int | None, limit: int) -> list[NoteRow]:
    """Read a page of notes, the newest first, from behind `before` on."""
    statement = select(notes).order_by(notes.c.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(notes.c.number < before)
    return [
        NoteRow(number=row.number, officer=row.officer, create_us=row.create_us, text=row.text)
        for row in connection.execute(statement)
    ]
