"""What both kinds of database have in common: whose they are, what they refuse, and what a writer asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from renkei_chassis.database.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from renkei_chassis.database.postgresql.url import PostgresUrl


class DatabaseInUseError(Exception):
    """Another process has the database open."""


class WrongOwnerError(Exception):
    """The database belongs to another agency or another service."""


class DatabaseUnreachableError(OSError):
    """The server does not let us in, or does not answer."""


class TakenOverError(Exception):
    """Another process has written since this one lost its hold: what this one knows is out of date for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose database it is: `agencies/jp-12` and `tips`."""

    agency: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A database that is open, for another process of the same service to open beside this one."""

    where: Path | PostgresUrl
    opening: bytes = b""
    """What a server's database knows this opening by."""


def require_owner(found: Mapping[str, bytes], owner: Owner) -> None:
    """Raise WrongOwnerError where the facts in a database name somebody else, SchemaError where they name nobody."""
    for key, expected in (("agency", owner.agency), ("service", owner.service)):
        if key not in found:
            raise SchemaError(f"the database does not say its {key}: restore it from a backup")
        if found[key] != expected.encode():
            raise WrongOwnerError(
                f"the database belongs to {found['agency'].decode()} ({found['service'].decode()}), "
                f"not to {owner.agency} ({owner.service}): check `data_directory` and `database`"
            )


class Place(Protocol):
    """Where a database is, held against every other process from the moment it is made until `close`."""

    writing: Engine
    """Of one connection, for the writer's thread alone."""
    reading: Engine
    readers: int
    """Threads for what may take long: searches, lists, log reads."""
    looks_in_place: bool
    """Whether a few rows by key are read faster on the caller's thread than on another one."""

    @property
    def shared(self) -> Shared:
        """What another process of the same service needs to open it beside this one."""
        ...

    @property
    def handles(self) -> tuple[int, ...]:
        """The file descriptors that hold it for as long as any process has them open."""
        ...

    def claim(self, connection: Connection) -> None:
        """Note in the database, in the transaction that opens it, that this process writes now."""
        ...

    def stamp(self, connection: Connection) -> None:
        """Mark a commit group as this process's. Raises TakenOverError where another one has written."""
        ...

    def committed(self) -> None:
        """Take note that the group which was stamped last is in."""
        ...

    def is_committed(self, *, give_up: Callable[[], bool]) -> bool | None:
        """Tell whether the group is committed whose COMMIT failed; None where it was given up to find out."""
        ...

    def scrub(self) -> bool:
        """Wipe what was deleted from the files, as far as the database can; False: try again later."""
        ...

    def close(self) -> None:
        """Close every connection and let the next process in."""
        ...
