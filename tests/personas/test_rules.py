"""The rules as they ship, against the law written a second time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2, errors_pb2, personas_pb2

from tests.personas.laws import LAWS
from tests.personas.world import PACKAGE, RULES

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("check", LAWS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_the_rules_are_the_law(check: Callable[[object], None]) -> None:
    check(RULES)


@pytest.mark.parametrize(
    ("own", "contract", "prefix"),
    [
        (RULES.states.State, personas_pb2.Persona.State, "STATE_"),
        (RULES.states.Stage, personas_pb2.Extension.Stage, "STAGE_"),
        (RULES.states.Paper, documents_pb2.Document.State, "STATE_"),
        (RULES.states.Outcome, enums_pb2.Outcome, "OUTCOME_"),
        (RULES.states.Halt, enums_pb2.SuspendReason, "SUSPEND_REASON_"),
        (RULES.states.ClockKind, enums_pb2.ClockKind, "CLOCK_KIND_"),
        (RULES.states.TaskKind, enums_pb2.TaskKind, "TASK_KIND_"),
        (RULES.states.Crime, personas_pb2.Plan.CrimeCode, "CRIME_CODE_"),
        (RULES.states.Allows, personas_pb2.LegalBasis.Allows, "ALLOWS_"),
        (RULES.states.Conduct, contacts_pb2.Contact.Conduct, "CONDUCT_"),
    ],
)
def test_the_numbers_of_the_rules_are_the_contracts(own: type, contract: object, prefix: str) -> None:
    told = {name.removeprefix(prefix): number for name, number in contract.items() if number}  # type: ignore[attr-defined]

    assert {value.name: value.value for value in own} == told  # type: ignore[attr-defined]


def test_every_reason_of_the_contract_has_a_rule_in_two_languages_and_its_status() -> None:
    text = (ROOT / "proto/renkei/personas/v1/errors.proto").read_text()
    statuses = dict(
        zip(re.findall(r"ERROR_REASON_(\w+) = [1-9]", text), re.findall(r"Status (\w+)\.", text), strict=True)
    )

    assert {name: reason.status for name, reason in RULES.reasons.REASONS.items()} == statuses
    assert set(statuses) == {name.removeprefix("ERROR_REASON_") for name, n in errors_pb2.ErrorReason.items() if n}
    assert all(re.search(r"[぀-ヿ一-鿿]", reason.ja) for reason in RULES.reasons.REASONS.values())
    assert all(reason.en.isascii() for reason in RULES.reasons.REASONS.values())


def test_the_law_walks_every_branch_of_the_rules(tmp_path: Path) -> None:
    """100 % of lines and branches, or this fails with those that are left."""
    pytest.importorskip("coverage")
    settings = tmp_path / "coveragerc"
    settings.write_text("[run]\nbranch = true\n[report]\nexclude_also =\n    if TYPE_CHECKING:\n")
    base = [sys.executable, "-m", "coverage"]
    common = [f"--data-file={tmp_path / 'coverage'}", f"--rcfile={settings}"]
    run = [*base, "run", *common, f"--source={PACKAGE}", "-m", "tests.personas.walk"]
    subprocess.run(run, cwd=ROOT, check=True, timeout=50)
    report = [*base, "report", *common, "--fail-under=100", "--show-missing", "--skip-covered"]
    done = subprocess.run(report, cwd=ROOT, check=False, timeout=50, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
