"""Own tips and copies, what happens to them by chance, and what reading each of them finds: slow and obvious."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRecorded, TipRevised, TipWithdrawn
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.ids import uuid7
from renkei_normalform import fold_text, search_fragment
from renkei_tips.domain.identifiers import normal_form, searchable
from tests.agency import SAPPORO, TOKYO
from tests.tips.calls import HANDLE, a_tip, an_occurrence

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from renkei.identifiers.v1.identifiers_pb2 import Occurrence

    from tests.agency import Agency
    from tests.tips.calls import Tips

SPELLINGS: Final = [
    "山田",
    "ﾔﾏﾀﾞ",
    "ヤマダ",
    "やまだ",
    "髙﨑",
    "高崎",
    "バイト",
    "ﾊﾞｲﾄ",
    "090-1234",
    "０９０ー１２３４",
    "Ａ社",
    "a",
]
_PHONES: Final = ("090-1234-5678", "０８０ー１２３４ー０００１", "070-5678-1234", "080-9012-3456")
_HANDLES: Final = ("@renkei_demo_0901", "https://t.me/Renkei_Demo_02", "内線4711", "demo1234")


def a_text(chance: random.Random) -> str:
    return "".join(chance.choice((*SPELLINGS, "、", "\n", " ")) for _ in range(chance.randint(1, 6)))


def some_identifiers(chance: random.Random) -> list[Occurrence]:
    """Give occurrences in normal form, as whoever releases a tip has them."""
    made = [an_occurrence(chance.choice(_PHONES)) for _ in range(chance.randint(0, 2))]
    made += [an_occurrence(chance.choice(_HANDLES), kind=HANDLE) for _ in range(chance.randint(0, 1))]
    for occurrence in made:
        identifier = occurrence.identifier
        kind = "PHONE" if identifier.type != HANDLE else "HANDLE"
        identifier.normal_form, identifier.normal_form_version = normal_form(kind, identifier.original)
    return made


class House:
    """Tips as they come and go."""

    def __init__(self, agency: Agency, tips: Tips, chance: random.Random) -> None:
        self._agency, self._tips, self._chance = agency, tips, chance
        self.own: dict[str, Tip] = {}
        self.copies: dict[str, Tip] = {}

    async def act(self) -> None:
        acts = [self.create, self.create, self.bring]
        if self.own:
            acts += [self.update, self.delete]
        if self.copies:
            acts += [self.revise, self.withdraw]
        await self._chance.choice(acts)()

    async def create(self) -> None:
        title = self._chance.choice(("", "山田"))
        tip = a_tip(display_name=title, text=a_text(self._chance), identifiers=some_identifiers(self._chance))
        made = await self._tips.create(tip)
        self.own[made.name] = made

    async def update(self) -> None:
        tip = self.own[self._chance.choice(sorted(self.own))]
        self._change(tip)
        self.own[tip.name] = await self._tips.update(tip, "text", "identifiers")

    async def delete(self) -> None:
        gone = self.own.pop(self._chance.choice(sorted(self.own)))
        await self._tips.delete(gone.name)
        if self._chance.random() < 0.3:
            self.own[gone.name] = await self._tips.undelete(gone.name)

    async def bring(self) -> None:
        tip = received(self._chance.choice((TOKYO, SAPPORO)), a_text(self._chance))
        tip.identifiers.extend(some_identifiers(self._chance))
        self.copies[tip.name] = tip
        await self._agency.bring(TipRecorded(tip=tip), grade=GRADE_FULL, origin=origin_of(tip))

    async def revise(self) -> None:
        tip = self.copies[self._chance.choice(sorted(self.copies))]
        tip.version += 1
        self._change(tip)
        await self._agency.bring(TipRevised(tip=tip), grade=GRADE_FULL, origin=origin_of(tip))

    async def withdraw(self) -> None:
        gone = self.copies.pop(self._chance.choice(sorted(self.copies)))
        event = TipWithdrawn(name=gone.name, version=gone.version)
        await self._agency.bring(event, grade=GRADE_FULL, origin=origin_of(gone))

    def there(self) -> list[Tip]:
        return [*self.own.values(), *self.copies.values()]

    def _change(self, tip: Tip) -> None:
        tip.text = a_text(self._chance)
        del tip.identifiers[:]
        tip.identifiers.extend(some_identifiers(self._chance))


def with_words(tips: Iterable[Tip], text: str) -> list[str]:
    """Name the tips that a search for words finds, in its order."""

    def has(tip: Tip, *, written: bool) -> bool:
        def inside(term: str, field: str) -> bool:
            return fold_text(term) in fold_text(field) and (not written or term in field)

        return all(any(inside(term, field) for field in (tip.display_name, tip.text)) for term in terms)

    terms = [term for term in text.split() if fold_text(term)]
    found = [tip for tip in tips if has(tip, written=False)]
    found.sort(key=lambda tip: (has(tip, written=True), tip.name.rpartition("/")[2]), reverse=True)
    return [tip.name for tip in found]


def with_part(tips: Iterable[Tip], part: str, *, of: int = 0) -> list[str]:
    """Name the tips that a search for a part of an identifier finds, of one type where one is told, in its order."""

    def has(tip: Tip) -> bool:
        return any(
            search_fragment(part) in searchable(found.normal_form, found.original)
            for found in (occurrence.identifier for occurrence in tip.identifiers)
            if of in {0, found.type}
        )

    return sorted((tip.name for tip in tips if has(tip)), key=lambda name: name.rpartition("/")[2], reverse=True)


def received(agency: str, text: str) -> Tip:
    """Make a tip as another agency releases it."""
    tip = a_tip(display_name="", text=text, name=f"{agency}/tips/{uuid7()}", version=1, state=Tip.STATE_RECEIVED)
    tip.create_time.GetCurrentTime()
    return tip


def origin_of(tip: Tip) -> str:
    return tip.name.partition("/tips/")[0]
