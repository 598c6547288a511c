"""Random histories of batches with random failures, against a model that does one thing after another."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from renkei_chassis.clock import ManualClock
from renkei_chassis.errors import Aborted, AlreadyExists
from tests.chassis.database.rules import refuse, refuse_late, refuse_too_late, stumble
from tests.chassis.keeper import Keeper, Rule, asking, keep, keeping
from tests.databases import POSTGRESQL, forget, on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.personas.v1.personas_pb2 import Persona, SubmitPersonaRequest

RULES: Final[dict[str, tuple[Rule, type[Exception] | None]]] = {
    "keep": (keep, None),
    "refuse": (refuse, Aborted),
    "refuse late": (refuse_late, Aborted),
    "refuse too late": (refuse_too_late, Aborted),
    "stumble": (stumble, ZeroDivisionError),
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request. Few ids and few units, so that repeats and clashes are common."""

    id: int
    unit: str
    rule: str

    def request(self) -> SubmitPersonaRequest:
        return asking(self.unit, request_id=str(uuid.UUID(int=self.id + 1, version=4)))


@dataclass
class Model:
    """What is kept, and what was asked under which id."""

    units: set[str] = field(default_factory=set)
    asked: dict[int, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def expect(self, step: Step) -> str:
        """Tell how the request ends: the unit of its answer, or the reason or class of its failure."""
        if step.id in self.asked:
            return step.unit if self.asked[step.id] == step.unit else "REQUEST_ID_REUSED"
        _, failure = RULES[step.rule]
        taken = step.unit in self.units
        if failure is not None:
            # Rows that are never flushed break no rule.
            flushed = step.rule in {"refuse too late", "stumble"}
            failure = IntegrityError if taken and flushed else failure
        elif taken:
            failure = IntegrityError
        if failure is not None:
            return failure.__name__
        self.units.add(step.unit)
        self.asked[step.id] = step.unit
        self.told.append(step.unit)
        return step.unit


def outcome(result: Persona | BaseException) -> str:
    if isinstance(result, AlreadyExists):
        return result.reason
    return type(result).__name__ if isinstance(result, BaseException) else result.plan.unit


async def go(path: Path, history: Sequence[tuple[float, Sequence[Step]]]) -> None:
    model, clock = Model(), ManualClock()
    async with keeping(path, clock) as keeper:
        for seconds, batch in history:
            clock.advance(seconds)
            expected = [model.expect(step) for step in batch]
            results = await asyncio.gather(
                *(keeper.keep(step.request(), RULES[step.rule][0]) for step in batch), return_exceptions=True
            )
            assert [outcome(result) for result in results] == expected
            await check(keeper, model)
    async with keeping(path, clock) as keeper:
        await check(keeper, model)


async def check(keeper: Keeper, model: Model) -> None:
    assert await keeper.units() == sorted(model.units)
    assert await keeper.told() == model.told
    events = await keeper.events()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    times = [event.time.ToMicroseconds() for event in events]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert keeper.log.position.sequence == len(events)


STEPS: Final = st.builds(
    Step, id=st.integers(0, 7), unit=st.sampled_from("abcdefgh"), rule=st.sampled_from(list(RULES))
)
BATCHES: Final = st.tuples(st.floats(-1, 3), st.lists(STEPS, min_size=1, max_size=8))


@settings(max_examples=40)
@given(history=st.lists(BATCHES, max_size=6))
def test_a_group_ends_as_if_its_requests_had_come_one_after_another(
    history: Sequence[tuple[float, Sequence[Step]]],
) -> None:
    """The clock may stand or go back a little meanwhile; the log's time does not."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(go(Path(directory) / "keeper.db", history))


@on(POSTGRESQL)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(BATCHES, max_size=6))
def test_a_group_ends_as_if_its_requests_had_come_one_after_another_on_a_server_too(
    history: Sequence[tuple[float, Sequence[Step]]], tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "keeper.db"
    try:
        asyncio.run(go(path, history))
    finally:
        forget(path)
