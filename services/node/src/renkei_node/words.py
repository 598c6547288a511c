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
}


def say(key: str, language: str) -> str:
    """Give one word in `ja` or `en`."""
    return WORDS[key][language]
