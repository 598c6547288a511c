"""The words of boards, map and figures, and of what is printed or taken away: a part of `renkei_desk.words`."""

from __future__ import annotations

from typing import Final

BOARDS: Final[dict[str, tuple[str, str]]] = {
    "clocks": ("逮捕・勾留", "Custody clocks"),
    "clocks_text": (
        "期限の近い順。この画面は誰も釈放せず、何も延長しない。",
        "The soonest due first. Nobody is released or extended by this page.",
    ),
    "clocks_empty": ("進行中の期限はありません。", "No clock runs."),
    "clocks_waiting": ("未確認の警告", "warnings that wait"),
    "clock": ("期限", "Limit"),
    "left": ("残り", "Left"),
    "due": ("満了", "Due"),
    "passed": ("経過した割合", "time passed"),
    "overdue": ("超過", "overdue"),
    "warning": ("警告", "Warning"),
    "acknowledge": ("確認した", "Acknowledge"),
    "acknowledged": ("確認済み", "acknowledged by"),
    "escalated": ("上申先", "escalated to"),
    "what_is_done": ("対応", "What is being done"),
    "as_csv": ("CSV", "CSV"),
    "as_svg": ("SVG", "SVG"),
}
VALUES: Final[dict[str, tuple[str, str]]] = {
    "CLOCK_KIND_TO_PROSECUTOR": ("送致（48時間）", "to the prosecutor (48 h)"),
    "CLOCK_KIND_DETENTION_REQUEST": ("勾留請求（24・72時間）", "request for detention (24/72 h)"),
    "CLOCK_KIND_DETENTION": ("勾留（10日）", "detention (10 days)"),
    "CLOCK_KIND_DETENTION_EXTENSION": ("勾留延長（10日）", "extension of detention (10 days)"),
    "CLOCK_KIND_JUVENILE_MEASURE": ("観護措置（10日）", "measure for a juvenile (10 days)"),
    "CLOCK_KIND_URGENT_WARRANT": ("緊急逮捕後の令状", "warrant after an urgent arrest"),
    "CLOCK_KIND_LONGEST": ("最長（23日）", "longest of all (23 days)"),
}
