"""The columns of the forces' CSV exports, and what their words mean in the contract.

The forces' systems write Japanese headers and words in cp932. The generator writes by these tables and
the reader reads by them; a word that is not in them is refused, never guessed.
"""

from __future__ import annotations

from typing import Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1 import identifiers_pb2 as identifiers
from renkei.policy.v1 import handling_pb2 as handling
from renkei.tips.v1.tips_pb2 import Grading, Tip

ENCODING: Final = "cp932"  # what forces really export: 髙, 﨑, ① and ㈱ are in it, and not in shift_jis
NOTE: Final = "演習データ"
PURPOSES: Final = {"組織的強盗の捜査": "organised-robbery", "暴力事件の捜査": "violent-crime"}

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
ACTIONS: Final = {
    NO_RELEASE: handling.PERMITTED_ACTION_COORDINATE_FIRST,
    IN_FULL: handling.PERMITTED_ACTION_COORDINATE_FIRST,
    INDEX_ONLY: handling.PERMITTED_ACTION_INDEX_ONLY,
}
SOURCES: Final = {
    "知人": Tip.SOURCE_ACQUAINTANCE,
    "SNS広告": Tip.SOURCE_SOCIAL_MEDIA_AD,
    "匿名通報": Tip.SOURCE_ANON_HOTLINE,
    "相談者": Tip.SOURCE_HELP_REQUEST,
    "警察官": Tip.SOURCE_OFFICER,
    "押収端末": Tip.SOURCE_SEIZED_DEVICE,
    "金融機関": Tip.SOURCE_BANK,
    "ホットラインセンター": Tip.SOURCE_INTERNET_HOTLINE_CENTER,
    "その他": Tip.SOURCE_OTHER,
}
PROVENANCES: Final = {
    "供述": identifiers.PROVENANCE_STATEMENT,
    "広告": identifiers.PROVENANCE_ADVERTISEMENT,
    "銀行": identifiers.PROVENANCE_BANK,
    "情報": identifiers.PROVENANCE_TIP,
    "秘匿": identifiers.PROVENANCE_WITHHELD_ASK_ORIGINATOR,
    "視認": identifiers.PROVENANCE_OBSERVATION,
}
RELATIONS: Final = {
    "使用": identifiers.RELATION_USED_BY_SUBJECT,
    "通信": identifiers.RELATION_COMMUNICATED,
    "言及": identifiers.RELATION_MENTIONED,
}
RELIABILITIES: Final = {
    "A": Grading.RELIABILITY_A,
    "B": Grading.RELIABILITY_B,
    "C": Grading.RELIABILITY_C,
    "X": Grading.RELIABILITY_X,
}
ACCURACIES: Final = {
    "1": Grading.ACCURACY_1,
    "2": Grading.ACCURACY_2,
    "3": Grading.ACCURACY_3,
    "4": Grading.ACCURACY_4,
}
KINDS: Final = {
    "通常逮捕": Arrest.KIND_WARRANT,
    "緊急逮捕": Arrest.KIND_URGENT,
    "現行犯逮捕": Arrest.KIND_FLAGRANT,
    "準現行犯逮捕": Arrest.KIND_QUASI_FLAGRANT,
}
ROLES: Final = {
    "不明": Arrest.ROLE_UNKNOWN,
    "指示役": Arrest.ROLE_INSTRUCTOR,
    "リクルーター": Arrest.ROLE_RECRUITER,
    "実行役": Arrest.ROLE_PERPETRATOR,
    "見張り役": Arrest.ROLE_LOOKOUT,
    "運転役": Arrest.ROLE_DRIVER,
    "回収役": Arrest.ROLE_COLLECTOR,
    "資金管理役": Arrest.ROLE_FUNDS_MANAGER,
    "受け子": Arrest.ROLE_CASH_RECEIVER,
    "出し子": Arrest.ROLE_WITHDRAWER,
    "口座名義人": Arrest.ROLE_ACCOUNT_MULE,
}
IDENTIFIER_TYPES: Final = {
    PHONE: identifiers.IDENTIFIER_TYPE_PHONE,
    ACCOUNT: identifiers.IDENTIFIER_TYPE_BANK_ACCOUNT,
    HANDLE: identifiers.IDENTIFIER_TYPE_HANDLE,
    PLATE: identifiers.IDENTIFIER_TYPE_VEHICLE_PLATE,
}
