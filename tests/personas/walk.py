"""Run every check of the law once: `python -m tests.personas.walk`, for a measure of what it reaches."""

from __future__ import annotations

from tests.personas.law import CHECKS
from tests.personas.law_of_results import RESULTS
from tests.personas.world import RULES

for _check in (*CHECKS, *RESULTS):
    _check(RULES)
