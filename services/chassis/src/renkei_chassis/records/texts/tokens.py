"""By what texts and identifiers are looked up: pairs of characters, and groups of three and four digits, as numbers.

A pair stands in a text as written, or only in its fold: a search for what was written finds those of the first sort
alone. What stands in an identifier is a sort of its own. Digits are entered in groups too, as pairs of characters that
Unicode does not have, because there are only a hundred pairs of them: pairs alone tell no number from another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from renkei_chassis.records.texts.query import Folding, Term

WRITTEN: Final = 0
FOLDED: Final = 1
PART: Final = 2
_SORT_BITS: Final = 2
_CHARACTER_BITS: Final = 21
_SPREAD: Final = 0x9E3779B97F4A7C15
_DIGITS: Final = re.compile("[0-9]{3,}")
_TWO_DIGITS: Final = 0x10FF00


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair that a record must have, by any of its numbers."""

    numbers: tuple[int, ...]
    """Of the pair as written and, where a record is taken also for its fold, as folded; all have one `spread`."""
    term: int
    """Of which term of a query it is."""


def token(pair: str, sort: int) -> int:
    """Give the number of a pair: one of 46 bits."""
    return (ord(pair[0]) << _CHARACTER_BITS | ord(pair[1])) << _SORT_BITS | sort


def spread(number: int) -> int:
    """Scatter numbers evenly; a pair as written and as folded stay together."""
    return (number >> 1) * _SPREAD >> 40 & 0xFFFF


def pairs(text: str) -> set[str]:
    """Give every two characters that stand side by side."""
    return set(map(add, text, text[1:]))


def groups(text: str) -> set[str]:
    """Give every three and every four digits that stand side by side, as pairs."""
    return {group for digits in _DIGITS.findall(text) for size in (3, 4) for group in _groups(digits, size)}


def text_tokens(texts: Iterable[str], folding: Folding) -> set[int]:
    """Give the numbers of all that stands in the texts of a record."""
    written: set[str] = set()
    folded: set[str] = set()
    for text in texts:
        words = folding.words(text)
        written.update(*map(pairs, words))
        written |= groups(" ".join(words))
        plain = folding.fold(text)
        folded |= pairs(plain)
        folded |= groups(plain)
    return _tokens(written, WRITTEN) | _tokens(folded - written, FOLDED)


def part_tokens(keys: Iterable[str]) -> set[int]:
    """Give the numbers of all that stands in identifiers, which are folded already."""
    return _tokens({pair for key in keys for pair in _other_than_digits(key) | groups(key)}, PART)


def pairs_of_terms(terms: Sequence[Term], *, exact: bool) -> Sequence[Pair]:
    """Say what a text must have in which every term stands; `exact`: as it was written."""
    wanted: dict[tuple[int, ...], Pair] = {}
    for number, term in enumerate(terms):
        written = {pair for word in term.words for pair in _at_best(word)} if exact else set()
        found = [Pair((token(pair, WRITTEN),), number) for pair in sorted(written)]
        folded = (_groups_at_best(term.folded) if written else _at_best(term.folded)) - written
        found += [Pair((token(pair, WRITTEN), token(pair, FOLDED)), number) for pair in sorted(folded)]
        wanted |= {pair.numbers: pair for pair in found}
    return list(wanted.values())


def pairs_of_part(fragment: str) -> Sequence[Pair]:
    """Say what an identifier must have that holds three characters or more."""
    found = _groups_at_best(fragment) | _other_than_digits(fragment)
    return [Pair((token(pair, PART),), 0) for pair in sorted(found)]


def _tokens(pairs: Iterable[str], sort: int) -> set[int]:
    """Give the numbers of pairs; written out, since this is most of the work of indexing."""
    return {(ord(pair[0]) << _CHARACTER_BITS | ord(pair[1])) << _SORT_BITS | sort for pair in pairs}


def _groups(digits: str, size: int) -> set[str]:
    """Give the groups of so many digits, 3 or 4: two digits are one character, and the rest of them another."""
    return {
        chr(_TWO_DIGITS + int(digits[place : place + 2])) + _rest(digits[place + 2 : place + size])
        for place in range(len(digits) - size + 1)
    }


def _rest(digits: str) -> str:
    return digits if len(digits) == 1 else chr(_TWO_DIGITS + int(digits))


def _groups_at_best(text: str) -> set[str]:
    """Give the groups by which digits are looked for: the larger ones, of which fewer records have each."""
    return {group for digits in _DIGITS.findall(text) for group in _groups(digits, min(len(digits), 4))}


def _at_best(text: str) -> set[str]:
    """Give the groups, and the pairs that are worth looking for beside them."""
    found = pairs(text)
    for digits in _DIGITS.findall(text):
        found -= pairs(digits)
    return found | _groups_at_best(text)


def _other_than_digits(text: str) -> set[str]:
    return {pair for pair in pairs(text) if not (pair.isascii() and pair.isdigit())}
