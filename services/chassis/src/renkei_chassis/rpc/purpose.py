"""Why somebody asks: the id of a purpose, which travels with a call and stands in the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER: Final = "renkei-purpose"
"""The id under which whoever sends it keeps the words: it is logged, and never the words."""
_ID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def purpose_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """Give the id of the purpose that a caller names, or nothing; a UUID, for nothing else may stand in the log.

    Raises MALFORMED_REQUEST for anything else.
    """
    for key, value in metadata or ():
        if key == HEADER:
            if isinstance(value, bytes) or _ID.fullmatch(value) is None:
                raise InvalidArgument("MALFORMED_REQUEST", f"{HEADER} is not a UUID")
            return value
    return ""
