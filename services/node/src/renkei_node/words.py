"""The words of the command line, in Japanese and English."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "training": {"ja": "演習データ(すべて架空)", "en": "training data (all invented)"},
    "no_instrument": {
        "ja": "法的根拠の登録なしに提供する設定です (release_without_instrument)",
        "en": "records leave without a legal instrument (release_without_instrument)",
    },
    "services": {"ja": "サービス", "en": "services"},
    "serving": {"ja": "稼働中", "en": "serving"},
    "not_serving": {"ja": "応答なし", "en": "does not answer"},
    "lag": {"ja": "未反映", "en": "behind by"},
    "set_aside": {"ja": "保留", "en": "set aside"},
    "repaired": {"ja": "補修", "en": "repaired"},
    "courier_off": {"ja": "NATS切断(gRPCで継続)", "en": "NATS off (going on over gRPC)"},
    "peers": {"ja": "連携先", "en": "peers"},
    "connected": {"ja": "接続中", "en": "connected"},
    "cut_off": {"ja": "切断", "en": "cut off"},
    "oldest": {"ja": "最古", "en": "oldest"},
    "last": {"ja": "最終", "en": "last"},
    "ago": {"ja": "前", "en": " ago"},
    "days": {"ja": "日", "en": "d"},
    "hours": {"ja": "時間", "en": "h"},
    "minutes": {"ja": "分", "en": "min"},
    "seconds": {"ja": "秒", "en": "s"},
    "unreceived": {"ja": "未受信", "en": "not received"},
    "items": {"ja": "件", "en": ""},
    "blocked": {"ja": "停止", "en": "blocked"},
    "nothing": {"ja": "該当なし", "en": "nothing"},
    "no_leads": {"ja": "手がかりはありません", "en": "no leads"},
    "handling": {"ja": "取扱い", "en": "handling"},
    "records": {"ja": "記録", "en": "records"},
    "evidence": {"ja": "根拠", "en": "evidence"},
    "own_record": {"ja": "自庁", "en": "own"},
    "index_only": {"ja": "索引のみ", "en": "index only"},
    "full": {"ja": "全部", "en": "in full"},
    "no_opinions": {"ja": "評価・現認はありません", "en": "no opinions"},
    "stance_agrees": {"ja": "同意", "en": "agrees"},
    "stance_doubts": {"ja": "疑問", "en": "doubts it"},
    "stance_contradicts": {"ja": "相反", "en": "knows otherwise"},
    "stance_sighted": {"ja": "現認", "en": "saw it"},
    "no_clocks": {"ja": "進行中の期限はありません", "en": "no clock runs"},
    "overdue": {"ja": "期限超過", "en": "OVERDUE"},
    "acknowledged": {"ja": "確認", "en": "acknowledged by"},
    "unacknowledged": {"ja": "未確認", "en": "unacknowledged"},
    "escalated": {"ja": "上申", "en": "escalated to"},
    "clock_to_prosecutor": {"ja": "送致(48時間)", "en": "to the prosecutor (48 h)"},
    "clock_detention_request": {"ja": "勾留請求(24時間・72時間)", "en": "detention request (24 h, 72 h)"},
    "clock_detention": {"ja": "勾留(10日)", "en": "detention (10 days)"},
    "clock_detention_extension": {"ja": "勾留延長", "en": "extended detention"},
    "clock_juvenile_measure": {"ja": "観護措置(10日)", "en": "measure of protection (10 days)"},
    "clock_urgent_warrant": {"ja": "緊急逮捕の逮捕状", "en": "warrant of an urgent arrest"},
    "clock_longest": {"ja": "最長(23日)", "en": "longest (23 days)"},
}


def say(key: str, language: str) -> str:
    """Give one word in `ja` or `en`."""
    return WORDS[key][language]
