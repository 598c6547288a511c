"""Every small mistake that could be made in the rules is found by the law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.personas.laws import LAWS
from tests.personas.mutants import MUTATED, load, mutants

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

# A mutant that is no mistake: what it is, and why it changes nothing. None is left.
EQUIVALENT: Final[dict[str, str]] = {}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.usefixtures("untraced")]


def survives(rules: SimpleNamespace, checks: list[Callable[[object], None]]) -> bool:
    """Tell whether no check finds the mistake; the check that does is asked first the next time."""
    for check in checks:
        try:
            check(rules)
        except Exception:  # noqa: BLE001 (whatever goes wrong is what a mistake looks like)
            checks.remove(check)
            checks.insert(0, check)
            return False
    return True


def is_alive(mutant: object, checks: list[Callable[[object], None]]) -> bool:
    try:
        rules = load(mutant)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 (it cannot even be imported)
        return False
    return survives(rules, checks)


@pytest.mark.parametrize("module", MUTATED)
def test_every_mutant_of_the_rules_is_killed(module: str) -> None:
    checks = [*LAWS]

    made = 0
    alive = []
    for mutant in mutants(module):
        made += 1
        if is_alive(mutant, checks):
            alive.append(str(mutant))

    assert made > 10
    assert set(alive) == {text for text in EQUIVALENT if text.startswith(f"{module}:")}


def test_the_law_itself_passes_on_what_ships() -> None:
    """Else every mutant would die of that."""
    from tests.personas.world import RULES  # noqa: PLC0415 (the real one, not a mutant)

    assert survives(RULES, [*LAWS])
