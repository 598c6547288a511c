"""What the clients asked and were told, and so what has to be true: the witness against which nodes are checked."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Outcome(StrEnum):
    """How a call ended for its caller."""

    INVOKED = "invoked"
    OK = "ok"
    FAIL = "fail"
    """It was refused for good: nothing of it may be found anywhere."""
    UNKNOWN = "unknown"
    """Nobody knows; it happened once or not at all."""


@dataclass(slots=True, kw_only=True)
class Operation:
    """One call, under one request id however often it was tried."""

    kind: str
    agency: str
    request_id: str
    began: float
    marker: str = ""
    ended: float = 0.0
    outcome: Outcome = Outcome.INVOKED
    tries: int = 0
    name: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a record: its marker, and who may have it."""

    marker: str
    audience: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Record:
    """A record as its only writer knows it."""

    origin: str
    versions: list[Version]
    name: str = ""
    """Empty as long as nobody has confirmed the first version."""
    deleted: bool = False
    settled: bool = True
    """False: its last call ended unknown, so it may be one version further than this."""

    @property
    def last(self) -> Version:
        """The version that was confirmed last."""
        return self.versions[-1]

    @property
    def ever(self) -> frozenset[str]:
        """Every agency that was ever to have any version."""
        return frozenset().union(*(version.audience for version in self.versions))


@dataclass(slots=True, kw_only=True)
class History:
    """Everything the clients know."""

    operations: list[Operation] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What a client saw that may never be seen."""
    refused_markers: set[str] = field(default_factory=set)
    """Of calls that were refused: they may stand nowhere at all."""

    def confirmed(self) -> Iterator[Record]:
        """Give the records that somebody was told are recorded."""
        return (record for record in self.records if record.name)

    def unconfirmed(self) -> Iterator[Record]:
        """Give those of which nobody knows."""
        return (record for record in self.records if not record.name)

    def count(self, outcome: Outcome) -> int:
        """Count the calls that ended so."""
        return sum(operation.outcome is outcome for operation in self.operations)

    def ok_within(self, agency: str, began: float, ended: float) -> int:
        """Count the calls at an agency that began and were answered between two moments."""
        return sum(
            operation.agency == agency
            and operation.outcome is Outcome.OK
            and operation.began >= began
            and operation.ended <= ended
            for operation in self.operations
        )

    def write(self, path: Path) -> None:
        """Keep the calls, a line each, for whoever looks into a violation."""
        lines = [json.dumps(asdict(operation), sort_keys=True) for operation in self.operations]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def new_marker() -> str:
    """Make a marker that stands nowhere else in the world."""
    return f"RKSYS{uuid.uuid4().hex}"
