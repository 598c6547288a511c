"""Planted markers: random texts by which a leak check finds a record's content in any file's bytes.

Each record carries two. `text` stands in its words and travels where the record is released in full.
`home` stands in fields that never leave (the number in the force's own system, the person, the exhibit
number), so it must be found at the originator and nowhere else, whatever the label says.

Each is written twice without a gap. SQLite puts what is too long for a page into pieces, each of at least
489 bytes but for the last, so at most one cut falls into the two copies, and one of them stands whole in
some page: a search of raw bytes finds it, also in pages that no table holds any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

    from google.protobuf.message import Message

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LENGTH: Final = 20
_COPIES: Final = 2
PREFIX: Final = "RKMK-"
# One literal beginning for both kinds: the search for it is one fast pass over a file.
PATTERN: Final = re.compile(rb"RKMK-[TH][A-Z2-7]{20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """The two markers of one record."""

    text: str
    home: str

    @property
    def planted_text(self) -> str:
        """What is written into the record's words."""
        return self.text * _COPIES

    @property
    def planted_home(self) -> str:
        """What is written into the fields that never leave."""
        return self.home * _COPIES


def make_markers(chance: random.Random) -> Markers:
    """Draw the markers of one record: 100 random bits each."""
    return Markers(text=_marker(chance, "T"), home=_marker(chance, "H"))


def _marker(chance: random.Random, kind: str) -> str:
    return PREFIX + kind + "".join(chance.choices(_ALPHABET, k=_LENGTH))


def find_markers(record: Message) -> Markers:
    """Find the two markers in a record that carries them. Raises ValueError where one is missing."""
    found = {bytes(marker).decode() for marker in PATTERN.findall(record.SerializeToString())}
    kinds = {marker.removeprefix(PREFIX)[0]: marker for marker in found}
    if kinds.keys() != {"T", "H"}:
        raise ValueError("the record does not carry exactly one marker of each kind")
    return Markers(text=kinds["T"], home=kinds["H"])
