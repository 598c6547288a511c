"""Write the made parts of docs/personas.md from the table of transitions: `python -m renkei_personas.page FILE`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renkei_personas.domain.reasons import REASONS
from renkei_personas.domain.row import EVERY
from renkei_personas.domain.states import ClockKind, Paper, Stage, State
from renkei_personas.domain.table import ROWS, STRIKES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from renkei_personas.domain.row import Guard, Row

STATES_JA: Final[Mapping[State, str]] = {
    State.DRAFT: "起案中",
    State.SUBMITTED: "承認待ち",
    State.RETURNED: "差戻し",
    State.REJECTED: "不承認",
    State.APPROVED: "承認済み",
    State.NPA_REPORTED: "警察庁報告済み",
    State.READY: "開始可能",
    State.ACTIVE: "実施中",
    State.SUSPENDED: "中断",
    State.EXPIRED: "期限切れ",
    State.COMPROMISED: "身分露見",
    State.CLOSED: "終了",
    State.ARCHIVED: "保管",
}
CLOCKS: Final[Mapping[ClockKind, tuple[str, str]]] = {
    ClockKind.PERIOD: ("計画の期間の終わり", "the plan's period ends"),
    ClockKind.APPROVAL: ("承認の有効期間", "the approval was not used in time"),
    ClockKind.WIND_DOWN: ("期間満了後の猶予の終わり", "the time to wind down after the period is over"),
    ClockKind.VACANCY: ("監督者の欠員の日時", "the supervisor's post falls vacant"),
    ClockKind.CONTACT_REVIEW: ("接触記録の確認期限", "a contact waited too long for review"),
    ClockKind.HOLD_REVIEW: ("公判保管の見直し日", "a hold for trial must be reviewed"),
    ClockKind.EXTENSION_APPROVAL: (
        "延長の承認の有効期間",
        "the approval of an extension was not acknowledged by the NPA in time",
    ),
    ClockKind.LEGAL_BASIS: ("罪種を許す法的根拠の終わり", "the legal basis that allows the crime ends or was revoked"),
}
_BLOCK: Final = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def renewed(page: str) -> str:
    """Give the page with every made part as the table says it now. Raises KeyError for a part that nothing makes."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", page)


def _diagram() -> str:
    """Draw states and what leads from one to another; what stays in its state is in the table."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR"]
    lines += [f"    {state.name}: {state.name}<br/>{STATES_JA[state]}" for state in State]
    lines.append(f"    [*] --> {State.DRAFT.name}")
    for name, row in ROWS.items():
        target = State.SUSPENDED if row.halts is not None else row.target
        if target is None:
            continue
        sources = [State.ACTIVE] if row.halts is not None else sorted(row.sources)
        lines += [f"    {source.name} --> {target.name}: {name}" for source in sources]
    return "\n".join([*lines, "```", ""])


def _table() -> str:
    """Write every row, in Japanese and in English: who may, from where, under which conditions, what is recorded."""
    lines = ["| action | from → to | who | conditions | recorded |", "|---|---|---|---|---|"]
    for name, row in ROWS.items():
        cells = (
            f"`{name}`<br/>{row.ja}<br/>{row.en}",
            _way(row),
            "<br/>".join(f"{part.value} {part.name}" for part in sorted(row.parts, key=lambda part: part.name)),
            "<br/>".join(_conditions(row)) or "–",
            f"{row.records[0]}<br/>{row.records[1]}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _way(row: Row) -> str:
    way = _states(row.sources)
    if row.target is not None:
        way += f"<br/>→ {_state(row.target)}"
    if row.halts is not None:
        way += f"<br/>{_state(State.ACTIVE)} → {_state(State.SUSPENDED)} ({row.halts.name})"
    if row.opens:
        way += "<br/>" + ", ".join(f"任務 task {kind.name}" for kind in row.opens)
    return way


def _states(found: Collection[State]) -> str:
    """Name states; those that nearly all are, by what is missing."""
    missing = sorted(EVERY - set(found))
    if not missing:
        return "全状態 every"
    if len(missing) <= len(found) // 3:
        return "全状態 every<br/>除く but " + ", ".join(_state(state) for state in missing)
    return ", ".join(_state(state) for state in sorted(found))


def _state(state: State) -> str:
    return f"{STATES_JA[state]} {state.name}"


def _conditions(row: Row) -> Iterable[str]:
    if row.stages is not None:
        yield f"延長 extension: {_names(row.stages)}" + (f" → {row.stage.name}" if row.stage is not None else "")
    if row.papers is not None:
        yield f"書類 document: {_names(row.papers)}" + (f" → {row.paper.name}" if row.paper is not None else "")
    yield from (words_of(guard) for guard in row.guards)


def _names(found: Collection[Stage | None] | Collection[Paper]) -> str:
    return ", ".join(sorted("none" if one is None else one.name for one in found))


def words_of(guard: Guard) -> str:
    """Give a guard's condition in both languages: the first line of its documentation."""
    return (guard.__doc__ or "").strip().rstrip(".")


def _clocks() -> str:
    lines = ["| clock | 日本語 | English | carries out |", "|---|---|---|---|"]
    for kind, rows in STRIKES.items():
        ja, en = CLOCKS[kind]
        lines.append(f"| `{kind.name}` | {ja} | {en} | {', '.join(f'`{row}`' for row in rows.values())} |")
    return "\n".join([*lines, ""])


def _refusals() -> str:
    lines = ["| reason | status | 規則 | rule |", "|---|---|---|---|"]
    lines += [f"| `{name}` | `{reason.status}` | {reason.ja} | {reason.en} |" for name, reason in REASONS.items()]
    return "\n".join([*lines, ""])


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "diagram": _diagram,
    "table": _table,
    "clocks": _clocks,
    "refusals": _refusals,
}


def main(arguments: list[str]) -> int:
    """Renew the made parts of a file in place."""
    path = Path(arguments[0])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
