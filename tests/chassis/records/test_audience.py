"""Audiences: who receives a record under a label, and what a change of label means for whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from renkei.policy.v1 import handling_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_chassis.records.audience import audience_of, change_of

AGENCIES = [f"agencies/jp-{number:02}" for number in range(1, 7)]
AUDIENCES = st.dictionaries(st.sampled_from(AGENCIES), st.sampled_from([GRADE_INDEX_ONLY, GRADE_FULL]))


def test_a_label_that_names_nobody_releases_to_nobody() -> None:
    for action in handling_pb2.PermittedAction.values():
        assert audience_of(handling_pb2.Handling(purpose_code="x", permitted_action=action)) == {}


def test_only_index_only_lowers_the_grade() -> None:
    for action in handling_pb2.PermittedAction.values():
        label = handling_pb2.Handling(releasable_to=AGENCIES[:2], permitted_action=action)

        grade = GRADE_INDEX_ONLY if action == handling_pb2.PERMITTED_ACTION_INDEX_ONLY else GRADE_FULL
        assert audience_of(label) == dict.fromkeys(AGENCIES[:2], grade)


@given(AUDIENCES, AUDIENCES)
def test_what_the_parts_of_a_change_do_leads_from_one_audience_to_the_other(
    before: dict[str, int], after: dict[str, int]
) -> None:
    """Each agency stands in one part at most, and after it holds exactly what the new label gives it."""
    change = change_of(before, after)  # type: ignore[arg-type]  # grades are numbers here

    parts = [change.kept, change.added, change.removed]
    assert sum(map(len, parts)) == len({agency for part in parts for agency in part})
    held = dict(before)
    held.update(change.kept)
    held.update(change.added)
    for agency in change.removed:
        del held[agency]
    assert held == after


@given(AUDIENCES, AUDIENCES)
def test_nobody_is_told_who_neither_had_the_record_nor_gets_it(before: dict[str, int], after: dict[str, int]) -> None:
    change = change_of(before, after)  # type: ignore[arg-type]  # grades are numbers here

    assert {*change.kept, *change.added, *change.removed} == {*before, *after}
    assert all(after[agency] <= before[agency] for agency in change.kept)
    assert all(after[agency] > before.get(agency, 0) for agency in change.added)
