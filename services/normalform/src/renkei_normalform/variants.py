"""Characters that are written one for another: 髙 and 高, 邊 and 辺, 澤 and 沢. See hatch_build.py."""

from typing import Final

from renkei_normalform.tables.variants import VARIANTS

FOLD: Final = {ord(variant): character for variant, character in VARIANTS.items()}


def fold_variants(text: str) -> str:
    """Write each variant as the character that it is written for."""
    return text.translate(FOLD)
