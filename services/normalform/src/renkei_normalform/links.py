"""Undo what is written into links and handles so that nobody follows them: hxxp, t[.]me, (at)."""

import re
from typing import Final

_SCHEME: Final = re.compile(r"(?<![a-z])h?[tx*]{2}p(s?)(?:\[:\]|:)(?:/{2}|\[/\]/)", re.IGNORECASE)
_DOT: Final = re.compile(
    r" ?[\[({]\.[\])}] ?| ?[\[({] ?(?:dot|ドット) ?[\])}] ?|[。｡·](?=(?:me|com|am|dog|group|org|net)\b)", re.IGNORECASE
)
_AT: Final = re.compile(r"[\[({<] ?(?:at|アット|アットマーク|@) ?[\])}>] ?|アットマーク", re.IGNORECASE)
_SLASH: Final = re.compile(r"[\[(]/[\])]")


def armed(text: str) -> str:
    """Return the text with its links as they were before somebody made them harmless."""
    if text.isascii() and text.isalnum():
        return text
    text = _SCHEME.sub(r"http\1://", text)
    text = _DOT.sub(".", text)
    text = _SLASH.sub("/", text)
    return _AT.sub("@", text)
