"""What the acts of the story share: who plays, when, and what is left for the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2 as ids

from renkei_files import JAPAN
from renkei_node.demo.agencies import CODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei.leads.v1.leads_pb2 import Lead

NPA, SAPPORO, TOCHIGI, SAITAMA, CHIBA, TOKYO, KANAGAWA = CODES
# The real series lies in 2024, the invented cases a year later.
AUTUMN: Final = datetime(2025, 9, 30, 21, 40, tzinfo=JAPAN)
TELEGRAM, NUMBER, PLATE = ids.IDENTIFIER_TYPE_HANDLE, ids.IDENTIFIER_TYPE_PHONE, ids.IDENTIFIER_TYPE_VEHICLE_PLATE


@dataclass(slots=True)
class Told:
    """What the story leaves behind for the report."""

    say: Callable[[str], None]
    first_lead: float = 0.0
    """When the first lead was there, on the clock of `time.monotonic`."""
    leads: list[tuple[Lead, float]] = field(default_factory=list)
    """Leads and the seconds after which they were there."""


def all_but(code: str) -> list[str]:
    """Give every other agency."""
    return [other for other in CODES if other != code]
