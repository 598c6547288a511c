"""Run every check of the law once: `python -m tests.personas.walk`, for a measure of what it reaches."""

from __future__ import annotations

from tests.personas.laws import LAWS
from tests.personas.world import RULES

for _check in LAWS:
    _check(RULES)
