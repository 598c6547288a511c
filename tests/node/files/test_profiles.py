"""Profiles: checked against the contract before any file is read, found by name, and saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from renkei_files import ProfileError, read_profile
from renkei_node.files.kinds import ARRESTS, KINDS, TIPS
from renkei_node.files.plan import plan
from renkei_node.files.profiles import STANDARD, find_profile, save_profile
from tests.agency import AGENCY
from tests.node.files.node import Node, csv_of
from tests.node.files.test_importing import all_tips

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_node.files.plan import Plan
    from tests.tips.calls import Tips

HEAD: Final = """
version = 1
name = "演習"
[constants]
"source" = "BANK"
"grading.reliability" = "A"
"grading.accuracy" = "1"
"handling.purpose_code" = "organised-robbery"
"identifiers.provenance" = "BANK"
"identifiers.relation" = "MENTIONED"
[[columns]]
field = "text"
headers = ["摘要"]
"""


def planned(more: str, head: str = HEAD) -> Plan:
    return plan(read_profile(head + more), TIPS)


def column(field: str, *more: str) -> str:
    return "\n".join(["[[columns]]", f'field = "{field}"', f'headers = ["{field}"]', *more, ""])


@pytest.mark.parametrize("collection", KINDS)
def test_the_profile_that_comes_along_is_whole(collection: str, tmp_path: Path) -> None:
    made = plan(find_profile(tmp_path, collection, STANDARD), KINDS[collection])

    assert {scalar.field for scalar in made.scalars} >= {"external_reference", "text", "handling.caveat"}
    assert made.has_release
    assert made.slots


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (column("nothing"), "no field of tips"),
        (column("name"), "no field of tips"),
        (column("create_time", 'kind = "moment"'), "no field of tips"),
        (column("contact_desk"), "no field of tips"),
        (column("person.display_name"), "no field of tips"),
        (column("observe_time"), "needs kind = day or moment"),
        (column("display_name", 'kind = "day"'), "needs kind = text"),
        (column("display_name", 'separator = ";"'), "no separator"),
        (column("handling.judicial_use"), "needs kind = choice"),
        (column("handling.judicial_use", 'kind = "choice"', 'choices = { x = "ALWAYS" }'), "means none of FREE, ASK"),
        (column("handling.release", 'kind = "choice"', 'choices = { x = "FULL" }'), "needs handling.releasable_to"),
        (column("identifiers.fax"), "no type of identifier"),
        (column("identifiers.phone.relation", 'kind = "choice"', 'choices = { x = "MENTIONED" }'), "tells of"),
        (column("identifiers.phone.a.b"), "after the label"),
        (column("seized_item.description"), "no field of tips"),
        (column("only.note"), "needs kind = choice"),
    ],
)
def test_a_profile_that_means_nothing_is_refused_with_its_field(more: str, said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        planned(more)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"source" = "BANK"\n', "", "source: no column and no constant"),
        ('"source" = "BANK"', '"source" = "SOMEBODY"', "source: must be one of"),
        ('"identifiers.relation" = "MENTIONED"\n', "", "nothing gives its relation"),
        ('"source" = "BANK"', '"source" = "BANK"\n"text" = "x"', "both a column and a constant"),
        ('"source" = "BANK"', '"source" = "BANK"\n"observe_time" = "2024-10-03"', "cannot be the same"),
    ],
)
def test_constants_are_held_to_the_same_rules(old: str, new: str, said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        planned(column("identifiers.phone"), HEAD.replace(old, new))


def test_persons_and_seized_items_are_fields_of_arrests_alone() -> None:
    assert {"person.display_name", "seized_item.description"} <= set(ARRESTS.fields)
    assert not [field for field in TIPS.fields if field.startswith(("person", "seized"))]


async def test_a_profile_of_ones_own_is_saved_and_used_by_name(node: Node, tips: Tips) -> None:
    more = column("identifiers.imei.first", 'separator = "/"') + column("handling.releasable_to", 'separator = ","')
    profile = await node.write("ours.toml", (HEAD + more).encode())
    rows = [
        ["摘要", "identifiers.imei.first", "handling.releasable_to"],
        ["演習", "490154203237518/490154203237518", ""],
    ]
    one, other = await node.write("one.csv", csv_of(rows)), await node.write("two.csv", csv_of([*rows, ["x", "", ""]]))

    first = await node.told("tips", "import", one, "--profile", profile, "--save-profile", "bank-list")
    second = await node.told("tips", "import", other, "--profile", "bank-list")

    assert (first["recorded"], second["recorded"]) == (1, 2)
    found = await all_tips(tips)
    assert [len(tip.identifiers) for tip in found] == [2, 2, 0]
    assert all(tip.name.startswith(AGENCY) for tip in found)


@pytest.mark.parametrize("name", ["Ours", "../x", "standard", ""])
def test_a_profile_is_saved_under_a_plain_name_alone(name: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="lower-case letters"):
        save_profile(tmp_path, "tips", STANDARD, name)


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff", "not in UTF-8"), (b"x", "no TOML")])
async def test_a_profile_that_cannot_be_read_is_said_before_anything_is_sent(
    node: Node, content: bytes | None, said: str
) -> None:
    file = await node.write("tips.csv", csv_of([["摘要"], ["x"]]))
    profile = node.directory.parent / "p.toml" if content is None else await node.write("p.toml", content)

    result = await node.run("tips", "import", file, "--profile", profile)

    assert result.exit_code == 1
    assert said in result.output
