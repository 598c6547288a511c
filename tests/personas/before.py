"""Take a database back to the tables that an older program knew, so that a migration can bring it here again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from renkei_chassis.database.tables import schema_versions
from renkei_personas.store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


def back_to(connection: Connection, version: int) -> None:
    """Undo the steps from a version on, the last first."""
    tables.readings.drop(connection)
    connection.exec_driver_sql("ALTER TABLE persona_document DROP COLUMN collided")
    tables.past.drop(connection)
    if version == 1:
        tables.revocations.drop(connection)
    connection.execute(update(schema_versions).values(version=version))
