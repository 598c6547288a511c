"""Ids increase whatever the clock does, and computed ids are the same for everybody."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.ids import Uuid7Source, uuid7, uuid8_of


@given(st.lists(st.integers(0, 1 << 60), min_size=2, max_size=50))
def test_ids_increase_though_the_clock_jumps(moments: list[int]) -> None:
    times = iter(moments)
    source = Uuid7Source(now_ns=lambda: next(times))

    made = [source() for _ in moments]

    assert made == sorted(set(made))


def test_an_id_is_a_uuid_of_version_7_that_begins_with_its_time() -> None:
    source = Uuid7Source(now_ns=lambda: 0x017F22E279B0 * 1_000_000)

    made = source()

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert str(made).startswith("017f22e2-79b0-7")


def test_a_used_up_counter_borrows_from_the_next_millisecond() -> None:
    source = Uuid7Source(now_ns=lambda: 5_000_000, random_bits=lambda bits: (1 << bits) - 1)
    first = source()
    source._counter = (1 << 42) - 1

    second = source()

    assert second > first
    assert second.int >> 80 == 6


def test_threads_never_share_an_id() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: uuid7(), range(4000)))

    assert len(set(made)) == 4000


def test_a_forked_child_does_not_repeat_its_parents_ids() -> None:
    source = Uuid7Source(now_ns=lambda: 5_000_000)
    source()
    before = source._counter

    source.restart()
    source()

    assert source._counter != before + 1


def test_an_id_computed_from_a_name_never_changes() -> None:
    """Agencies that see the same records must show the same lead id, in every version."""
    made = uuid8_of(b"renkei-lead-v1", "agencies/jp-12/tips/a")

    assert str(made) == "20a4ee2f-3da2-8f57-ac1f-c3b892aa2432"
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


@given(st.text(max_size=50), st.text(max_size=50))
def test_two_uses_of_a_name_have_two_ids(one: str, other: str) -> None:
    assert uuid8_of(b"a", one) != uuid8_of(b"b", one)
    assert (uuid8_of(b"a", one) == uuid8_of(b"a", other)) == (one == other)


@pytest.mark.parametrize("tag", [b"", b"a\0", b"\0"])
def test_a_tag_that_could_run_into_the_name_is_refused(tag: bytes) -> None:
    with pytest.raises(ValueError, match="tag"):
        uuid8_of(tag, "x")
