"""The rules of the chassis, of tips and of the exchange in Japanese: they speak English alone.

Reasons of the personas service itself bring their Japanese with them. Here are those that every service may give, and
those that a tip or a message of imminent harm may meet on its way out of `renkei personas`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES_JA: Final[Mapping[str, str]] = {
    "FIELD_INVALID": "入力項目が規則に合わない",
    "MALFORMED_REQUEST": "要求の形式が契約と異なる",
    "UNKNOWN_FIELD": "この版が知らない項目又は値が含まれている",
    "INVALID_RESOURCE_NAME": "記録の名称の形式が正しくない",
    "INVALID_PAGE_TOKEN": "続きを示す値がこの照会のものではない",
    "INVALID_RESUME_TOKEN": "再開を示す値がこのノードのものではない",
    "REQUEST_ID_REUSED": "同じ要求番号が別の要求に使われた",
    "REQUEST_ANSWER_GONE": "要求は実行済みだが、その結果は既にない",
    "ETAG_MISMATCH": "読んだ後に変更されている。読み直すこと",
    "FOREIGN_ORIGINATOR": "他機関の記録は、その機関だけが変更できる",
    "DENIED": "この記録に対してその操作はできない（又は存在しない）",
    "ROLE_MISSING": "この操作の権限を持つ役割ではない",
    "TOKEN_MISSING": "トークンがない",
    "TOKEN_MALFORMED": "トークンを読み取れない",
    "TOKEN_EXPIRED": "トークンの有効期限が切れた",
    "TOKEN_NOT_YET_VALID": "トークンはまだ有効でない",
    "TOKEN_WRONG_AUDIENCE": "他機関宛てのトークンである",
    "TOKEN_UNTRUSTED_ISSUER": "トークンの発行者をこのノードは信頼していない",
    "TOKEN_BAD_SIGNATURE": "トークンの署名が正しくない",
    "TOKEN_ROLE_NOT_ALLOWED": "発行者が与えることのできない役割がトークンにある",
    "INSTRUMENT_UNSUPPORTED": "この版は法的文書による提供を扱わない",
    "RELEASE_WITHOUT_INSTRUMENT": "このノードは法的文書のない提供をしない",
    "UNKNOWN_AGENCY": "連携に参加していない機関又は自機関が指定された",
    "STORAGE_UNAVAILABLE": "現在記録を保存できない。何も実行されていない",
    "CLOCK_JUMPED": "時計が変えられたため記録できない",
    "SHUTTING_DOWN": "サービスが停止中である",
    "OVERLOADED": "処理待ちが多すぎる",
    "DEADLINE": "期限内に終わらなかった。実行された可能性がある",
    "INTERNAL": "サーバー内部の誤り",
    "DELETED": "記録は削除されている",
    "NOT_DELETED": "記録は削除されていない",
    "INVALID_UPDATE_MASK": "変更する項目の指定が正しくない",
    "RESOURCE_EXISTS": "その名称の記録は既にある",
    "REQUEST_TOO_LARGE": "要求が大きすぎる",
    "LOG_AHEAD": "呼出し側がこの記録簿にない事象を知っている",
    "SEARCH_TOO_SHORT": "検索する文字数が足りない",
    "NO_SUCH_VERSION": "その版の記録はない",
    "SPAN_REVERSED": "期間の終わりが始まりより前である",
    "UNDELETE_EXPIRED": "削除を取り消せる期間が過ぎた",
    "JUDICIAL_USE_WITHHELD": "情報源が秘匿されているため、公判での使用を自由にはできない",
    "SOURCE_WITHHELD": "秘匿された情報源は変更できない",
    "GRADING_CODE_INVALID": "評価の符号がその方式にない",
    "RECIPIENT_UNKNOWN": "提供先が連携の他の参加機関ではない",
    "PROTECTED_IDENTIFIER": "保護された識別子である",
    "REVIEW_REFUSED": "確認済みであるか、発信者自身の確認である",
}
