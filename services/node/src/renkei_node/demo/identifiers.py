"""Invented identifiers that nobody can have, each drawn once, in the many spellings in which they are met.

Every one of them is valid for the rules that read it, and none can be a real person's:

- telephone numbers are of 020-4, the pagers' range, whose service ended in 2019;
- bank codes are 0990-0999, which no bank has;
- plates end in 42 or 49, which are not issued;
- handles begin with `enshu_` (演習, training).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_normalform import IdentifierType, normalize
from renkei_normalform.plate_places import PLACES

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_FULL_WIDTH: Final = str.maketrans("0123456789-", "0123456789-")
_PLATFORMS: Final = ("telegram", "signal", "x", "instagram")
_KANA: Final = "あいうえかきくけこさすせそたちつてとなにぬねのはひふほまみむめもやゆよらりるれろ"
_CLASSES: Final = ("300", "330", "500", "530", "580")
_WORDS: Final = ("kage", "shiro", "kaze", "tora", "umi", "kumo", "hoshi", "yami")
_SORTED_PLACES: Final = tuple(sorted(PLACES))
_SIGNAL_NUMBERS: Final = 89


@dataclass(frozen=True, slots=True, kw_only=True)
class Invented:
    """One identifier, by its normal form."""

    type: IdentifierType
    form: str


class IdentifierSource:
    """Draws identifiers, none twice: what coincides in the demo does so on purpose."""

    def __init__(self, chance: random.Random) -> None:
        """Take the seeded generator."""
        self._chance = chance
        self._drawn: set[str] = set()

    def phone(self, *, address_book: bool = False) -> Invented:
        """Draw a number. Those of address books have a stretch of their own: no other record may ever show one."""
        first = "49" if address_book else f"4{self._chance.randrange(9)}"
        return self._fresh(IdentifierType.PHONE, lambda: f"020{first}{self._chance.randrange(1_000_000):06}")

    def account(self) -> Invented:
        """Draw a bank account."""
        return self._fresh(
            IdentifierType.BANK_ACCOUNT,
            lambda: (
                f"099{self._chance.randrange(10)}-{self._chance.randrange(100, 999)}"
                f"-{self._chance.choice('124')}-{self._chance.randrange(1, 10_000_000):07}"
            ),
        )

    def plate(self) -> Invented:
        """Draw a vehicle's plate."""
        return self._fresh(
            IdentifierType.VEHICLE_PLATE,
            lambda: (
                f"{self._chance.choice(_SORTED_PLACES)}-{self._chance.choice(_CLASSES)}"
                f"-{self._chance.choice(_KANA)}-{self._chance.randrange(10, 100)}{self._chance.choice(('42', '49'))}"
            ),
        )

    def handle(self) -> Invented:
        """Draw an account's name on one of the platforms."""

        def draw() -> str:
            platform = self._chance.choice(_PLATFORMS)
            number = self._chance.randrange(10_000)
            # X allows fifteen characters, Signal asks for a dot and a number.
            end = (
                f"{number}.{self._chance.randrange(10, 10 + _SIGNAL_NUMBERS)}" if platform == "signal" else f"{number}"
            )
            return f"{platform}:enshu_{self._chance.choice(_WORDS)[:4]}{end}"

        return self._fresh(IdentifierType.HANDLE, draw)

    def _fresh(self, kind: IdentifierType, draw: Callable[[], str]) -> Invented:
        while True:
            form = normalize(kind, draw()).value
            if form not in self._drawn:
                self._drawn.add(form)
                return Invented(type=kind, form=form)


def spell(invented: Invented, chance: random.Random) -> str:
    """Write an identifier as one force or another would; each spelling has the same normal form."""
    match invented.type:
        case IdentifierType.PHONE:
            return _phone(invented.form, chance)
        case IdentifierType.BANK_ACCOUNT:
            bank, branch, kind, number = invented.form.split("-")
            words = {"1": "普通", "2": "当座", "4": "貯蓄"}[kind]
            return chance.choice((invented.form, f"{bank}-{branch} {words} {number}", f"{bank}{branch}{kind}{number}"))
        case IdentifierType.HANDLE:
            platform, name = invented.form.split(":", 1)
            title = {"x": "X", "telegram": "Telegram", "signal": "Signal", "instagram": "インスタ"}[platform]
            return chance.choice((invented.form, f"{title} @{name}", f"{title}: {name}", f"@{name}({title})"))
        case IdentifierType.VEHICLE_PLATE:
            place, class_number, kana, serial = invented.form.split("-")
            dotted = f"{serial[:2]}-{serial[2:]}"
            return chance.choice((f"{place} {class_number} {kana} {dotted}", f"{place}{class_number}{kana}{serial}"))
        case _:
            return invented.form


def _phone(form: str, chance: random.Random) -> str:
    national = "0" + form.removeprefix("+81")
    grouped = f"{national[:3]}-{national[3:7]}-{national[7:]}"
    return chance.choice((grouped, grouped.translate(_FULL_WIDTH), national, f"+81 {grouped[1:]}", form))
