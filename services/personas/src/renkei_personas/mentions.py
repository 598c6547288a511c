"""Find what may be a person's name, or a number, in Japanese words: every run of signs that has the form of one.

Nobody can tell a name from a word by its form, and nothing here tries to: an invented name or number that is written
anywhere in a real record must be another one, whatever it means there.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN: Final = re.compile(
    r"(?P<kanji>[々㐀-鿿豈-﫿\U00020000-\U0003ffff]+)|(?P<kana>[ァ-ヺー]+)|(?P<hira>[ぁ-ゖ]+)|(?P<latin>[a-z]+)"
)
_TWO_KANJI: Final = re.compile(r"[々㐀-鿿豈-﫿\U00020000-\U0003ffff]{2}")
_GAPS: Final = frozenset({" ", "・", "=", ""})
_FORMS: Final = frozenset(
    {
        ("kanji", "kanji"),
        ("kanji", "hira"),
        ("kanji", "kana"),
        ("kana", "kana"),
        ("hira", "hira"),
        ("latin", "latin"),
    }
)
_BEFORE: Final = (
    *("容疑者", "被疑者", "被告人", "被告", "被害者", "参考人"),
    *("氏名", "本名", "名前", "自称", "通称", "指示役", "実行役", "男性", "女性"),
)
_AFTER: Final = ("容疑者", "被疑者", "被告人", "被告", "氏", "様", "君", "殿", "名義", "本人")
_IN_ONE: Final = re.compile(r"[0-9a-z](?:[-‐‑‒–—―−ー.()]?[0-9a-z])+")
_IN_GROUPS: Final = re.compile(r"[0-9a-z](?:[-‐‑‒–—―−ー.() ]{0,2}[0-9a-z])+")
_FEWEST_DIGITS: Final = 6
_SHORTEST, _LONGEST = 3, 20
_SHORTEST_KANJI: Final = 2
_LAST_KANJI: Final = 2
"""How many kanji may follow the kana of a given name: one in まり子."""
_LONGEST_GIVEN: Final = 4
"""How many hiragana a given name has at most; a particle may follow without a gap."""


def names_in(text: str) -> Iterator[str]:
    """Give what may be a name in a text, without gaps: 田中太郎, 田中 太郎, タナカ・タロウ, 田中 はなこ, sato ai."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    earlier: re.Match[str] | None = None
    last: re.Match[str] | None = None
    for run in _RUN.finditer(folded):
        yield from _bare(run[0])
        if last is not None:
            yield from _joined(last, run, folded[last.end() : run.start()])
        if earlier is not None and last is not None:
            yield from _mixed(earlier, last, run, folded[earlier.end() : last.start()])
        earlier, last = last, run


def numbers_in(text: str) -> Iterator[str]:
    """Give what may be the number of a document, telephone or account in a text, in one or in groups with blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    found = {run[0] for form in (_IN_ONE, _IN_GROUPS) for run in form.finditer(folded)}
    yield from (run for run in sorted(found) if sum(sign.isdecimal() for sign in run) >= _FEWEST_DIGITS)


def _mixed(family: re.Match[str], kana: re.Match[str], kanji: re.Match[str], gap: str) -> Iterator[str]:
    """Join a family name and a given name that begins with kana and ends with kanji, such as 鈴木まり子."""
    forms = (family.lastgroup, kana.lastgroup, kanji.lastgroup)
    apart = kana.end() != kanji.start() or len(kana[0]) > _LONGEST_GIVEN or gap not in _GAPS
    if apart or forms not in {("kanji", "hira", "kanji"), ("kanji", "kana", "kanji")}:
        return
    for length in range(1, min(len(kanji[0]), _LAST_KANJI) + 1):
        yield from _bare(family[0] + kana[0] + kanji[0][:length])


def _joined(first: re.Match[str], second: re.Match[str], gap: str) -> Iterator[str]:
    """Join family and given name. Without a gap only kanji and kana are, such as 鈴木まり子's 鈴木まり."""
    form = (first.lastgroup or "", second.lastgroup or "")
    if gap not in _GAPS or form not in _FORMS:
        return
    if second.lastgroup == "hira":
        for length in range(1, min(len(second[0]), _LONGEST_GIVEN) + 1):
            yield from _bare(first[0] + second[0][:length])
    else:
        yield from _bare(first[0] + second[0])


def _bare(text: str) -> Iterator[str]:
    """Give a run as it is, and without what stands before or after a name."""
    if _is_as_long_as_a_name(text):
        yield text
    before = next((word for word in _BEFORE if text.startswith(word)), "") if text.startswith(_BEFORE) else ""
    after = next((word for word in _AFTER if text.endswith(word)), "") if text.endswith(_AFTER) else ""
    if before or after:
        forms = {text.removeprefix(before), text.removesuffix(after), text.removeprefix(before).removesuffix(after)}
        yield from filter(_is_as_long_as_a_name, forms)


def _is_as_long_as_a_name(form: str) -> bool:
    length = len(form)
    return _SHORTEST <= length <= _LONGEST or (length == _SHORTEST_KANJI and _TWO_KANJI.match(form) is not None)
