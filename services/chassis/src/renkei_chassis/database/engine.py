"""Open a service's database: one owner, one process, one writer, many readers."""

from __future__ import annotations

import asyncio
import secrets
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from renkei_chassis.database import tables
from renkei_chassis.database.failures import is_lost, is_storage_failure
from renkei_chassis.database.place import (
    DatabaseInUseError,
    DatabaseUnreachableError,
    Owner,
    Place,
    Shared,
    TakenOverError,
    WrongOwnerError,
    require_owner,
)
from renkei_chassis.database.schema import CHASSIS, Schema, migrate
from renkei_chassis.database.sqlite import SqlitePlace
from renkei_chassis.errors import RenkeiError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from renkei_chassis.database.postgresql.url import PostgresUrl

__all__ = [
    "Database",
    "DatabaseInUseError",
    "DatabaseUnreachableError",
    "Owner",
    "Place",
    "Shared",
    "TakenOverError",
    "WrongOwnerError",
]

T = TypeVar("T")

_LOOKERS = 2  # threads for short reads, where those do not stay on the caller's


class Database:
    """A service's database, open and migrated.

    `look` reads a bounded few rows by key, on the caller's thread where that is cheaper than a hop to
    another one. `read` runs anything longer on a reader's thread. Only the writer writes.
    """

    def __init__(self, place: Place, facts: dict[str, bytes]) -> None:
        """Use `Database.open`."""
        self.place = place
        self._threads = ThreadPoolExecutor(place.readers, thread_name_prefix="reader")
        self._lookers = ThreadPoolExecutor(_LOOKERS, thread_name_prefix="looker")
        self._looking: Connection | None = None
        self.epoch = facts["epoch"].decode()
        self.secret = facts["secret"]
        self.stopping = threading.Event()
        """Set when nobody waits for the writes any more."""

    @classmethod
    def open(cls, where: Path | PostgresUrl, *, owner: Owner, schema: Schema) -> Database:
        """Open, create or migrate.

        Raises DatabaseInUseError, WrongOwnerError, SchemaError, or DatabaseUnreachableError where it takes no writes.
        """
        place = _place(where, owner)
        try:
            with place.writing.begin() as connection:
                migrate(connection, [CHASSIS])
                facts = _facts(connection, owner)
                migrate(connection, [schema])
                place.claim(connection)
        except DBAPIError as error:
            place.close()
            if not is_storage_failure(error):
                raise
            raise DatabaseUnreachableError(f"{where} cannot be used: {error.orig}; `renkei doctor` says more") from None
        except BaseException:
            place.close()
            raise
        return cls(place, facts)

    @classmethod
    def beside(cls, shared: Shared, *, owner: Owner) -> Database:
        """Open what another process of the same service has open and migrated; who writes is between the two.

        That process hands on `handles`, so that a file stays locked until both are gone.
        """
        place = _place(shared.where, owner, shared)
        with place.writing.connect() as connection:
            facts = _facts(connection, owner)
            connection.rollback()
        return cls(place, facts)

    @property
    def shared(self) -> Shared:
        """What another process needs to open it beside this one."""
        return self.place.shared

    @property
    def handles(self) -> tuple[int, ...]:
        """The file descriptors that hold the database locked as long as any process has them open."""
        return self.place.handles

    @property
    def writing(self) -> Engine:
        """Give the one connection that writes, for the writer's thread."""
        return self.place.writing

    async def look(self, question: Callable[[Connection], T]) -> T:
        """Read a few rows by key. Only for reads whose size is bounded and small."""
        if self.place.looks_in_place:
            return self._look(question)
        return await asyncio.get_running_loop().run_in_executor(self._lookers, self._ask, question)

    def recall(self, question: Callable[[Connection], T]) -> T:
        """Read a few rows here and now, while a service is put together and before anybody is served."""
        return self._look(question) if self.place.looks_in_place else self._lookers.submit(self._ask, question).result()

    def _look(self, question: Callable[[Connection], T]) -> T:
        if self._looking is None:
            self._looking = self.place.reading.connect()
        try:
            return question(self._looking)
        except RenkeiError:
            raise
        except BaseException:
            # The exception may keep a half-read result alive, and with it an old state of the whole database.
            self._looking.invalidate()
            self._looking.close()
            self._looking = None
            raise

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Read anything on a reader's thread. Raises STORAGE_UNAVAILABLE where the server does not answer."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        try:
            try:
                return self._ask_once(question)
            except Exception as error:
                if not is_lost(error):
                    raise
            return self._ask_once(question)  # the server was started anew, and a new connection will do
        except RenkeiError:
            raise
        except Exception as error:
            if not is_lost(error) and not is_storage_failure(error):
                raise
            raise Unavailable("STORAGE_UNAVAILABLE", "the database cannot be read now") from error

    def _ask_once(self, question: Callable[[Connection], T]) -> T:
        with self.place.reading.connect() as connection:
            try:
                return question(connection)
            except RenkeiError:
                raise
            except BaseException:
                connection.invalidate()  # as above
                raise

    def close(self) -> None:
        """Close every connection and let the next process in."""
        self._threads.shutdown(wait=True)
        self._lookers.shutdown(wait=True)
        if self._looking is not None:
            self._looking.close()
        self.place.close()


def _place(where: Path | PostgresUrl, owner: Owner, shared: Shared | None = None) -> Place:
    if isinstance(where, Path):
        return SqlitePlace(where, beside=shared is not None)
    from renkei_chassis.database.postgresql.place import PostgresPlace  # noqa: PLC0415 (a driver that many never need)

    return PostgresPlace(where, owner, opening=b"" if shared is None else shared.opening)


def _facts(connection: Connection, owner: Owner) -> dict[str, bytes]:
    """Read whose database this is, or write it into a new one."""
    found = {row.key: bytes(row.value) for row in connection.execute(select(tables.facts))}
    if not found:
        found = {
            "agency": owner.agency.encode(),
            "service": owner.service.encode(),
            "epoch": str(uuid.uuid4()).encode(),
            "secret": secrets.token_bytes(32),
        }
        connection.execute(tables.facts.insert(), [{"key": key, "value": value} for key, value in found.items()])
    require_owner(found, owner)
    return found
