"""Invented texts of tips, the same in every run: about two hundred characters, common words often and names seldom."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.handling_pb2 import Handling
from renkei.tips.v1.tips_pb2 import Grading, Tip

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIX: Final = json.loads((Path(__file__).parent / "text_queries.json").read_text(encoding="utf-8"))
QUERIES: Final[list[str]] = _MIX["queries"]
"""What officers ask: the ten commonest pairs of the corpus, names, parts of numbers, other spellings, several terms."""
PARTS: Final[list[str]] = _MIX["parts"]
"""Parts of identifiers that they ask: mostly the last four digits; some that no tip has."""

_FIRST: Final = (
    "青赤秋東荒飯石泉磯市稲岩上内梅江遠大岡奥小尾加笠柏片金神亀川河菊岸北木清草久熊黒桑小坂桜佐"
    "沢塩島清下白杉鈴関高滝竹武田谷"
)
_SECOND: Final = "井上浦江尾岡垣川木岸口倉坂崎沢下島瀬田谷塚津戸中永西野橋畑浜林原平藤部間松村本森屋山"
_GIVEN: Final = "翔大蓮悠真陽葵結衣海斗優太拓也健一誠司直樹美咲彩花莉子沙織恵子由美和也裕子"
_WORDS: Final = (
    "高額バイト", "闇バイト", "即日払い", "ホワイト案件", "運びの仕事", "受け子",
    "出し子", "下見役", "実行役", "見張り役", "身分証の写真", "通信アプリ",
    "テレグラム", "シグナル", "報酬は五十万円", "レンタカー", "軽トラック", "目出し帽",
    "バール", "粘着テープ", "高齢者の住宅", "貴金属店", "質屋", "防犯カメラ",
    "コンビニ", "駅前のロータリー", "河川敷", "空き家", "マンションの三階", "口座の売買",
    "スマートフォン", "ＳＮＳの募集", "ﾌﾘﾏｱﾌﾟﾘ", "位置情報", "家族への脅し", "指示役の男",
    "リクルーター", "名簿", "金の延べ棒", "現金書留", "宅配業者を装い",
)  # fmt: skip
_ENDS: Final = (
    "と言われた。", "を見たという。", "に誘われた。", "のことを話していた。",
    "を頼まれたが断った。", "で待つように指示された。", "が気になる。", "について通報があった。",
    "から連絡が来た。", "を受け取ったらしい。", "へ送るように求められた。", "の話を聞いた。",
)  # fmt: skip
_JOINS: Final = (
    "、知人が",
    "、同じ日に",
    "。その後",
    "。別の者は",
    "、匿名の相手から",
    "、昨夜",
    "、夕方に",
    "、友人が",
)


def tips(first: int, count: int) -> Iterator[Tip]:
    """Make tips; each depends on its number alone."""
    for number in range(first, first + count):
        chance = random.Random(number)
        phone = f"0{chance.choice((7, 8, 9))}0-{chance.randrange(10_000):04}-{chance.randrange(10_000):04}"
        yield Tip(
            handling=Handling(purpose_code="organised-robbery"),
            source=Tip.SOURCE_SOCIAL_MEDIA_AD,
            state=Tip.STATE_RECEIVED,
            grading=Grading(reliability=Grading.RELIABILITY_B, accuracy=Grading.ACCURACY_2),
            display_name=f"(演習データ) {chance.choice(_WORDS)}",
            text=_text(chance, phone),
            version=1,
            identifiers=[
                identifiers_pb2.Occurrence(
                    identifier=identifiers_pb2.Identifier(
                        type=identifiers_pb2.IDENTIFIER_TYPE_PHONE,
                        original=phone,
                        normal_form="+81" + phone[1:].replace("-", ""),
                    ),
                    provenance=identifiers_pb2.PROVENANCE_TIP,
                    relation=identifiers_pb2.RELATION_MENTIONED,
                )
            ],
        )


def _text(chance: random.Random, phone: str) -> str:
    name = chance.choice(_FIRST) + chance.choice(_SECOND) + chance.choice(_GIVEN) + chance.choice(_GIVEN)
    said = [f"(演習データ) {name}と名乗る者から{phone}で"]
    while sum(map(len, said)) < 180:
        # The first words of the list are those of every second tip.
        word = _WORDS[min(int(chance.expovariate(0.12)), len(_WORDS) - 1)]
        said += [word, chance.choice(_ENDS) if chance.random() < 0.5 else chance.choice(_JOINS)]
    return "".join(said)
