"""Read an @handle as platform:name in lower case, from @name with its platform or from a link to the profile."""

import re
from typing import Final

from renkei_normalform.forms import UNKNOWN_PLATFORM
from renkei_normalform.links import armed
from renkei_normalform.refusal import NotAnIdentifier, Reason

# What each platform lets people register. Signal's names end in a dot and at least two digits.
_NAMES: Final = {
    "x": re.compile(r"[a-z0-9_]{1,15}"),
    "telegram": re.compile(r"(?=.{4,32}\Z)[a-z][a-z0-9]*(?:_[a-z0-9]+)*"),
    "signal": re.compile(r"[a-z_][a-z0-9_]{2,31}\.(?:0[1-9]|[1-9][0-9]{1,8})"),
    "instagram": re.compile(r"(?=.{1,30}\Z)[a-z0-9_]+(?:\.[a-z0-9_]+)*"),
    UNKNOWN_PLATFORM: re.compile(r"(?=.{1,42}\Z)[a-z0-9_]+(?:\.[a-z0-9_]+)*"),
}
_SPELLINGS: Final = {
    "x": ("x(旧twitter)", "x(twitter)", "旧twitter", "twitter", "ツイッター", "エックス", "x"),
    "telegram": ("telegram", "テレグラム", "テレグラ", "テレ", "tg"),
    "signal": ("signal", "シグナル"),
    "instagram": ("instagram", "インスタグラム", "インスタ", "insta", "ig"),
    UNKNOWN_PLATFORM: (UNKNOWN_PLATFORM,),
}
_PLATFORMS: Final = {spelling: platform for platform, all_of_it in _SPELLINGS.items() for spelling in all_of_it}
_ANY_PLATFORM: Final = "|".join(re.escape(spelling) for spelling in sorted(_PLATFORMS, key=len, reverse=True))
_PLATFORM_FIRST: Final = re.compile(rf"({_ANY_PLATFORM})( ?[:/] ?@?| @?|@)([^ :/@]+)")
_PLATFORM_BEHIND: Final = re.compile(rf"@?([^ :/@()\[\]]+) ?[(\[]({_ANY_PLATFORM})[)\]]")
# insta@example.jp is an address, insta @example.jp an account.
_MAIL_DOMAIN: Final = re.compile(r"\.[a-z]+\Z")
_BARE: Final = re.compile(r"@([^ :/@]+)")

_LINK: Final = re.compile(r"(?:https?://)?(?:www\.|m\.|mobile\.)?([a-z.]+)/([^?#]*)(.*)")
_TELEGRAM_SUBDOMAIN: Final = re.compile(r"(?:https?://)?([a-z0-9_]+)\.t\.me/?")
_TELEGRAM_SCHEME: Final = re.compile(r"tg:(?://)?resolve\?domain=([a-z0-9_]+)(?:&.*)?")
_TELEGRAM_WEB: Final = re.compile(r"(?:https?://)?web\.telegram\.org/(?:[akz]/)?#@([a-z0-9_]+)")
_X_INTENT: Final = re.compile(
    r"(?:https?://)?(?:x|twitter)\.com/intent/(?:user|follow)\?screen_name=([a-z0-9_]+)(?:&.*)?"
)
_HOSTS: Final = {
    "x.com": "x",
    "twitter.com": "x",
    # Mirrors that people paste so that a post shows in a chat.
    "fxtwitter.com": "x",
    "vxtwitter.com": "x",
    "fixupx.com": "x",
    "nitter.net": "x",
    "t.me": "telegram",
    "telegram.me": "telegram",
    "telegram.dog": "telegram",
    "instagram.com": "instagram",
    "instagr.am": "instagram",
    "ig.me": "instagram",
    # Links of Signal hold a sealed name or a telephone number, never a name that can be read.
    "signal.me": "signal",
    "signal.group": "signal",
}
# Pages of the platform itself, and links to posts, groups and stickers: the next word is no account.
_PAGES: Final = {
    "x": "i home search hashtag intent share explore settings messages notifications login logout signup tos privacy"
    " compose about jobs download",
    "telegram": "joinchat addstickers addemoji addtheme addlist share proxy socks iv c login confirmphone setlanguage"
    " bg contact boost invoice giftcode m",
    "signal": "",
    "instagram": "p reel reels tv stories explore accounts direct about developer legal web challenge privacy",
}
_IN_FRONT: Final = frozenset({("telegram", "s"), ("instagram", "stories"), ("instagram", "_u"), ("instagram", "m")})
_NOT_NAMES: Final = {platform: frozenset(pages.split()) for platform, pages in _PAGES.items()}


def read(text: str) -> str:
    """Return platform:name. Letters that look alike stay apart here: on every platform they are different accounts.

    A bare @name becomes unknown:name, which equals no name with a platform.
    """
    text = " ".join(armed(text).lower().split())
    link = _from_link(text)
    if link:
        return _checked(*link)
    if first := _PLATFORM_FIRST.fullmatch(text):
        if first[2] == "@" and _MAIL_DOMAIN.search(first[3]):
            raise NotAnIdentifier(Reason.WRONG_SHAPE)
        return _checked(_PLATFORMS[first[1]], first[3])
    if behind := _PLATFORM_BEHIND.fullmatch(text):
        return _checked(_PLATFORMS[behind[2]], behind[1])
    if bare := _BARE.fullmatch(text):
        return _checked(UNKNOWN_PLATFORM, bare[1])
    raise NotAnIdentifier(Reason.WRONG_SHAPE if "@" in text else Reason.PLATFORM_MISSING)


def _from_link(text: str) -> tuple[str, str] | None:
    if special := _TELEGRAM_SCHEME.fullmatch(text) or _TELEGRAM_SUBDOMAIN.fullmatch(text):
        return "telegram", special[1]
    if special := _TELEGRAM_WEB.fullmatch(text):
        return "telegram", special[1]
    if special := _X_INTENT.fullmatch(text):
        return "x", special[1]
    link = _LINK.fullmatch(text)
    if not link or link[1] not in _HOSTS:
        return None
    platform = _HOSTS[link[1]]
    path = link[2].strip("/ ").split("/")
    # t.me/s/name is the public preview of name, and a story stands under its teller.
    if path[1:] and (platform, path[0]) in _IN_FRONT:
        path = path[1:]
    name = path[0].removeprefix("@")
    if platform == "signal" or not name or name.startswith("+") or name in _NOT_NAMES[platform]:
        raise NotAnIdentifier(Reason.NOT_A_PROFILE)
    return platform, name


def _checked(platform: str, name: str) -> str:
    if not name.isascii():
        raise NotAnIdentifier(Reason.UNEXPECTED_CHARACTER)
    if not _NAMES[platform].fullmatch(name):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return f"{platform}:{name}"
