"""Differences of two versions: none where there is none, none forgotten, and nothing of a sealed block."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from renkei.arrests.v1.arrests_pb2 import Arrest, Disposition, Person, SeizedItem
from renkei.policy.v1.handling_pb2 import Handling

from renkei_chassis.records.differences import ADDED, REMOVED, REORDERED, REPLACED, Reading, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.policy.v1.differences_pb2 import FieldDifference

READING = Reading(
    unread=frozenset({"etag"}),
    sealed=frozenset({"person"}),
    fields={"offence": "罪名", "kind": "種別", "seized_items": "押収品", "description": "品名"},
    values={"KIND_WARRANT": "通常逮捕", "KIND_URGENT": "緊急逮捕"},
)


def differences(before: Arrest, after: Arrest) -> list[FieldDifference]:
    return list(compare(before, after, READING))


def told(before: Arrest, after: Arrest) -> list[tuple[str, int, str, str]]:
    return [(each.path, each.change, each.before, each.after) for each in differences(before, after)]


def items(*descriptions: str) -> Sequence[SeizedItem]:
    return [SeizedItem(description=each) for each in descriptions]


def test_a_text_an_enum_and_a_time_are_told_as_values_and_in_words() -> None:
    before = Arrest(offence="窃盗", kind=Arrest.KIND_WARRANT, restraint_time=Timestamp(seconds=1_727_720_100))
    after = Arrest(offence="強盗", kind=Arrest.KIND_URGENT, etag="other")

    assert [(each.path, each.change, each.before, each.after, each.text_ja) for each in differences(before, after)] == [
        ("kind", REPLACED, '"KIND_WARRANT"', '"KIND_URGENT"', "種別: 通常逮捕 から 緊急逮捕 に変更"),
        ("restraint_time", REMOVED, '"2024-09-30T18:15:00Z"', "", "restraint_time: 2024-10-01 03:15:00 JST を削除"),
        ("offence", REPLACED, '"窃盗"', '"強盗"', "罪名: 「窃盗」 から 「強盗」 に変更"),
    ]
    assert differences(before, after)[2].text_en == "offence: 「窃盗」 became 「強盗」"


def test_an_element_put_into_a_list_is_one_difference() -> None:
    before, after = Arrest(seized_items=items("a", "b")), Arrest(seized_items=items("x", "a", "b"))

    assert told(before, after) == [("seized_items[0]", ADDED, "", '{"description": "x"}')]
    assert told(after, before) == [("seized_items[0]", REMOVED, '{"description": "x"}', "")]


def test_a_changed_element_is_told_by_its_fields() -> None:
    before, after = Arrest(seized_items=items("a", "b")), Arrest(seized_items=items("a", "c"))

    (difference,) = differences(before, after)

    assert (difference.path, difference.before, difference.after) == ("seized_items[1].description", '"b"', '"c"')
    assert difference.text_ja == "押収品(2件目)の品名: 「b」 から 「c」 に変更"
    assert difference.text_en == "seized items no. 2, description: 「b」 became 「c」"


def test_another_order_is_one_difference() -> None:
    before, after = Arrest(seized_items=items("a", "b", "b")), Arrest(seized_items=items("b", "a", "b"))

    assert told(before, after) == [("seized_items", REORDERED, "", "")]


def test_of_a_sealed_block_only_is_told_that_it_changed() -> None:
    secret, other = Person(display_name="演習太郎", birth_date="1990-01-02"), Person(display_name="演習次郎")

    for before, after, change in ((secret, other, REPLACED), (None, secret, ADDED), (secret, None, REMOVED)):
        (difference,) = differences(Arrest(person=before), Arrest(person=after))
        assert (difference.path, difference.change, difference.sealed) == ("person", change, True)
        assert (difference.before, difference.after) == ("", "")
        assert "演習" not in str(difference.text_ja + difference.text_en)
        assert "1990" not in str(difference)
    assert differences(Arrest(person=secret), Arrest(person=secret)) == []


def test_a_long_text_is_cut_and_says_so() -> None:
    (difference,) = differences(Arrest(text="連" * 20_000), Arrest(text="携"))

    assert (difference.cut, len(difference.before), difference.after) == (True, 2000, '"携"')
    assert len(difference.text_ja) < 200


short = st.text(alphabet="abc", max_size=2)
records = st.builds(
    lambda offence, kind, to, found, disposition: Arrest(
        offence=offence,
        kind=kind,
        handling=Handling(releasable_to=to),
        seized_items=[SeizedItem(description=d, exhibit_number=e) for d, e in found],
        disposition=disposition,
    ),
    short,
    st.sampled_from([Arrest.KIND_UNSPECIFIED, Arrest.KIND_WARRANT, Arrest.KIND_URGENT]),
    st.lists(short, max_size=4),
    st.lists(st.tuples(short, short), max_size=4),
    st.none() | st.builds(Disposition, reason=short),
)


def applied(before: Arrest, after: Arrest) -> Any:  # noqa: ANN401 (JSON)
    """Count how often each list element of both versions is told as gone or come."""
    counts = {"releasable_to": len(before.handling.releasable_to), "seized_items": len(before.seized_items)}
    for difference in differences(before, after):
        name = difference.path.partition("[")[0].rpartition(".")[2]
        if name in counts and difference.path.endswith("]"):
            counts[name] += {ADDED: 1, REMOVED: -1}.get(difference.change, 0)
    return counts


@given(records, records)
def test_there_is_a_difference_exactly_where_the_versions_differ(before: Arrest, after: Arrest) -> None:
    found = differences(before, after)

    assert bool(found) == (before != after)
    assert applied(before, after) == {
        "releasable_to": len(after.handling.releasable_to),
        "seized_items": len(after.seized_items),
    }
    for each in found:
        assert each.before != each.after or each.change == REORDERED
        assert (each.change == ADDED) <= (not each.before)
        assert (each.change == REMOVED) <= (not each.after)
        for value in filter(None, (each.before, each.after)):
            json.loads(value)


@given(records, records)
def test_the_other_way_round_what_came_is_gone(before: Arrest, after: Arrest) -> None:
    turned = {ADDED: REMOVED, REMOVED: ADDED}
    there = sorted((each.change, each.before, each.after) for each in differences(before, after))
    back = sorted(
        (turned.get(each.change, each.change), each.after, each.before) for each in differences(after, before)
    )

    assert [entry[0] for entry in there] == [entry[0] for entry in back]
