"""One thing has one name, in one spelling, and a wrong one is refused without being repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.ids import uuid7
from renkei_chassis.resource_names import AGENCY, LOG, MAX_LENGTH, Pattern, agency_of, is_agency_code

TIP = Pattern("agencies/{agency}/tips/{tip}")
SLUGS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
CODES = st.from_regex(r"[a-z]{2}-[a-z0-9]{2,8}", fullmatch=True).filter(str.isascii)

HOSTILE = [
    "",
    "/",
    "agencies/jp-12/tips/",
    "agencies/jp-12/tips/a/",
    "/agencies/jp-12/tips/a",
    "agencies/jp-12/tips/a\n",
    "agencies/jp-12/tips/a\0",
    "agencies/jp-12/tips/A",
    "agencies/jp-12/tips/-",
    "agencies/-/tips/a",
    "agencies/JP-12/tips/a",
    "agencies/jp-1/tips/a",
    "agencies/jp-123456789/tips/a",
    "agencies/jp-12/tip/a",
    "agencies/jp-12/tips/a/b",
    "agencies/jp-12/tips/..",
    "agencies/jp-12/tips/a%2fb",
    "agencies/jp-１２/tips/a",
    "agencies/jp-12/tips/\u202ea",
    "agencies/jp-12/tips/𠮷",
    "agencies/jp-12/tips/a-",
    f"agencies/jp-12/tips/{'a' * 64}",
    f"agencies/jp-12/tips/{'a' * 100_000}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_not_of_its_form_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        TIP.parse(name, field="tip.name")

    assert refused.value.reason == "INVALID_RESOURCE_NAME"
    assert [violation.field for violation in refused.value.violations] == ["tip.name"]
    assert not TIP.matches(name)


@given(st.text(min_size=4, max_size=300).filter(lambda text: not TIP.matches(text)))
def test_a_refusal_never_repeats_the_name(name: str) -> None:
    """It may be a telephone number that somebody typed into the wrong field."""
    marker = f"marker{name}marker"

    with pytest.raises(InvalidArgument) as refused:
        TIP.parse(marker)

    assert "marker" not in f"{refused.value} {refused.value.metadata} {refused.value.violations}"


@given(agency=CODES, tip=SLUGS)
def test_what_was_formatted_parses_back(agency: str, tip: str) -> None:
    assert TIP.parse(TIP.format(agency=agency, tip=tip)) == {"agency": agency, "tip": tip}


def test_an_id_may_be_a_uuid() -> None:
    made = uuid7()

    assert TIP.parse(TIP.format(agency="jp-npa", tip=made))["tip"] == str(made)


@pytest.mark.parametrize("tip", ["a/b", "", "-", "A", "a" * 64, "𠮷"])
def test_a_name_is_not_built_from_a_wrong_id(tip: str) -> None:
    with pytest.raises(InvalidArgument):
        TIP.format(agency="jp-12", tip=tip)


def test_a_forgotten_variable_is_a_mistake_of_the_code() -> None:
    with pytest.raises(TypeError):
        TIP.format(agency="jp-12")


def test_a_wildcard_stands_only_where_it_is_allowed() -> None:
    parent = Pattern("agencies/{agency}/tips/{tip}", wildcards=("agency",))

    assert parent.parse("agencies/-/tips/a")["agency"] == "-"
    assert not parent.matches("agencies/jp-12/tips/-")


@pytest.mark.parametrize(
    "template", ["agencies/{agency", "agencies/{agency}/{agency}", "", "a//b", "agencies/{agency}/x.*"]
)
def test_a_template_that_is_none_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Pattern(template)


def test_a_wildcard_for_an_unknown_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="no variable"):
        Pattern("agencies/{agency}", wildcards=("tip",))


def test_the_agency_of_any_name_is_told() -> None:
    assert agency_of("agencies/jp-12") == "jp-12"
    assert agency_of(LOG.format(agency="jp-npa", service="tips")) == "jp-npa"


@pytest.mark.parametrize(
    "name", ["", "agencies/jp", "tips/a", "agencies/jp-12/tips", "agencies/jp-12\n", "a" * (MAX_LENGTH + 1)]
)
def test_a_name_without_an_agency_has_none(name: str) -> None:
    with pytest.raises(InvalidArgument):
        agency_of(name)


def test_an_agency_code_is_known_by_its_form() -> None:
    assert is_agency_code("jp-npa")
    assert not is_agency_code("jp-npa\n")
    assert AGENCY.matches("agencies/jp-12")
