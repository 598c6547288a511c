"""What a check found: one line, whether it is well, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from renkei_node.doctor.texts import ADVICE, TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """How a check ended. Only FAILED makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's result. `text` names a line of `texts.TEXTS`, and of `texts.ADVICE` where something is to be done."""

    check: str
    """`database tips`: what was looked at."""
    state: State
    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def told(self, language: str) -> str:
        """Say what was found, in `ja` or `en`."""
        return TEXTS[self.text][language].format(**self.values)

    def advice(self, language: str) -> str:
        """Say what to do; empty where nothing is to be done."""
        return ADVICE.get(self.text, {}).get(language, "").format(**self.values)

    def as_json(self) -> dict[str, object]:
        """Give it as plain values: the words in English, the name of the text for programs."""
        return {
            "check": self.check,
            "state": self.state.value,
            "reason": self.text,
            "text": self.told("en"),
            "advice": self.advice("en"),
        }


def ok(check: str, text: str, **values: object) -> Finding:
    """Make a finding that all is well."""
    return Finding(check=check, state=State.OK, text=text, values=values)


def warning(check: str, text: str, **values: object) -> Finding:
    """Make a finding that somebody should look at."""
    return Finding(check=check, state=State.WARNING, text=text, values=values)


def failed(check: str, text: str, **values: object) -> Finding:
    """Make a finding that keeps the node from its work, or its data from being safe."""
    return Finding(check=check, state=State.FAILED, text=text, values=values)


def skipped(check: str, text: str, **values: object) -> Finding:
    """Make a finding that this could not be looked at."""
    return Finding(check=check, state=State.SKIPPED, text=text, values=values)
