"""Read and write records, the places of identifiers, and leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from renkei_leads.domain import Identifier, Record, Site, State
from renkei_leads.tables import identifiers, lead_records, leads, occurrences, records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Executable, Row

    from renkei_chassis.database.transaction import Transaction

    Parts = Mapping[str, Sequence[tuple[int, Site]]]
    """The sites of a record by part, each with the number of its row; "" is the part that is the record itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecord:
    """A record's row; of one that is not visible only name and version are meant."""

    record: Record
    visible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """A lead's row."""

    id: str
    state: State
    first_record: str
    merged_into: str
    """An id, or empty."""
    create_us: int
    update_us: int
    content: bytes


# As many names as one statement asks for: databases limit the parameters of a statement.
_AT_ONCE: Final = 500
_RECORDS: Final = select(records).where(records.c.name.in_(bindparam("those", expanding=True)))
_COUNTS: Final = select(identifiers).where(identifiers.c.key.in_(bindparam("those", expanding=True)))
_SITES_OF: Final = select(occurrences).where(occurrences.c.record.in_(bindparam("those", expanding=True)))
_RECORDS_WITH: Final = (
    select(occurrences.c.record).where(occurrences.c.identifier.in_(bindparam("those", expanding=True))).distinct()
)
_LEADS_OF: Final = select(lead_records).where(lead_records.c.record.in_(bindparam("those", expanding=True)))
_MEMBERS_OF: Final = select(lead_records).where(lead_records.c.lead.in_(bindparam("those", expanding=True)))
_LEADS_BY_FIRST: Final = select(leads).where(leads.c.first_record.in_(bindparam("those", expanding=True)))
_FORGET_PART: Final = occurrences.delete().where(
    occurrences.c.record == bindparam("that"), occurrences.c.part == bindparam("those")
)
_FORGET_IDENTIFIER: Final = identifiers.delete().where(identifiers.c.key == bindparam("that"))
_FORGET_MEMBER: Final = lead_records.delete().where(lead_records.c.record == bindparam("that"))
_COUNT: Final = identifiers.update().where(identifiers.c.key == bindparam("that")).values(records=bindparam("count"))
_REPLACE_RECORD: Final = (
    records.update()
    .where(records.c.name == bindparam("that"))
    .values({column: bindparam(f"new_{column.name}") for column in records.c if column.name != "name"})
)
_REPLACE_LEAD: Final = (
    leads.update()
    .where(leads.c.id == bindparam("that"))
    .values({column: bindparam(f"new_{column.name}") for column in leads.c if column.name != "id"})
)


def known_records(transaction: Transaction, names: Collection[str]) -> dict[str, KnownRecord]:
    """Read the rows of records, those that are gone too."""
    found = {}
    for row in _rows(transaction, _RECORDS, names):
        record = Record(
            name=row.name, version=row.version, grade=row.grade, contact_desk=row.contact_desk, caveat=row.caveat
        )
        found[row.name] = KnownRecord(record=record, visible=row.visible)
    return found


def write_records(transaction: Transaction, *, new: Iterable[KnownRecord], changed: Iterable[KnownRecord]) -> None:
    """Write rows of records."""
    for known in new:
        transaction.insert(records, {"name": known.record.name, **_record_values(known)})
    rows = [
        {"that": known.record.name, **{f"new_{key}": value for key, value in _record_values(known).items()}}
        for known in changed
    ]
    if rows:
        transaction.execute(_REPLACE_RECORD, rows)


def sites_of(transaction: Transaction, names: Collection[str]) -> dict[str, list[Site]]:
    """Read where identifiers stand in records and in parts of them."""
    found: dict[str, list[Site]] = {}
    for row in _rows(transaction, _SITES_OF, names):
        found.setdefault(row.record, []).append(_site(row))
    return found


def parts_of(transaction: Transaction, names: Collection[str]) -> dict[str, Parts]:
    """Read the same by part."""
    found: dict[str, dict[str, list[tuple[int, Site]]]] = {}
    for row in _rows(transaction, _SITES_OF, names):
        found.setdefault(row.record, {}).setdefault(row.part, []).append((row.number, _site(row)))
    return dict(found)


def replace_parts(
    transaction: Transaction, before: Mapping[str, Parts], after: Mapping[str, Mapping[str, Collection[Site]]]
) -> None:
    """Write the sites of every record in `after`, of those parts alone that changed."""
    changed = {name: _changed(before.get(name, {}), parts) for name, parts in after.items()}
    gone = [
        {"that": name, "those": part}
        for name, parts in changed.items()
        for part in sorted(parts & before.get(name, {}).keys())
    ]
    if gone:
        transaction.execute(_FORGET_PART, gone)
    for name, parts in changed.items():
        stays = (those for part, those in before.get(name, {}).items() if part not in parts)
        number = max((number for those in stays for number, _ in those), default=-1)
        for part in sorted(parts & after[name].keys()):
            for site in after[name][part]:
                number += 1
                row = {
                    "record": name,
                    "number": number,
                    "part": part,
                    "identifier": site.identifier.key,
                    "provenance": site.provenance,
                    "relation": site.relation,
                    "from_us": site.from_us,
                    "until_us": site.until_us,
                }
                transaction.insert(occurrences, row)


