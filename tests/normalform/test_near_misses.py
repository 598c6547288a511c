"""Two identifiers that look alike and are not the same: a false merge accuses somebody."""

from itertools import combinations
from typing import Final

import pytest

from renkei_normalform import IdentifierType, NotAnIdentifier, normalize

# Every line is another identifier, or none at all.
_DIFFERENT: Final = {
    IdentifierType.PHONE: [
        "090-1234-5678", "090-1234-5679", "080-1234-5678", "070-1234-5678", "050-1234-5678", "03-1234-5678",
        "06-1234-5678", "0120-123-456", "0800-123-4567", "0570-123-456", "+1 202 555 0123", "+44 20 7946 0000",
        "+82 10-1234-5678", "+86 138 1234 5678", "+1 901 234 5678", "03-1234-5679", "03-1243-5678",
        "03-1234-5678 内線 12", "9012345678", "90-1234-5678", "110", "+61 491 570 006",
    ],
    IdentifierType.BANK_ACCOUNT: [
        "0999-001-普通-0000001", "0999-001-当座-0000001", "0999-001-貯蓄-0000001", "0999-010-普通-0000001",
        "0999-100-普通-0000001", "0990-001-普通-0000001", "0999-001-普通-0000010", "0999-001-普通-1000000",
        "0999-001-普通-1000001", "0999-000-普通-0000001", "0999-001-普通-0000011", "0999-001-0000001",
        "0999-001-普通-10000001", "999-001-普通-0000001", "0999-01-普通-0000001",
    ],
    IdentifierType.HANDLE: [
        "@zeta01", "X:zeta01", "telegram:zeta01", "instagram:zeta01", "signal:zeta.01", "instagram:zeta.01", "@zeta.01",
        "X:zetaO1", "X:zetal1", "X:zeta_01", "X:_zeta01", "X:zeta01_", "X:zeta1", "X:zetа01", "instagram:zeta_01",
        "telegram:zeta_01", "signal:zeta.011", "signal:zeta.101", "instagram:zeta0.1", "https://t.me/+zeta01", "zeta01",
    ],
    IdentifierType.VEHICLE_PLATE: [
        "品川300あ1234", "品川300い1234", "品川301あ1234", "品川30あ1234", "品川3あ1234", "品川30Aあ1234",
        "横浜300あ1234", "品川300あ1243", "品川300あ123", "品川300あ234", "品川300あ12", "品川300あ21", "品川300あ1200",
        "品川300あ120", "品川300お1234", "山口300あ1234", "山形300あ1234", "川口300あ1234", "川崎300あ1234",
        "春日部300あ1234", "春日井300あ1234", "福島300あ1234", "福山300あ1234", "三重300あ1234", "三河300あ1234",
        "豊田300あ1234", "豊橋300あ1234", "品川300わ1234", "品川300れ1234", "品川300ね1234", "品川300ぬ1234",
        "品川300め1234", "品川300は1234", "品川300ほ1234", "品川300Y1234", "品川30Y1234", "品川3・0あ1234",
        "品川300あ1・・4",
    ],
}  # fmt: skip


def _read(kind: IdentifierType, text: str) -> str | None:
    try:
        return normalize(kind, text).value
    except NotAnIdentifier:
        return None


@pytest.mark.parametrize("kind", IdentifierType)
def test_identifiers_that_nearly_agree_never_merge(kind: IdentifierType) -> None:
    values = [(text, _read(kind, text)) for text in _DIFFERENT[kind]]

    merged = [(a, b) for (a, one), (b, other) in combinations(values, 2) if one is not None and one == other]

    assert merged == []


@pytest.mark.parametrize("kind", IdentifierType)
def test_most_of_the_near_misses_are_read(kind: IdentifierType) -> None:
    """Refusing everything would merge nothing either."""
    values = [_read(kind, text) for text in _DIFFERENT[kind]]

    assert sum(value is not None for value in values) >= 0.7 * len(values)
