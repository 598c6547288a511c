"""What was typed, as what is looked for: words, or a part of an identifier; and whether words stand in a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MOST_TERMS: Final = 8
_SHORTEST: Final = 2
_SHORTEST_PART: Final = 4
_MOST_HIGHLIGHTS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """How texts are folded: functions of normalform, which the chassis does not know."""

    fold: Callable[[str], str]
    words: Callable[[str], Sequence[str]]
    """The stretches of a text between its signs, as written."""
    find: Callable[[str, str, Iterable[str]], Iterator[tuple[int, int]]]
    """Where what was folded already stands in a text, which comes with its fold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A piece of what was typed, between blanks."""

    written: str
    words: Sequence[str]
    """As written, between signs."""
    folded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """Where in a text of the record a term stands, in characters."""

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How a record holds what is looked for."""

    exact: bool
    """Every term stands in it as it was written."""
    highlights: Sequence[Highlight]


def read_query(text: str, folding: Folding) -> Sequence[Term]:
    """Take a query apart. Raises SEARCH_TOO_SHORT, or FIELD_INVALID for too many terms."""
    terms = [Term(written=each, words=folding.words(each), folded=folding.fold(each)) for each in _once(text.split())]
    terms = [term for term in terms if term.folded]
    if not any(len(term.folded) >= _SHORTEST for term in terms):
        raise _refusal("SEARCH_TOO_SHORT", f"must have a term of at least {_SHORTEST} letters or digits")
    if len(terms) > MOST_TERMS:
        raise _refusal("FIELD_INVALID", f"must have at most {MOST_TERMS} terms")
    return terms


def read_part(text: str, fold: Callable[[str], str]) -> str:
    """Turn what was typed into the part of an identifier to look for. Raises SEARCH_TOO_SHORT or FIELD_INVALID.

    `fold` raises ValueError for what can be no part of an identifier.
    """
    typed = sum(map(str.isalnum, text))
    try:
        part = fold(text)
    except ValueError:
        part = ""
        if typed >= _SHORTEST_PART:
            raise _refusal("FIELD_INVALID", "cannot be part of an identifier", field="identifier") from None
    # A leading 0 of a telephone number is not looked for, and still counts as typed.
    if typed < _SHORTEST_PART or len(part) < _SHORTEST_PART - 1:
        raise _refusal("SEARCH_TOO_SHORT", f"must have at least {_SHORTEST_PART} letters or digits", field="identifier")
    return part


def match(texts: Iterable[tuple[str, str]], terms: Sequence[Term], folding: Folding, *, exact: bool) -> Match | None:
    """Look for every term in the texts of a record, each with its field; None where one of them stands nowhere.

    `exact`: None also where one of them stands in another spelling alone, which is found out at once.
    """
    there = [(field, text) for field, text in texts if text]
    as_written = all(any(term.written in text for _, text in there) for term in terms)
    if exact and not as_written:
        return None
    fields = [(field, text, folding.fold(text)) for field, text in there]
    if not all(any(term.folded in folded for _, _, folded in fields) for term in terms):
        return None
    if as_written:
        # A letter whose mark makes another one of it is written there, and read as none of them.
        as_written = all(
            any(term.written in text and term.folded in folded for _, text, folded in fields) for term in terms
        )
        if exact and not as_written:
            return None
    highlights: list[Highlight] = []
    for field, text, folded in fields:
        fragments = [term.folded for term in terms if term.folded in folded]
        if fragments:
            highlights += _merged(field, folding.find(text, folded, fragments))
    return Match(exact=as_written, highlights=highlights[:_MOST_HIGHLIGHTS])


def _merged(field: str, spans: Iterable[tuple[int, int]]) -> Iterator[Highlight]:
    """Give spans in their order; those that touch are one."""
    begin = end = -1
    for first, last in sorted(spans):
        if first > end:
            if end >= 0:
                yield Highlight(field=field, start=begin, end=end)
            begin, end = first, last
        end = max(end, last)
    if end >= 0:
        yield Highlight(field=field, start=begin, end=end)


def _once(words: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(words)


def _refusal(reason: str, what: str, *, field: str = "text") -> InvalidArgument:
    return InvalidArgument(reason, f"{field}: {what}", violations=[FieldViolation(field=field, description=what)])
