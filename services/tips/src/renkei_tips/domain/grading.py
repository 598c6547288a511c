"""Gradings of other schemes, as tables: 4×4 is what is stored, 3×5×2 and Admiralty are views of it, lossy both ways.

The schemes ask different questions. The second figure of 4×4 and of 3×5×2 says how the source knows;
Admiralty's says how likely it is. So nothing converts without loss, and a conversion takes what is
nearest and never says more than was said: nothing becomes `A` that was not wholly reliable, and
nothing becomes `1`, sure, at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scheme(IntEnum):
    """A scheme; the numbers are the contract's."""

    FOUR_BY_FOUR = 1
    THREE_FIVE_TWO = 2
    ADMIRALTY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grading in 4×4."""

    source: str
    """A, B, C or X."""
    information: str
    """1 to 4."""
    suspected_false: bool = False
    deliberate_deception: bool = False

    @property
    def code(self) -> str:
        """Give both figures."""
        return self.source + self.information


class NotACodeError(ValueError):
    """The text is no code of the scheme."""


# 3×5×2: 1 reliable, 2 untested, 3 not reliable.
SOURCE_TO_THREE: Final[Mapping[str, str]] = MappingProxyType({"A": "1", "B": "1", "C": "3", "X": "2"})
SOURCE_FROM_THREE: Final[Mapping[str, str]] = MappingProxyType({"1": "B", "2": "X", "3": "C"})
# 3×5×2: A known to the source directly, B indirectly and corroborated, C indirectly, D not known, E suspected false.
INFORMATION_TO_FIVE: Final[Mapping[str, str]] = MappingProxyType({"1": "A", "2": "A", "3": "B", "4": "C"})
INFORMATION_FROM_FIVE: Final[Mapping[str, str]] = MappingProxyType({"A": "2", "B": "3", "C": "4", "D": "4", "E": "4"})
_FALSE_IN_FIVE: Final = "E"
# 3×5×2: P may be shared, C with conditions. A tip travels under its label, and a label is a condition.
CONDITIONS: Final = "C"
_HANDLINGS: Final = frozenset({"", "P", "C"})

# Admiralty: A completely, B usually, C fairly, D not usually reliable, E unreliable, F cannot be judged.
SOURCE_TO_ADMIRALTY: Final[Mapping[str, str]] = MappingProxyType({"A": "A", "B": "B", "C": "D", "X": "F"})
SOURCE_FROM_ADMIRALTY: Final[Mapping[str, str]] = MappingProxyType(
    {"A": "A", "B": "B", "C": "B", "D": "C", "E": "C", "F": "X"}
)
# Admiralty: 1 confirmed by other sources, 2 probably, 3 possibly, 4 doubtfully true, 5 improbable, 6 cannot be judged.
# Borne out by what is on record is 2; known to the source itself and to nobody else is 3; neither says nothing: 6.
INFORMATION_TO_ADMIRALTY: Final[Mapping[str, str]] = MappingProxyType({"1": "1", "2": "3", "3": "2", "4": "6"})
# Only 1 says that others bear it out; how the source knows, none of them says.
INFORMATION_FROM_ADMIRALTY: Final[Mapping[str, str]] = MappingProxyType(
    {"1": "3", "2": "4", "3": "4", "4": "4", "5": "4", "6": "4"}
)
_FALSE_IN_ADMIRALTY: Final = "5"


def read(scheme: Scheme, code: str) -> Graded:
    """Convert a code of any scheme to 4×4. Raises NotACodeError."""
    try:
        match scheme:
            case Scheme.FOUR_BY_FOUR:
                source, information = _pair(code)
                _ = SOURCE_TO_THREE[source], INFORMATION_TO_FIVE[information]
                return Graded(source=source, information=information)
            case Scheme.THREE_FIVE_TWO:
                first, second = _pair(code[:2])
                handling = code[2:]
                if handling not in _HANDLINGS:
                    raise NotACodeError(scheme.name)
                return Graded(
                    source=SOURCE_FROM_THREE[first],
                    information=INFORMATION_FROM_FIVE[second],
                    suspected_false=second == _FALSE_IN_FIVE,
                )
            case Scheme.ADMIRALTY:
                first, second = _pair(code)
                return Graded(
                    source=SOURCE_FROM_ADMIRALTY[first],
                    information=INFORMATION_FROM_ADMIRALTY[second],
                    suspected_false=second == _FALSE_IN_ADMIRALTY,
                )
    except KeyError:
        raise NotACodeError(scheme.name) from None


def write(scheme: Scheme, graded: Graded) -> str:
    """Convert a grading of 4×4 to a code of any scheme. What is thought false is said so where the scheme can."""
    false = graded.suspected_false or graded.deliberate_deception
    match scheme:
        case Scheme.FOUR_BY_FOUR:
            return graded.code
        case Scheme.THREE_FIVE_TWO:
            second = _FALSE_IN_FIVE if false else INFORMATION_TO_FIVE[graded.information]
            return SOURCE_TO_THREE[graded.source] + second + CONDITIONS
        case Scheme.ADMIRALTY:
            second = _FALSE_IN_ADMIRALTY if false else INFORMATION_TO_ADMIRALTY[graded.information]
            return SOURCE_TO_ADMIRALTY[graded.source] + second


def _pair(code: str) -> tuple[str, str]:
    if len(code) != 2:  # noqa: PLR2004 (two figures)
        raise NotACodeError
    return code[0], code[1]
