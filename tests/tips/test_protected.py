"""Protected identifiers: refused wherever one comes in, by the place where it stands and never by the number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import InvalidArgument, SettingsError
from renkei_chassis.records.protected import Protected, forms_of, load_protected
from renkei_tips.domain.identifiers import normal_form
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint
from tests.agency import MEMBERS, request_id, run_agency
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims

LAWYERS = "(演習データ) 弁護士会"


def settings(protected: tuple[Protected, ...] = ()) -> Settings:
    return Settings(members=MEMBERS, release_without_instrument=True, protected=protected)


def a_list(*identifiers: str, kind: str = "PHONE") -> tuple[Protected, ...]:
    return (Protected(whose=LAWYERS, type=kind, identifiers=identifiers),)


async def test_what_is_protected_comes_in_nowhere_and_links_nothing_any_more(tmp_path: Path, ports: PortClaims) -> None:
    shared, free = an_occurrence("090-1234-5678"), an_occurrence("090-8888-7777")
    async with run_agency(blueprint(settings()), tmp_path, ports) as agency:
        before = await Tips(agency.client()).create(a_tip(identifiers=[shared]))
    protected = a_list("０９０（１２３４）５６７８")
    async with run_agency(blueprint(settings(protected)), tmp_path, ports) as agency:
        tips = Tips(agency.client())
        with pytest.raises(InvalidArgument) as refused:
            await tips.create(a_tip(identifiers=[free, an_occurrence("+81 90 1234 5678")]))
        rows = await tips.load(
            [a_tip(identifiers=[free]), a_tip(identifiers=[free, shared]), a_tip()], load_id=request_id()
        )
        # What was recorded before it was protected stands, so that the record can be corrected, and links nothing.
        after = await tips.update(tips_pb2.Tip(name=before.name, etag=before.etag, text="(演習)"), "text")
        more = tips_pb2.Tip(name=after.name, etag=after.etag, identifiers=[shared, an_occurrence("09012345678")])
        with pytest.raises(InvalidArgument) as added:
            await tips.update(more, "identifiers")
        found = await tips.search("1234-5678")
        others = await tips.search("8888-7777")

    assert refused.value.reason == "PROTECTED_IDENTIFIER"
    assert refused.value.metadata == {"field": "tip.identifiers[1].identifier", "whose": LAWYERS}
    assert [violation.field for violation in refused.value.violations] == ["tip.identifiers[1].identifier"]
    info, broken = ErrorInfo(), BadRequest()
    assert all(detail.Unpack(info) or detail.Unpack(broken) for detail in rows[1].error.details)
    assert [bool(row.name) for row in rows] == [True, False, True]
    assert (info.reason, info.metadata["field"]) == ("PROTECTED_IDENTIFIER", "tip.identifiers[1].identifier")
    for text in (str(refused.value), str(rows[1].error), str(broken)):
        assert "5678" not in text
    assert after.identifiers[0].identifier.original == "090-1234-5678"
    assert after.identifiers[0].identifier.normal_form == ""
    assert added.value.metadata["field"] == "tip.identifiers[1].identifier"
    assert [tip.name for tip in found.tips] == []
    assert [tip.name for tip in others.tips] == [rows[0].name]


@pytest.mark.parametrize("number", ["110", "１１９", "118", "#9110", "＃9110", "電話：189"])
async def test_what_serves_everybody_needs_no_list(tips: Tips, number: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.create(a_tip(identifiers=[an_occurrence(number)]))

    assert refused.value.reason == "PROTECTED_IDENTIFIER"
    assert refused.value.metadata["whose"] == "公共サービス"


async def test_a_number_that_merely_cannot_be_read_is_kept(tips: Tips) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence("03-1234"), an_occurrence("1100")]))

    assert [one.identifier.normal_form for one in made.identifiers] == ["", ""]


def test_a_list_is_read_from_its_file_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "protected.toml"
    missing = load_protected(path)
    path.write_text(
        '[[protected]]\nwhose = "報道"\ntype = "PHONE"\nidentifiers = ["03-1234-5678"]\n'
        '[[protected]]\nwhose = "広報"\ntype = "HANDLE"\nidentifiers = ["x:@Police_PR"]\n'
    )

    forms = forms_of(load_protected(path), normal_form)

    assert missing == ()
    assert forms == {("PHONE", "+81312345678"): "報道", ("HANDLE", "x:police_pr"): "広報"}


@pytest.mark.parametrize(
    ("kind", "identifier", "place"),
    [
        ("PHONE", "nobody's", "protected[0].identifiers[1]"),
        ("PHONE", "12345", "protected[0].identifiers[1]"),
        ("FAX", "03-1234-5678", "protected[0].type"),
    ],
)
def test_an_entry_that_would_protect_nothing_stops_the_start(kind: str, identifier: str, place: str) -> None:
    with pytest.raises(SettingsError, match="protected") as refused:
        forms_of(a_list("03-1234-5678", identifier, kind=kind), normal_form)

    assert str(refused.value).startswith(place)
    assert identifier not in str(refused.value)


@pytest.mark.parametrize("text", ['protected = "x"', '[[protected]]\nwhose = ""\ntype = "PHONE"\nidentifiers = ["1"]'])
def test_a_file_that_says_something_else_stops_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "protected.toml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=r"protected\.toml"):
        load_protected(path)
