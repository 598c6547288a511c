"""Invent a few thousand tips and arrests and write them as forces export them: cp932 CSV, a file an agency and kind.

Seeded: the same seed gives the same files. Nothing in them is real. The cases are invented and lie in
2025, the real series in 2024. Each record carries two planted markers, and an identifier stands in two
records only where `coincidences` put it there.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from renkei_files import write_wareki
from renkei_node.demo import columns as c
from renkei_node.demo.agencies import BY_CODE, CODES
from renkei_node.demo.identifiers import IdentifierSource, Invented, spell
from renkei_node.demo.markers import make_markers
from renkei_normalform import IdentifierType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FIRST_DAY: Final = date(2025, 6, 2)
_DAYS: Final = 180
_ARRESTS_OF: Final = 5  # one record in five
_GROUP_OF: Final = 100  # one deliberate coincidence for so many records
_COLUMN_OF: Final = {
    IdentifierType.PHONE: c.PHONE,
    IdentifierType.BANK_ACCOUNT: c.ACCOUNT,
    IdentifierType.HANDLE: c.HANDLE,
    IdentifierType.VEHICLE_PLATE: c.PLATE,
}
_TITLES: Final = ("高額報酬の募集", "即日即金の募集", "不審な勧誘", "荷物の受取の依頼", "口座の買取の勧誘")
_TEXTS: Final = (
    "SNSで「ホワイト案件」をうたう募集を確認。",
    "知人が荷物の受取を頼まれたとの申出。",
    "高額報酬をうたう勧誘があったとの申出。",
    "見知らぬ者から連絡先の交換を求められたとの申出。",
)
_OFFENCES: Final = ("強盗予備", "窃盗", "詐欺", "建造物侵入")
_ITEMS: Final = ("スマートフォン1台", "携帯電話1台", "タブレット1台")
_FAMILY: Final = ("演習", "仮名", "架空")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One file of one agency."""

    code: str
    collection: str
    """`tips` or `arrests`."""
    path: Path
    rows: int


def write_exports(directory: Path, *, records: int, seed: int = 20251) -> list[Export]:
    """Write about `records` invented records for the seven agencies into `directory`. Blocks."""
    chance = random.Random(seed)  # noqa: S311 (invented data, no secrets)
    invent = _Inventor(chance)
    shared = _coincidences(chance, invent.source, records)
    rows: dict[tuple[str, str], list[Mapping[str, str]]] = {
        (code, collection): [] for code in CODES for collection in ("tips", "arrests")
    }
    for number in range(records):
        code = CODES[number % len(CODES)]
        together = shared.get(number)
        if number % _ARRESTS_OF == _ARRESTS_OF - 1:
            rows[code, "arrests"].append(invent.arrest(number, code, together))
        else:
            rows[code, "tips"].append(invent.tip(number, code, together))
    exports = []
    for (code, collection), content in rows.items():
        path = directory / f"{code}-{collection}.csv"
        header = c.TIP_COLUMNS if collection == "tips" else c.ARREST_COLUMNS
        _write(path, header, content)
        exports.append(Export(code=code, collection=collection, path=path, rows=len(content)))
    return exports


def _write(path: Path, header: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding=c.ENCODING, errors="strict", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(header))
        writer.writeheader()
        writer.writerows(rows)


def _coincidences(chance: random.Random, source: IdentifierSource, records: int) -> dict[int, Invented]:
    """Choose records of two or three neighbouring agencies in the list that share one identifier."""
    shared: dict[int, Invented] = {}
    starts = range(0, records - len(CODES), _GROUP_OF)
    draws = (source.phone, source.account, source.plate)
    for index, start in enumerate(starts):
        identifier = draws[index % len(draws)]()
        for offset in sorted(chance.sample(range(len(CODES)), chance.choice((2, 3)))):
            shared[start + offset] = identifier
    return shared


