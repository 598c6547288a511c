"""The public case list of 2024: read-only background, in no database, with no synthetic person attached."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from datetime import date
from importlib.resources import files

from renkei_node.demo.agencies import BY_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCase:
    """One case as the press reported it. Nobody is named."""

    date: date
    prefecture: str
    """The code of its police: `jp-12`."""
    place: str
    crime: str
    public_detail: str
    counted_in_series: bool
    """False: reported as a suspected link only."""

    def as_json(self) -> dict[str, object]:
        """Give it as plain values."""
        return {**asdict(self), "date": self.date.isoformat()}

    def line(self) -> str:
        """Write it for a terminal."""
        detail = f" ({self.public_detail})" if self.public_detail else ""
        return f"{self.date.isoformat()}  {BY_CODE[self.prefecture].display_name} {self.place}: {self.crime}{detail}"


def read_cases() -> list[PublicCase]:
    """Read the list that comes with the package, in order of date."""
    text = (files("renkei_node") / "data" / "series-2024.csv").read_text(encoding="utf-8")
    return [
        PublicCase(
            date=date.fromisoformat(row["date"]),
            prefecture=row["prefecture"],
            place=row["place"],
            crime=row["crime"],
            public_detail=row["public_detail"],
            counted_in_series={"yes": True, "no": False}[row["counted_in_series"]],
        )
        for row in csv.DictReader(text.splitlines(), strict=True)
    ]
