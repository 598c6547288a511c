"""The columns and words of the forces' CSV exports, as the generator writes them: Japanese, in cp932.

What they mean says the profile `standard` of each kind, by which `renkei tips import` reads them.
"""

from __future__ import annotations

from typing import Final

ENCODING: Final = "cp932"  # what forces really export: 髙, 﨑, ① and ㈱ are in it, and not in shift_jis
NOTE: Final = "演習データ"
PURPOSES: Final = ("組織的強盗の捜査", "暴力事件の捜査")

REFERENCE: Final = "管理番号"
CASE: Final = "事件番号"
TEXT: Final = "内容"
PURPOSE: Final = "目的"
RELEASED_TO: Final = "提供先"
RELEASE: Final = "提供区分"
CAVEAT: Final = "注意事項"
REMARK: Final = "備考"
PHONE: Final = "電話番号"
PHONE_RELATION: Final = "電話番号の関係"
ACCOUNT: Final = "口座"
HANDLE: Final = "アカウント"
PLATE: Final = "車両番号"

OBSERVED: Final = "受理日時"
SOURCE: Final = "情報源"
RELIABILITY: Final = "情報源評価"
ACCURACY: Final = "情報評価"
TITLE: Final = "件名"
PROVENANCE: Final = "識別情報の出所"

RESTRAINED: Final = "逮捕日時"
KIND: Final = "逮捕種別"
OFFENCE: Final = "罪名"
PERSON: Final = "氏名"
KANA: Final = "氏名カナ"
BIRTH: Final = "生年月日"
ROLE: Final = "役割"
ITEM: Final = "押収品"
EXHIBIT: Final = "押収品番号"
ADDRESS_BOOK: Final = "電話帳の番号"

_SHARED: Final = (PHONE, PHONE_RELATION, ACCOUNT, HANDLE, PLATE)
_LABEL: Final = (PURPOSE, RELEASED_TO, RELEASE, CAVEAT, REMARK)
TIP_COLUMNS: Final = (
    *(REFERENCE, OBSERVED, SOURCE, RELIABILITY, ACCURACY, TITLE, TEXT, PROVENANCE),
    *(*_SHARED, CASE, *_LABEL),
)
ARREST_COLUMNS: Final = (
    *(REFERENCE, RESTRAINED, KIND, OFFENCE, PERSON, KANA, BIRTH, ROLE, TEXT, ITEM, EXHIBIT),
    *(*_SHARED, ADDRESS_BOOK, CASE, *_LABEL),
)

NO_RELEASE: Final = "提供なし"
IN_FULL: Final = "全部"
INDEX_ONLY: Final = "索引のみ"
SOURCES: Final = (
    *("知人", "SNS広告", "匿名通報", "相談者", "警察官", "押収端末", "金融機関"),
    *("ホットラインセンター", "その他"),
)
PROVENANCES: Final = ("供述", "広告", "銀行", "情報", "秘匿", "視認")
RELATIONS: Final = ("使用", "通信", "言及")
KINDS: Final = ("通常逮捕", "緊急逮捕", "現行犯逮捕", "準現行犯逮捕")
ROLES: Final = (
    *("不明", "指示役", "リクルーター", "実行役", "見張り役", "運転役", "回収役", "資金管理役"),
    *("受け子", "出し子", "口座名義人"),
)
