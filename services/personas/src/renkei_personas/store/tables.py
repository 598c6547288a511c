"""The tables. Times are microseconds since 1970; 0 is not yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
)

from renkei_chassis.database.schema import Schema
from renkei_personas.store.steps import compare_later, remember_past

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata: Final = MetaData()
_BIG: Final = BigInteger().with_variant(Integer, "sqlite")

personas: Final = Table(
    "persona",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("plan_id", LargeBinary(16), nullable=False),  # random: what the NPA knows it by
    Column("version", Integer, nullable=False),  # of the row: the etag
    Column("state", SmallInteger, nullable=False),
    Column("drafter", String(128), nullable=False),
    Column("supervisor", String(128), nullable=False),
    Column("plan", LargeBinary, nullable=False),  # as submitted: the hash is over these bytes
    Column("plan_hash", LargeBinary(32), nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("approver", String(128), nullable=False),
    Column("submit_us", BigInteger, nullable=False),
    Column("approve_us", BigInteger, nullable=False),
    Column("acknowledge_us", BigInteger, nullable=False),
    Column("deconflict_us", BigInteger, nullable=False),
    Column("reported_version", Integer, nullable=False),  # the last version that the NPA was told of; 0: none
    Column("vacancy_us", BigInteger, nullable=False),
    Column("vacancy_told", Boolean, nullable=False),
    Column("in_danger", Boolean, nullable=False),
    Column("incident_open", Boolean, nullable=False),
    Column("ever_active", Boolean, nullable=False),
    Column("halt", SmallInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("decision_reason", String(2000), nullable=False),
    Column("extension_plan", LargeBinary, nullable=False),
    Column("extension_hash", LargeBinary(32), nullable=False),
    Column("extension_stage", SmallInteger, nullable=False),  # 0: none
    Column("extension_approver", String(128), nullable=False),
    Column("extension_approve_us", BigInteger, nullable=False),
    Column("contacts", Integer, nullable=False),
    Column("last_contact_us", BigInteger, nullable=False),
    Column("waiting_us", BigInteger, nullable=False),
    Column("review_told", Boolean, nullable=False),
    Column("contact_head", LargeBinary(32), nullable=False),
    Column("entries", Integer, nullable=False),
    Column("entry_head", LargeBinary(32), nullable=False),
    Column("tasks", Integer, nullable=False),
    Column("next_due_us", BigInteger, nullable=False),  # when the next clock strikes; 0: none runs
    Index("persona_by_due", "next_due_us"),
    Index("persona_by_plan_id", "plan_id", unique=True),
)

# Who sees an investigation, for lists.
parts: Final = Table(
    "persona_part",
    metadata,
    Column("officer", String(128), nullable=False),
    Column("persona", LargeBinary(16), nullable=False),
    PrimaryKeyConstraint("officer", "persona"),
    Index("persona_part_by_persona", "persona"),
)

# Who ever approved an investigation and who supervised it: what the row forgets when they change.
past: Final = Table(
    "persona_past",
    metadata,
    Column("persona", LargeBinary(16), nullable=False),
    Column("part", SmallInteger, nullable=False),  # 1: approved, 2: supervised
    Column("officer", String(128), nullable=False),
    PrimaryKeyConstraint("persona", "part", "officer"),
)

documents: Final = Table(
    "persona_document",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("persona", LargeBinary(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("paper", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("legend", LargeBinary, nullable=False),
    Column("issuer", String(128), nullable=False),
    Column("custodian", String(128), nullable=False),
    Column("holder", String(128), nullable=False),
    Column("presented", Integer, nullable=False),
    Column("witnesses", String(260), nullable=False),
    Column("witnessed", String(260), nullable=False),
    Column("hold_review_us", BigInteger, nullable=False),
    Column("hold_told", Boolean, nullable=False),
    Column("collided", Boolean, nullable=False),
    Column("check_us", BigInteger, nullable=False),
    Column("issue_us", BigInteger, nullable=False),
    Column("destroy_us", BigInteger, nullable=False),
    Index("persona_document_by_persona", "persona", "id"),
)

# Append-only but for the review and whether a request was answered.
contacts: Final = Table(
    "persona_contact",
    metadata,
    Column("persona", LargeBinary(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("account", String(200), nullable=False),
    Column("content", LargeBinary, nullable=False),  # what the chain is over
    Column("head", LargeBinary(32), nullable=False),
    Column("record_us", BigInteger, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("review_us", BigInteger, nullable=False),
    Column("reviewer", String(128), nullable=False),
    PrimaryKeyConstraint("persona", "number"),
)

entries: Final = Table(
    "persona_entry",
    metadata,
    Column("persona", LargeBinary(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),  # what the chain is over
    Column("head", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("persona", "number"),
)

# Every plan that was ever submitted.
plans: Final = Table(
    "persona_plan",
    metadata,
    Column("persona", LargeBinary(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("plan_hash", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),  # the hash is over these bytes
    Column("submit_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("persona", "number"),
)

tasks: Final = Table(
    "persona_task",
    metadata,
    Column("persona", LargeBinary(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("note", String(2000), nullable=False),
    Column("completer", String(128), nullable=False),
    Column("complete_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("persona", "number"),
)

dangers: Final = Table(
    "persona_danger",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("persona", LargeBinary(16), nullable=False),  # empty: none that we know
    Column("content", LargeBinary, nullable=False),  # the request as it came
    Column("reporter", String(128), nullable=False),
    Column("flags", String(64), nullable=False),
    Column("record_us", BigInteger, nullable=False),
)

disclosures: Final = Table(
    "persona_disclosure",
    metadata,
    Column("persona", LargeBinary(16), nullable=False),
    Column("id", LargeBinary(16), nullable=False),
    Column("contact", Integer, nullable=False),
    Column("record", String(128), nullable=False),
    Column("content", LargeBinary, nullable=False),  # the answer as it was given
    Column("preparer", String(128), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    Index("persona_disclosure_by_persona", "persona", "id"),
)

legal_bases: Final = Table(
    "legal_basis",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # as it was signed
    Column("signature", LargeBinary(64), nullable=False),
    Column("register_us", BigInteger, nullable=False),
)

# Legal bases that ended before their time. Like a basis, one is never changed.
revocations: Final = Table(
    "legal_basis_revocation",
    metadata,
    Column("id", String(64), primary_key=True),  # of the basis
    Column("content", LargeBinary, nullable=False),  # as it was signed
    Column("signature", LargeBinary(64), nullable=False),
    Column("revoke_us", BigInteger, nullable=False),
)

# Calls that were refused: nothing of what was asked but a name.
refusals: Final = Table(
    "refusal",
    metadata,
    Column("number", _BIG, primary_key=True, autoincrement=True),
    Column("record_us", BigInteger, nullable=False),
    Column("caller", String(128), nullable=False),
    Column("method", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("resource", String(200), nullable=False),
)

# At the National Police Agency: what was reported there.
reports: Final = Table(
    "persona_report",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("agency", String(32), nullable=False),
    Column("receive_us", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("acknowledged_version", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("persona_report_by_time", "receive_us", "name"),
)

# Keyed hashes of what stands in real records, so that an invented value can be compared here and is told to nobody.
seen: Final = Table("seen_value", metadata, Column("hash", LargeBinary(16), primary_key=True), sqlite_with_rowid=False)

# How far each log was read again by a program that finds more in a record than the one before it.
readings: Final = Table(
    "reading",
    metadata,
    Column("source", String(128), primary_key=True),
    Column("reading", Integer, nullable=False),
    Column("epoch", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)


def _add_revocations(connection: Connection) -> None:
    revocations.create(connection)


SCHEMA: Final = Schema(component="personas", metadata=metadata, steps=[_add_revocations, remember_past, compare_later])
