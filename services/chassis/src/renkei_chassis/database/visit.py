"""Look into a database without holding it, changing it or being in the way: what `renkei doctor` does."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from renkei_chassis.database import tables
from renkei_chassis.database.place import DatabaseUnreachableError, require_owner
from renkei_chassis.database.schema import CHASSIS, Schema, SchemaError, pending
from renkei_chassis.log.append import read_position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine

    from renkei_chassis.database.place import Owner
    from renkei_chassis.database.postgresql.url import PostgresUrl

WAIT_SECONDS: Final = 5.0
# What of a server's ways matters: whether a commit is on its disk, whether it is the one that may be written to, how
# the line to it is kept secret, how much room there is, and what time it has.
_ASKED: Final = """
SELECT current_setting('server_version_num') AS version,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('autovacuum') AS autovacuum,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery()::text AS standby,
       has_schema_privilege(current_schema(), 'CREATE')::text AS may_create,
       (SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls,
       (current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity))::text AS connections_left,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text AS time_us
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """What was found. `steps` is how many migration steps wait, None for a database that is new."""

    steps: int | None
    sequence: int = 0
    time_us: int = 0
    """When the last event of its log was written, in microseconds since 1970."""
    server: Mapping[str, str] = field(default_factory=dict)
    """What a server says of itself, by the names in this module; nothing of a file."""


def visit(where: Path | PostgresUrl, *, owner: Owner, schema: Schema) -> Visited:
    """Look. Raises DatabaseUnreachableError, SchemaError or WrongOwnerError, as opening it would."""
    if isinstance(where, Path) and not where.exists():
        return Visited(steps=None)
    engine = _file(where) if isinstance(where, Path) else _server(where)
    try:
        with engine.connect() as connection:
            server = {} if isinstance(where, Path) else _ask_server(connection)
            return _look(connection, owner, schema, server)
    except sqlite3.Error as error:
        raise SchemaError(f"{where} cannot be read as a database: restore it from a backup") from error
    except DBAPIError as error:
        if isinstance(where, Path):
            raise SchemaError(f"{where} cannot be read as a database: restore it from a backup") from error
        raise DatabaseUnreachableError(f"{where} cannot be used: {error.orig}; check `database`") from None
    finally:
        engine.dispose()


def _look(connection: Connection, owner: Owner, schema: Schema, server: Mapping[str, str]) -> Visited:
    steps = pending(connection, [CHASSIS, schema])
    if steps is None:
        return Visited(steps=None, server=server)
    require_owner({row.key: bytes(row.value) for row in connection.execute(select(tables.facts))}, owner)
    try:
        position = read_position(connection)
    except ValueError as error:
        raise SchemaError(str(error)) from error
    return Visited(steps=steps, sequence=position.sequence, time_us=position.time_us, server=server)


def _ask_server(connection: Connection) -> Mapping[str, str]:
    row = connection.exec_driver_sql(_ASKED).one()
    return {name: str(value) for name, value in row._asdict().items()}


def _file(path: Path) -> Engine:
    log = path.with_name(f"{path.name}-wal")
    # Without a write-ahead log nobody has it open, and SQLite need not make one, and files beside it, to read.
    how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=WAIT_SECONDS)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _server(url: PostgresUrl) -> Engine:
    from renkei_chassis.database.postgresql import dialect, driver  # noqa: PLC0415 (a driver that many never need)

    settings = {"application_name": "renkei doctor", "default_transaction_read_only": "on"}

    def connect() -> driver.Connection:
        return driver.connect(url.dsn, autocommit=True, timeout=WAIT_SECONDS, settings=settings)

    return create_engine(f"{dialect.NAME}://", creator=connect, poolclass=NullPool, hide_parameters=True)