class _Inventor:
    """Makes rows, one after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.source = IdentifierSource(chance)

    def tip(self, number: int, code: str, shared: Invented | None) -> Mapping[str, str]:
        chance = self._chance
        markers = make_markers(chance)
        return {
            **self._common(number, code, shared, home=markers.planted_home),
            c.OBSERVED: self._moment(number),
            c.SOURCE: chance.choice(c.SOURCES),
            c.RELIABILITY: chance.choice("ABCX"),
            c.ACCURACY: chance.choice("1234"),
            c.TITLE: chance.choice(_TITLES),
            c.TEXT: f"{chance.choice(_TEXTS)}({c.NOTE}){markers.planted_text}",
            c.PROVENANCE: chance.choice(c.PROVENANCES),
        }

    def arrest(self, number: int, code: str, shared: Invented | None) -> Mapping[str, str]:
        chance = self._chance
        markers = make_markers(chance)
        birth = date(1980, 1, 1) + timedelta(days=chance.randrange(9000))
        return {
            **self._common(number, code, shared, home=markers.planted_home),
            c.RESTRAINED: self._moment(number),
            c.KIND: chance.choice(c.KINDS),
            c.OFFENCE: chance.choice(_OFFENCES),
            c.PERSON: f"{chance.choice(_FAMILY)}太郎{markers.planted_home}",
            c.KANA: "エンシュウ タロウ",
            c.BIRTH: write_wareki(birth),
            c.ROLE: chance.choice(c.ROLES),
            c.TEXT: f"{chance.choice(_TEXTS)}({c.NOTE}){markers.planted_text}",
            c.ITEM: chance.choice(_ITEMS),
            c.EXHIBIT: f"演押{number}",
            c.ADDRESS_BOOK: ";".join(
                spell(self.source.phone(address_book=True), chance) for _ in range(chance.randrange(4))
            ),
        }

    def _common(self, number: int, code: str, shared: Invented | None, *, home: str) -> dict[str, str]:
        chance = self._chance
        found = [shared] if shared is not None else []
        draws = [self.source.phone, self.source.account, self.source.handle, self.source.plate]
        taken = {identifier.type for identifier in found}
        found += [
            identifier
            for draw in chance.sample(draws, chance.randrange(1, 3))
            if (identifier := draw()).type not in taken
        ]
        row = dict.fromkeys(_COLUMN_OF.values(), "")
        row.update({_COLUMN_OF[identifier.type]: spell(identifier, chance) for identifier in found})
        release, names = self._label(code, together=shared is not None)
        return {
            **row,
            c.PHONE_RELATION: chance.choice(c.RELATIONS) if row[c.PHONE] else "",
            c.REFERENCE: f"演{home}",
            c.CASE: f"演習R7-{number // 40 + 1:04}",
            c.PURPOSE: chance.choice(c.PURPOSES),
            c.RELEASED_TO: "、".join(names),
            c.RELEASE: release,
            c.CAVEAT: "",
            c.REMARK: c.NOTE,
        }

    def _label(self, code: str, *, together: bool) -> tuple[str, list[str]]:
        """Choose who gets the record; those that are to coincide go to everybody."""
        others = [other for other in CODES if other != code]
        if together:
            return c.IN_FULL, [BY_CODE[other].display_name for other in others]
        release = self._chance.choices((c.NO_RELEASE, c.IN_FULL, c.INDEX_ONLY), weights=(45, 35, 20))[0]
        if release == c.NO_RELEASE:
            return release, []
        chosen = self._chance.sample(others, self._chance.randrange(1, 4))
        return release, [BY_CODE[other].display_name for other in sorted(chosen)]

    def _moment(self, number: int) -> str:
        day = FIRST_DAY + timedelta(days=number % _DAYS)
        hour, minute = self._chance.randrange(24), self._chance.randrange(60)
        written = self._chance.choice(
            (f"{day:%Y/%m/%d} {hour:02}:{minute:02}", f"{write_wareki(day)} {hour}時{minute}分")
        )
        return written.translate(_FULL_WIDTH) if self._chance.random() < 0.1 else written  # noqa: PLR2004 (a tenth)


_FULL_WIDTH: Final = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
