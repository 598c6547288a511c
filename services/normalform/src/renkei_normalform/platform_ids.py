"""Read the number or id by which a platform itself knows an account: it stays when the @handle is sold or changed."""

import re
from typing import Final

from renkei_normalform.links import armed
from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES

_WORDS: Final = {
    "x": ("x(旧twitter)", "twitter", "ツイッター", "エックス", "x"),
    "telegram": ("telegram", "テレグラム", "テレグラ", "テレ", "tg"),
    "signal": ("signal", "シグナル"),
    "instagram": ("instagram", "インスタグラム", "インスタ", "insta", "ig"),
}
_PLATFORMS: Final = {word: platform for platform, words in _WORDS.items() for word in words}
_ANY: Final = "|".join(re.escape(word) for word in sorted(_PLATFORMS, key=len, reverse=True))
_ID_WORD: Final = r"(?:の?(?:ユーザー?|アカウント|内部|数値)?id|の?ユーザー番号|user[ _]?id|aci|uuid)?"
_WRITTEN: Final = re.compile(rf"({_ANY})[ _]?{_ID_WORD}[ :=#]{{0,3}}(-?[0-9a-f-]+)")
_LINKED: Final = (
    ("telegram", re.compile(r"tg://(?:user\?id=|openmessage\?user_id=)([0-9]+)")),
    ("x", re.compile(r"(?:https?://)?(?:www\.)?(?:x|twitter)\.com/i/user/([0-9]+)/?(?:\?.*)?")),
    ("x", re.compile(r"(?:https?://)?(?:www\.)?(?:x|twitter)\.com/intent/user\?user_id=([0-9]+)(?:&.*)?")),
)
_SHAPES: Final = {
    "x": re.compile(r"[1-9][0-9]{0,19}"),
    # Groups and channels have -100 in front; a user's number has at most 52 bits.
    "telegram": re.compile(r"[1-9][0-9]{4,15}|-100[1-9][0-9]{6,12}"),
    "signal": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "instagram": re.compile(r"[1-9][0-9]{2,19}"),
}
_HYPHENS: Final = str.maketrans(dict.fromkeys(DASHES.replace("ー", ""), "-"))


def read(text: str) -> str:
    """Return platform:id as it is; the platform must be written, for a bare number could be anybody's."""
    text = " ".join(armed(text.lower()).split()).translate(_HYPHENS)
    for platform, link in _LINKED:
        if found := link.fullmatch(text):
            return _checked(platform, found[1])
    written = _WRITTEN.fullmatch(text)
    if not written:
        raise NotAnIdentifier(Reason.PLATFORM_MISSING if text[:1].isdecimal() else Reason.WRONG_SHAPE)
    return _checked(_PLATFORMS[written[1]], written[2])


def _checked(platform: str, number: str) -> str:
    if platform == "signal" and "-" not in number and re.fullmatch(r"[0-9a-f]{32}", number):
        number = "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))
    if not _SHAPES[platform].fullmatch(number):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    if not number.strip("0-"):
        raise NotAnIdentifier(Reason.ALL_ZERO)
    return f"{platform}:{number}"
