"""Which records a list or a search shows, own and received: as conditions on their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, literal, or_, select

from renkei_chassis.database.texts import holds
from renkei_chassis.resource_names import Pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import ColumnElement, Select

    from renkei_chassis.records.kind import RecordKind

ANY_AGENCY: Final = "agencies/-"
_PARENT: Final = Pattern("agencies/{agency}", wildcards=("agency",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records a list shows."""

    parent: str = ANY_AGENCY
    states: Collection[int] = ()
    categories: Collection[int] = ()
    min_create_time_us: int | None = None
    max_create_time_us: int | None = None
    reference: str = ""
    """Only records of this case, or about this: whatever the kind is found by."""
    show_deleted: bool = False
    fragment: str = ""
    """Only records with an identifier that holds this."""
    identifier_type: int = 0


def require_parent(wanted: Filter) -> None:
    """Refuse a parent that names no agency. Raises INVALID_RESOURCE_NAME."""
    if wanted.parent != ANY_AGENCY:
        _PARENT.parse(wanted.parent, field="parent")


class Shown:
    """The rows of one kind of record that a filter shows."""

    def __init__(self, kind: RecordKind, *, agency: str) -> None:
        """Take the kind, and whose records are own ones."""
        self._kind = kind
        self._agency = agency

    def own_rows(self) -> Select[Any]:
        """Ask for own records."""
        columns = self._kind.tables.records.c
        return select(
            columns.id,
            literal(self._agency).label("agency"),
            columns.content,
            columns.delete_time_us,
            columns.purge_time_us,
        )

    def copy_rows(self) -> Select[Any]:
        """Ask for copies, with the columns of own records that they have."""
        columns = self._kind.tables.copies.c
        return select(columns.id, columns.agency, columns.content)

    def own_conditions(self, wanted: Filter, before: tuple[bytes, str] | None) -> Iterator[ColumnElement[bool]]:
        """Say which own records, older than `before`."""
        tables = self._kind.tables
        columns = tables.records.c
        yield from _conditions(columns, wanted, columns[tables.reference])
        if not wanted.show_deleted:
            yield columns.delete_time_us.is_(None)
        if before is not None:
            yield columns.id <= before[0] if self._agency < before[1] else columns.id < before[0]
        if wanted.fragment:
            yield or_(
                *(
                    select(found.c.ordinal)
                    .where(found.c.record_id == columns.id)
                    .where(*_holding(found.c, wanted))
                    .exists()
                    for found in (tables.identifiers, *tables.more_identifiers)
                )
            )

    def copy_conditions(self, wanted: Filter, before: tuple[bytes, str] | None) -> Iterator[ColumnElement[bool]]:
        """Say which copies, older than `before`."""
        tables = self._kind.tables
        columns = tables.copies.c
        yield from _conditions(columns, wanted, columns[tables.reference])
        if wanted.parent != ANY_AGENCY:
            yield columns.agency == wanted.parent
        if before is not None:
            yield or_(columns.id < before[0], and_(columns.id == before[0], columns.agency < before[1]))
        if wanted.fragment:
            yield or_(
                *(
                    select(found.c.ordinal)
                    .where(
                        found.c.record_id == columns.id, found.c.agency == columns.agency, *_holding(found.c, wanted)
                    )
                    .exists()
                    for found in (tables.copy_identifiers, *tables.more_copy_identifiers)
                )
            )


def _conditions(
    columns: Any,  # noqa: ANN401 (columns of either table)
    wanted: Filter,
    reference: ColumnElement[str],
) -> Iterator[ColumnElement[bool]]:
    if wanted.states:
        yield columns.state.in_(sorted(wanted.states))
    if wanted.categories:
        yield columns.category.in_(sorted(wanted.categories))
    if wanted.reference:
        yield reference == wanted.reference
    if wanted.min_create_time_us is not None:
        yield columns.create_time_us >= wanted.min_create_time_us
    if wanted.max_create_time_us is not None:
        yield columns.create_time_us < wanted.max_create_time_us


def _holding(columns: Any, wanted: Filter) -> Iterator[ColumnElement[bool]]:  # noqa: ANN401 (columns of either table)
    """Say which identifiers hold the fragment."""
    yield holds(columns.search_key, wanted.fragment)
    if wanted.identifier_type:
        yield columns.type == wanted.identifier_type
