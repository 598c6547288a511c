"""Every check of the law, the quickest to find a mistake first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.personas.law import CHECKS
from tests.personas.law_of_clocks import CLOCKS
from tests.personas.law_of_guards import GUARDS
from tests.personas.law_of_plans import PLANS
from tests.personas.law_of_results import RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable

LAWS: Final[tuple[Callable[[Any], None], ...]] = (*RESULTS, *CLOCKS, *PLANS, *CHECKS, *GUARDS)
