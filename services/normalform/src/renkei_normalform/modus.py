"""Read a code of modus operandi as the agency's own list writes it: upper case, no blanks."""

import re
from typing import Final

from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES

_FOLD: Final = str.maketrans(dict.fromkeys(DASHES, "-") | dict.fromkeys(" \u3000", ""))
_LABEL: Final = re.compile(r"(?:手口(?:番号|コード)?|MO(?=[:： ]))[:= ]*", re.IGNORECASE)
_CODE: Final = re.compile(r"[0-9A-Z][0-9A-Z._/-]{0,31}")


def read(text: str) -> str:
    """Return the code. Whether a list has it is the agency's to know."""
    label = _LABEL.match(text)
    code = (text[label.end() :] if label else text).translate(_FOLD).upper()
    if not _CODE.fullmatch(code) or not any(character.isdigit() for character in code):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return code
