"""How many rows a page has."""

from __future__ import annotations


def page_size(asked: int, *, default: int, largest: int) -> int:
    """0 asks for the default; too many are cut to the largest."""
    return min(asked or default, largest)
