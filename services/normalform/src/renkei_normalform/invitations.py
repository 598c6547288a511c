"""Read a link that leads into a group or to a hidden account: platform:token, with the token's case as it is."""

import re
from typing import Final

from renkei_normalform.links import armed
from renkei_normalform.refusal import NotAnIdentifier, Reason

_TOKEN: Final = r"([A-Za-z0-9_=-]{6,200})"  # noqa: S105 (a pattern)
_HTTP: Final = r"(?:https?://)?(?:www\.)?"
_TELEGRAM: Final = rf"{_HTTP}(?:t\.me|telegram\.(?:me|dog))"
# What stands in front of the token in the normal form, and what leads to it.
_FORMS: Final = (
    # Telegram puts a telephone number behind the same plus.
    ("telegram:+", rf"{_TELEGRAM}/(?:\+(?![0-9]+(?:\Z|[?/#]))|joinchat/){_TOKEN}(?:[/?#].*)?"),
    ("telegram:+", rf"tg:(?://)?join\?invite={_TOKEN}(?:&.*)?"),
    ("telegram:list/", rf"{_TELEGRAM}/addlist/{_TOKEN}(?:[/?#].*)?"),
    ("signal:group/", rf"(?:{_HTTP}|sgnl://)signal\.group/?#{_TOKEN}"),
    ("signal:eu/", rf"(?:{_HTTP}|sgnl://)signal\.me/?#eu/{_TOKEN}"),
    ("x:community/", rf"{_HTTP}(?:mobile\.)?(?:x|twitter)\.com/i/communities/([0-9]{{6,20}})(?:[/?#].*)?"),
    ("instagram:group/", rf"{_HTTP}ig\.me/j/{_TOKEN}(?:[/?#].*)?"),
    ("instagram:channel/", rf"{_HTTP}instagram\.com/channel/{_TOKEN}(?:[/?#].*)?"),
)
_READERS: Final = tuple((front, re.compile(pattern, re.IGNORECASE)) for front, pattern in _FORMS)
_FRONTS: Final = "|".join(sorted({re.escape(front) for front, _ in _FORMS}, key=len, reverse=True))
_NORMAL: Final = re.compile(rf"({_FRONTS}){_TOKEN}")


def read(text: str) -> str:
    """Return the invitation. It names no person: who follows it meets a group, or an account that shows no name."""
    if _NORMAL.fullmatch(text):
        return text
    text = armed("".join(text.split()))
    for front, reader in _READERS:
        if found := reader.fullmatch(text):
            return front + found[1]
    raise NotAnIdentifier(Reason.NOT_AN_INVITATION)
