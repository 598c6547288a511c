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
    IdentifierType.IMEI: [
        "490154203237518", "490154203237526", "490154203237534", "490154203237419", "356938035643809",
        "4901542032374001", "490154203237519", "49015420323751",
    ],
    IdentifierType.ICCID: [
        "8981100000000000002", "8981100000000000010", "89811000000000000012", "89811000000000000020",
        "8981100000000000101", "898110000000000000",
    ],
    IdentifierType.IMSI: [
        "440101234567890", "440101234567891", "440111234567890", "441101234567890", "44010123456789", "310150123456789",
    ],
    IdentifierType.PLATFORM_ACCOUNT_ID: [
        "telegram:123456789", "telegram:123456780", "telegram:12345678", "telegram:-1001234567890", "x:123456789",
        "instagram:123456789", "telegram:1001234567890", "signal:01234567-89ab-4def-8123-456789abcdef",
        "signal:01234567-89ab-4def-8123-456789abcdee", "123456789",
    ],
    IdentifierType.INVITE_LINK: [
        "https://t.me/+AbCdEfGh12345678", "https://t.me/+abcdefgh12345678", "https://t.me/+AbCdEfGh12345679",
        "https://t.me/addlist/AbCdEfGh12345678", "https://signal.group/#AbCdEfGh12345678",
        "https://signal.me/#eu/AbCdEfGh12345678", "https://ig.me/j/AbCdEfGh12345678",
        "https://www.instagram.com/channel/AbCdEfGh12345678", "https://x.com/i/communities/12345678",
        "https://t.me/+AbCdEfGhl2345678", "https://t.me/AbCdEfGh12345678", "https://t.me/+819012345678",
    ],
    IdentifierType.PLACE: [
        "東京都新宿区西新宿2-8-1", "東京都新宿区西新宿2-9-1", "東京都新宿区西新宿2-81", "東京都新宿区西新宿28-1",
        "東京都新宿区西新宿12-8-1", "東京都新宿区北新宿2-8-1", "東京都千代田区一番町2-8-1", "東京都千代田区二番町2",
        "東京都千代田区三番町2", "東京都府中市本町2-8", "広島県府中市本山町2", "札幌市中央区北1条西2-8",
        "札幌市中央区北1条東2-8", "札幌市中央区北2条西1-8", "札幌市中央区南1条西2-8", "札幌市中央区北12条西2-8",
        "札幌市北区北12条西2-8", "京都市中京区御幸町通御池上る亀屋町370", "京都市中京区竹屋町通烏丸西入亀屋町370",
        "京都市中京区堺町通二条上る亀屋町370", "京都市上京区亀屋町370", "京都市中京区亀屋町370",
        "石川県七尾市袖ケ江町イ25", "石川県七尾市袖ケ江町ロ25", "石川県七尾市袖ケ江町25",
        "岩手県宮古市川井第2地割186", "岩手県宮古市川井第3地割186", "長野市南長野字幅下692", "長野市南長野692",
        "35.6895, 139.6917", "35.6945, 139.6917", "35.6895, 139.6997", "139.6917, 35.6895",
    ],
    IdentifierType.CRYPTO_WALLET: [
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaee", "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1",
        "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "sol:So11111111111111111111111111111111111111112", "1BoatSLRHtKNngkdXEeobR76b53LETtpyU",
    ],
    IdentifierType.DISPLAY_NAME: [
        "織田信長", "織田信忠", "おだのぶなが", "オダノブナガ", "髙橋", "高橋", "Oda", "oda", "0da", "織田", "信長",
        "織田信長2",
    ],
    IdentifierType.MODUS_OPERANDI: ["A-12", "A-1-2", "A12", "A-21", "B-12", "A-012", "A-120", "12-A", "A.12", "強盗"],
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