def counts(transaction: Transaction, keys: Collection[str]) -> dict[str, int]:
    """Read in how many records identifiers stand; those that stand in none are left out."""
    return {row.key: row.records for row in _rows(transaction, _COUNTS, keys)}


def write_counts(transaction: Transaction, *, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Write in how many records identifiers stand."""
    changed = {key: count for key, count in after.items() if before.get(key, 0) != count}
    for key, count in changed.items():
        if key not in before:
            transaction.insert(identifiers, {"key": key, "records": count})
    moved = [{"that": key, "count": count} for key, count in changed.items() if key in before and count]
    if moved:
        transaction.execute(_COUNT, moved)
    gone = [{"that": key} for key, count in changed.items() if not count]
    if gone:
        transaction.execute(_FORGET_IDENTIFIER, gone)


def records_with(transaction: Transaction, keys: Collection[str]) -> set[str]:
    """Name the records in which any of these identifiers stands."""
    return {row.record for row in _rows(transaction, _RECORDS_WITH, keys)}


def homes_of(transaction: Transaction, names: Collection[str]) -> dict[str, str]:
    """Tell the live lead of each record that is in one."""
    return {row.record: row.lead for row in _rows(transaction, _LEADS_OF, names)}


def members_of(transaction: Transaction, ids: Collection[str]) -> dict[str, str]:
    """Tell every record of live leads, each with its lead."""
    return {row.record: row.lead for row in _rows(transaction, _MEMBERS_OF, ids)}


def move_records(transaction: Transaction, *, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Write which records are in which live lead now."""
    gone = [{"that": record} for record, lead in before.items() if after.get(record) != lead]
    if gone:
        transaction.execute(_FORGET_MEMBER, gone)
    for record, lead in after.items():
        if before.get(record) != lead:
            transaction.insert(lead_records, {"record": record, "lead": lead})


def leads_by_first(transaction: Transaction, names: Collection[str]) -> list[LeadRow]:
    """Read the leads, live or ended, whose first record is one of these."""
    return [lead_row(row) for row in _rows(transaction, _LEADS_BY_FIRST, names)]


def write_leads(transaction: Transaction, *, new: Iterable[LeadRow], changed: Iterable[LeadRow]) -> None:
    """Write rows of leads."""
    for lead in new:
        transaction.insert(leads, {"id": lead.id, **_lead_values(lead)})
    rows = [{"that": lead.id, **{f"new_{key}": value for key, value in _lead_values(lead).items()}} for lead in changed]
    if rows:
        transaction.execute(_REPLACE_LEAD, rows)


def find_lead(connection: Connection | Transaction, lead: str) -> LeadRow | None:
    """Read one lead by its id."""
    row = connection.execute(select(leads).where(leads.c.id == lead)).first()
    return lead_row(row) if row is not None else None


def lead_row(row: Row[Any]) -> LeadRow:
    """Take a row out of the database's hands."""
    return LeadRow(
        id=row.id,
        state=State(row.state),
        first_record=row.first_record,
        merged_into=row.merged_into,
        create_us=row.create_us,
        update_us=row.update_us,
        content=bytes(row.content),
    )


def _changed(before: Parts, after: Mapping[str, Collection[Site]]) -> set[str]:
    return {
        part
        for part in before.keys() | after.keys()
        if {site for _, site in before.get(part, ())} != set(after.get(part, ()))
    }


def _site(row: Row[Any]) -> Site:
    identifier = Identifier.from_key(row.identifier)
    return Site(row.record, identifier, row.provenance, row.relation, row.from_us, row.until_us)


def _rows(transaction: Transaction, statement: Executable, those: Collection[str]) -> Iterator[Row[Any]]:
    asked: Sequence[str] = list(those)
    for start in range(0, len(asked), _AT_ONCE):
        yield from transaction.execute(statement, [{"those": asked[start : start + _AT_ONCE]}])


def _record_values(known: KnownRecord) -> dict[str, Any]:
    record = known.record
    return {
        "version": record.version,
        "visible": known.visible,
        "grade": record.grade,
        "contact_desk": record.contact_desk,
        "caveat": record.caveat,
    }


def _lead_values(lead: LeadRow) -> dict[str, Any]:
    return {
        "state": int(lead.state),
        "first_record": lead.first_record,
        "merged_into": lead.merged_into,
        "create_us": lead.create_us,
        "update_us": lead.update_us,
        "content": lead.content,
    }
