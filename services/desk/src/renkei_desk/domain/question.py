"""What somebody typed into the search box: words, an agency, a day in either calendar."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

_AGENCY: Final = re.compile(r"(?:agency|機関):([a-z]{2}-[a-z0-9]{2,8})")
_FIRST_YEARS: Final = {"令和": 2019, "平成": 1989, "昭和": 1926, "r": 2019, "h": 1989, "s": 1926}
_DAYS: Final = (
    re.compile(r"(令和|平成|昭和)(元|\d{1,2})年(\d{1,2})月(\d{1,2})日"),
    re.compile(r"([rhs])(\d{1,2})\.(\d{1,2})\.(\d{1,2})"),
    re.compile(r"()(\d{4})年(\d{1,2})月(\d{1,2})日"),
    re.compile(r"()(\d{4})[-/](\d{1,2})[-/](\d{1,2})"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, taken apart."""

    words: str
    """What is to stand in a record, as an identifier or in its text."""
    agency: str
    """Only records of this one: `jp-12`. Empty: of every one."""
    day: date | None
    """Only what was recorded on this day, in Japan."""


def parse(text: str) -> Question:
    """Take a question apart. What is neither an agency nor a day is a word, as it was written."""
    words: list[str] = []
    agency, day = "", None
    for term in text.split():
        plain = unicodedata.normalize("NFKC", term).lower()
        found = _AGENCY.fullmatch(plain)
        if found is not None:
            agency = found[1]
        elif (when := _day(plain)) is not None:
            day = when
        else:
            words.append(term)
    return Question(words=" ".join(words), agency=agency, day=day)


def _day(term: str) -> date | None:
    for form in _DAYS:
        found = form.fullmatch(term)
        if found is not None:
            era, year, month, of_month = found.groups()
            number = 1 if year == "元" else int(year)
            try:
                return date(_FIRST_YEARS[era] + number - 1 if era else number, int(month), int(of_month))
            except ValueError:
                return None
    return None
