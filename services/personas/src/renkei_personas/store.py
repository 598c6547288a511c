"""The table of plans."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    or_,
    select,
)

from renkei_chassis.database.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection, Row

    from renkei_chassis.database.transaction import Transaction

metadata: Final = MetaData()

personas: Final = Table(
    "persona",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("state", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("drafter", String(128), nullable=False),
    Column("supervisor", String(128), nullable=False),
    Column("custodian", String(128), nullable=False),
    Column("plan", LargeBinary, nullable=False),  # as submitted: the hash is over these bytes
    Column("plan_hash", LargeBinary(32), nullable=False),
    Column("approver", String(128), nullable=False),
    Column("submit_time_us", BigInteger, nullable=False),
    Column("approve_time_us", BigInteger, nullable=False),  # 0: not yet
    Index("persona_by_drafter", "drafter"),
)

SCHEMA: Final = Schema(component="personas", metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPersona:
    """A row of the table. Times are microseconds since 1970; 0 is not yet."""

    id: bytes
    state: int
    version: int
    drafter: str
    supervisor: str
    custodian: str
    plan: bytes
    plan_hash: bytes
    approver: str
    submit_time_us: int
    approve_time_us: int


def add(transaction: Transaction, persona: StoredPersona) -> None:
    """Store a submitted plan."""
    transaction.insert(personas, asdict(persona))


def find(connection: Connection | Transaction, persona: UUID) -> StoredPersona | None:
    """Read one plan."""
    row = connection.execute(select(personas).where(personas.c.id == persona.bytes)).first()
    return None if row is None else _stored(row)


def approve(transaction: Transaction, persona: UUID, *, state: int, approver: str, version: int) -> None:
    """Note the approval."""
    transaction.execute(
        personas.update()
        .where(personas.c.id == persona.bytes)
        .values(state=state, approver=approver, version=version, approve_time_us=transaction.now_us)
    )


def page(connection: Connection, *, reader: str | None, before: bytes | None, limit: int) -> Sequence[StoredPersona]:
    """Read plans, newest first; of those in which `reader` has a part, or all for None."""
    statement = select(personas).order_by(personas.c.id.desc()).limit(limit)
    if reader is not None:
        columns = (personas.c.drafter, personas.c.supervisor, personas.c.custodian)
        statement = statement.where(or_(*(column == reader for column in columns)))
    if before is not None:
        statement = statement.where(personas.c.id < before)
    return [_stored(row) for row in connection.execute(statement)]


def _stored(row: Row[Any]) -> StoredPersona:
    return StoredPersona(**{field.name: getattr(row, field.name) for field in fields(StoredPersona)})
