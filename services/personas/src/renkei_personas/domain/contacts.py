"""What the words of an entry may not say, and the chain that its entries hang on."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final

ENTRY_TAG: Final = b"renkei-persona-entry-v1\0"
NO_HEAD: Final = bytes(32)
"""The head before the first entry."""

# What an officer would write who did more than listen and answer. A net beside the officer's own statement, never
# instead of it; words about the offender that are caught are vouched for with `of_offender_only`.
_PHRASES: Final = (
    "当方から提案",
    "当方が提案",
    "私が提案",
    "私から提案",
    "捜査員が提案",
    "捜査員から提案",
    "犯行を持ちかけた",
    "道具を渡した",
    "道具を用意した",
    "車両を提供した",
    "資金を渡した",
    "犯行に参加",
    "犯行に加担",
    "実行に加わ",
    "見張りをした",
    "iproposed",
    "weproposed",
    "theofficerproposed",
    "tookpartin",
    "isupplied",
    "wesupplied",
    "iparticipated",
    "weparticipated",
)


def sounds_like_taking_part(text: str) -> bool:
    """Tell whether the words say that officers proposed, supplied means or took part."""
    plain = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return any(phrase in plain for phrase in _PHRASES)


def chained(head: bytes, content: bytes) -> bytes:
    """Give the head after an entry: SHA-256(tag ‖ the head before ‖ the entry's bytes)."""
    return hashlib.sha256(ENTRY_TAG + head + content).digest()
