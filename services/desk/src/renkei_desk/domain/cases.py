"""The public case list: background that everybody may read, and that names nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as the press reported it."""

    day: date
    agency: str
    """The code of the prefecture's police: `jp-12`."""
    place: str
    crime: str
    detail: str
    counted: bool
    """False: reported as a suspected link only."""
