"""One identifier of every type as an officer writes it, its form, and parts of it that a search must find it by."""

from __future__ import annotations

from typing import Final, NamedTuple

from renkei.identifiers.v1 import identifiers_pb2 as ids


class Written(NamedTuple):
    """An identifier of a type."""

    original: str
    form: str
    parts: tuple[str, ...]


EVERY_TYPE: Final = {
    ids.IDENTIFIER_TYPE_PHONE: Written("〇九〇ー１２３４ー5678", "+819012345678", ("090-1234", "5678")),
    ids.IDENTIFIER_TYPE_BANK_ACCOUNT: Written(
        "ゆうちょ 記号10180 番号12345671", "9900-018-1-1234567", ("9900-018", "1234567", "記号10180 番号12345671")
    ),
    ids.IDENTIFIER_TYPE_HANDLE: Written(
        "hxxps://t[.]me/Renkei_Demo_01", "telegram:renkei_demo_01", ("renkei_demo", "t[.]me/renkei_demo_01")
    ),
    ids.IDENTIFIER_TYPE_VEHICLE_PLATE: Written("品川３００ア１２－３４", "品川-300-あ-1234", ("品川 300", "12-34")),
    ids.IDENTIFIER_TYPE_IMEI: Written("IMEI: 49-015420-323751-8", "490154203237518", ("49-015420", "323751-8")),
    ids.IDENTIFIER_TYPE_ICCID: Written("8981 1000 0000 0000 002", "8981100000000000002", ("8981 1000",)),
    ids.IDENTIFIER_TYPE_IMSI: Written("440-10-1234567890", "440101234567890", ("440-10", "1234567890")),
    ids.IDENTIFIER_TYPE_PLATFORM_ACCOUNT_ID: Written(
        "Telegram ID: 123456789", "telegram:123456789", ("123456789", "tg://user?id=123456789")
    ),
    ids.IDENTIFIER_TYPE_INVITE_LINK: Written(
        "https://t.me/joinchat/AbCdEfGh12345678", "telegram:+AbCdEfGh12345678", ("AbCdEfGh", "t.me/+AbCdEfGh12345678")
    ),
    ids.IDENTIFIER_TYPE_PLACE: Written(
        "東京都新宿区西新宿二丁目８番１号", "13104-西新宿-2-8", ("西新宿2-8", "西新宿２丁目８番", "新宿区西新宿2-8-9")
    ),
    ids.IDENTIFIER_TYPE_CRYPTO_WALLET: Written(
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        ("0x5aaeb6", "ETH 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ),
    ids.IDENTIFIER_TYPE_DISPLAY_NAME: Written("髙島　太郎", "髙島太郎", ("髙島太郎", "高島 太郎", "高島太郎")),
    ids.IDENTIFIER_TYPE_MODUS_OPERANDI: Written("手口番号：Ａ－１２３４", "A-1234", ("A-1234", "a-1234")),
}
SPANNED: Final = frozenset({ids.IDENTIFIER_TYPE_HANDLE, ids.IDENTIFIER_TYPE_INVITE_LINK, ids.IDENTIFIER_TYPE_PLACE})
WEAK: Final = frozenset({ids.IDENTIFIER_TYPE_DISPLAY_NAME, ids.IDENTIFIER_TYPE_MODUS_OPERANDI})
