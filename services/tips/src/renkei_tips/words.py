"""The Japanese words for what stands in a tip, where its differences are told."""

from __future__ import annotations

from typing import Final

from renkei_chassis.records import words
from renkei_chassis.records.differences import OF_EVERY_VERSION, Reading

READING: Final = Reading(
    unread=OF_EVERY_VERSION | {"received_grade", "receive_time"},
    sealed=frozenset(),  # who a source is stands in no version
    fields={
        **words.FIELDS,
        "display_name": "件名",
        "observe_time": "認知の日時",
        "source": "情報源",
        "grading": "評価",
        "reliability": "情報源の信頼性",
        "accuracy": "情報の確度",
        "suspected_false": "虚偽の疑い",
        "deliberate_deception": "意図的な虚偽",
        "converted_from": "換算元の方式",
        "original_code": "換算前の評価",
        "unit": "担当部署",
        "merged_into": "統合先",
        "state_before_merge": "統合前の状態",
    },
    values={
        **words.VALUES,
        "STATE_RECEIVED": "受理",
        "STATE_TRIAGED": "一次判断済み",
        "STATE_ASSIGNED": "担当割当済み",
        "STATE_ACTIONED": "措置済み",
        "STATE_NO_ACTION": "措置不要",
        "STATE_MERGED": "統合済み",
        "SOURCE_ACQUAINTANCE": "知人",
        "SOURCE_SOCIAL_MEDIA_AD": "SNS広告",
        "SOURCE_ANON_HOTLINE": "匿名通報ダイヤル",
        "SOURCE_HELP_REQUEST": "相談者",
        "SOURCE_OFFICER": "警察官",
        "SOURCE_SEIZED_DEVICE": "押収端末",
        "SOURCE_BANK": "金融機関",
        "SOURCE_INTERNET_HOTLINE_CENTER": "インターネット・ホットラインセンター",
        "SOURCE_OTHER": "その他",
        "RELIABILITY_A": "A",
        "RELIABILITY_B": "B",
        "RELIABILITY_C": "C",
        "RELIABILITY_X": "X",
        "ACCURACY_1": "1",
        "ACCURACY_2": "2",
        "ACCURACY_3": "3",
        "ACCURACY_4": "4",
        "GRADING_SCHEME_FOUR_BY_FOUR": "4×4",
        "GRADING_SCHEME_THREE_FIVE_TWO": "3×5×2",
        "GRADING_SCHEME_ADMIRALTY": "アドミラルティ",
    },
)
