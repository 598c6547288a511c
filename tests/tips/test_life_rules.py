"""The life of a tip as a table: every pair of state and act, allowed or refused."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest
from renkei.tips.v1.tips_pb2 import Tip

from renkei_tips.domain.life import STEPS, Act, State, StepRefusedError, step

R, T, A, D, N, M = State
# By hand, and on purpose not the program's table: "." is refused, "<" goes back to where it was.
LAW: Final = """
            RECEIVED TRIAGED  ASSIGNED ACTIONED NO_ACTION MERGED
TRIAGE      TRIAGED  .        .        TRIAGED  TRIAGED   .
ASSIGN      .        ASSIGNED ASSIGNED .        .         .
ACT_ON      .        ACTIONED ACTIONED .        .         .
SET_ASIDE   .        NO_ACTION NO_ACTION .      .         .
MERGE       .        MERGED   MERGED   MERGED   MERGED    .
UNMERGE     .        .        .        .        .         <
"""
_LINES: Final = [line.split() for line in LAW.strip().splitlines()]
CELLS: Final = [
    (State[state], Act[act], cell) for act, *row in _LINES[1:] for state, cell in zip(_LINES[0], row, strict=True)
]


def test_every_pair_of_state_and_act_is_decided() -> None:
    assert {(state, act) for state, act, _ in CELLS} == set(product(State, Act))
    assert set(STEPS) == {(state, act) for state, act, cell in CELLS if cell != "."}


@pytest.mark.parametrize(("state", "act", "cell"), CELLS, ids=str)
def test_a_step_leads_where_the_law_says_or_nowhere(state: State, act: Act, cell: str) -> None:
    if cell == ".":
        with pytest.raises(StepRefusedError, match=state.name):
            step(state, act, before_merge=State.TRIAGED)
    else:
        for before in State if cell == "<" else [None]:
            assert step(state, act, before_merge=before) is (before if cell == "<" else State[cell])


def test_no_merge_is_undone_that_does_not_know_where_it_began() -> None:
    with pytest.raises(StepRefusedError):
        step(State.MERGED, Act.UNMERGE)


def test_states_are_those_of_the_contract() -> None:
    assert {state.name: state.value for state in State} == {
        name.removeprefix("STATE_"): number for name, number in Tip.State.items() if number
    }
