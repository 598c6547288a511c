"""Make texts safe for a spreadsheet, which takes some cells for formulas and runs them."""

from __future__ import annotations

import re
from typing import Final

# What a spreadsheet takes for the begin of a formula, in either width; a tab or line end may stand before it.
_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def inert(text: str) -> str:
    """Make a text safe as a cell: one that a spreadsheet would run gets an apostrophe in front, NUL and its like go."""
    text = _CONTROL.sub("\ufffd", text)
    return f"'{text}" if _FORMULA.match(text) else text
