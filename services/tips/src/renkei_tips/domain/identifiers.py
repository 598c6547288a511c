"""How the identifiers of tips are read: in normal form, and as what a search for a part looks into."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from renkei_normalform import VERSION, IdentifierType, NotAnIdentifier, Reason, normalize, search_fragment, search_key

# Loads repeat identifiers, and reading one costs as much as storing its tip.
_REMEMBERED: Final = 16_384


@lru_cache(_REMEMBERED)
def normal_form(kind: str, original: str) -> tuple[str, int]:
    """Give the normal form and the version of the rules; "" where the text cannot be read as its kind."""
    try:
        form = normalize(IdentifierType(kind), original)
    except NotAnIdentifier:
        return "", VERSION
    return form.value, form.version


@lru_cache(_REMEMBERED)
def serves_all(kind: str, original: str) -> bool:
    """Tell whether what has no normal form is a public service's number, such as 110 or #9110."""
    try:
        normalize(IdentifierType(kind), original)
    except NotAnIdentifier as refused:
        return refused.reason is Reason.SPECIAL_NUMBER
    return False


@lru_cache(_REMEMBERED)
def searchable(value: str, original: str) -> str:
    """Give what a search for a part looks into: the normal form or, for want of one, the original.

    "" where the original holds nothing that could be looked for.
    """
    if value:
        return search_key(value)
    try:
        return search_fragment(original)
    except NotAnIdentifier:
        return ""
