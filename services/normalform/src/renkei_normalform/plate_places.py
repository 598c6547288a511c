"""The place names on Japanese number plates in use: of the transport offices and, since 2006, of regions (ご当地)."""

import re
from typing import Final

# In the order of JIS X 0401, one prefecture a line; 富士山 is issued in two. The five of May 2025 are the newest:
# 十勝 日光 江戸川 安曇野 南信州. One-character names from before 1988 are not here: 品 and 泉 alone say too little.
_BY_PREFECTURE: Final = """
札幌 函館 旭川 室蘭 苫小牧 釧路 知床 帯広 十勝 北見
青森 弘前 八戸
岩手 盛岡 平泉
宮城 仙台
秋田
山形 庄内
福島 会津 郡山 白河 いわき
水戸 土浦 つくば
宇都宮 那須 日光 とちぎ
群馬 高崎 前橋
大宮 川口 所沢 川越 熊谷 春日部 越谷
千葉 成田 習志野 市川 船橋 袖ヶ浦 市原 野田 柏 松戸
品川 世田谷 練馬 杉並 板橋 足立 江東 葛飾 江戸川 八王子 多摩
横浜 川崎 湘南 相模
新潟 長岡 上越
富山
石川 金沢
福井
山梨 富士山
長野 松本 諏訪 安曇野 南信州
岐阜 飛騨
静岡 浜松 沼津 伊豆
名古屋 豊橋 三河 岡崎 豊田 尾張小牧 一宮 春日井
三重 鈴鹿 四日市 伊勢志摩
滋賀
京都
大阪 なにわ 和泉 堺
神戸 姫路
奈良 飛鳥
和歌山
鳥取
島根 出雲
岡山 倉敷
広島 福山
山口 下関
徳島
香川 高松
愛媛
高知
福岡 北九州 筑豊 久留米
佐賀
長崎 佐世保 厳原
熊本
大分
宮崎
鹿児島 奄美
沖縄
"""
PLACES: Final = frozenset(_BY_PREFECTURE.split())

_OTHER_SPELLINGS: Final = {
    "袖ケ浦": "袖ヶ浦",
    "袖が浦": "袖ヶ浦",
    "飛驒": "飛騨",
    "ナニワ": "なにわ",
    "イワキ": "いわき",
    "ツクバ": "つくば",
    "トチギ": "とちぎ",
}
PLACE: Final = re.compile("|".join(sorted(PLACES | _OTHER_SPELLINGS.keys(), key=len, reverse=True)))


def split_place(text: str) -> tuple[str, str]:
    """Return the place name at the front, as plates write it, and the rest; an empty name if there is none."""
    found = PLACE.match(text)
    if not found:
        return "", text
    return _OTHER_SPELLINGS.get(found[0], found[0]), text[found.end() :]
