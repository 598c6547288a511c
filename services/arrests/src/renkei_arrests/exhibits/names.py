"""The names of exhibits, below that of their arrest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from renkei_arrests.record import ARRESTS
from renkei_chassis.ids import uuid8_of
from renkei_chassis.resource_names import Pattern

if TYPE_CHECKING:
    from renkei_chassis.identity import Principal

EXHIBIT: Final = Pattern("agencies/{agency}/arrests/{arrest}/exhibits/{exhibit}")
_TAG: Final = b"renkei-exhibit-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitName:
    """A name, taken apart."""

    agency: str
    arrest: str
    """The name of the arrest."""
    record_id: UUID
    exhibit_id: UUID


def parse(name: str, *, field: str = "name") -> ExhibitName:
    """Take a name apart. Raises INVALID_RESOURCE_NAME."""
    ids = EXHIBIT.parse(name, field=field)
    arrest = f"agencies/{ids['agency']}/arrests/{ids['arrest']}"
    agency, record_id = ARRESTS.parse(arrest, field=field)
    # An id is judged as that of an arrest is.
    _, exhibit_id = ARRESTS.parse(f"{agency}/arrests/{ids['exhibit']}", field=field)
    return ExhibitName(agency=agency, arrest=arrest, record_id=record_id, exhibit_id=exhibit_id)


def format_name(arrest: str, exhibit_id: UUID) -> str:
    """Put a name together."""
    return f"{arrest}/exhibits/{exhibit_id}"


def id_of(caller: Principal, request_id: str) -> UUID:
    """Compute the id that a creation gives.

    So a row of a load can name another one of it, before either is recorded.
    """
    return uuid8_of(_TAG, f"{caller.subject}/{UUID(request_id)}")
