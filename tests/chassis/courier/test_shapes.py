"""Names of streams and subjects are distinct for distinct agencies, and take nothing hostile in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.courier import agency_token, lane_shape, log_shape, peer_inbox_prefix

CODES = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,3}", fullmatch=True)


def test_the_names_are_the_agreed_ones() -> None:
    lane, log = lane_shape("jp-12", "data"), log_shape("tips")

    assert (lane.name, lane.subject) == ("OUT_jp_12_data", "lane.jp_12.data")
    assert (log.name, log.subject) == ("LOG_tips", "ev.tips")
    assert lane.durable is not None
    assert lane.durable.name == "feed"
    assert peer_inbox_prefix("jp-12") == "_INBOX_jp_12"


@given(one=CODES, other=CODES)
def test_two_agencies_never_share_a_token(one: str, other: str) -> None:
    assert (agency_token(one) == agency_token(other)) == (one == other)


@pytest.mark.parametrize(
    "code", ["", "JP-12", "jp_12", "jp-", "-jp", "jp--12", "jp.12", "jp 12", "*", ">", "jp-12\n", "jp-１２", "a" * 33]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="an agency's code"):
        lane_shape(code, "data")


@pytest.mark.parametrize("service", ["", "Tips", "tips.>", "tips-2", "2tips", "tips\n", "a" * 33])
def test_what_is_no_service_is_refused(service: str) -> None:
    with pytest.raises(ValueError, match="a service's name"):
        log_shape(service)


def test_there_are_two_lanes_and_no_third() -> None:
    with pytest.raises(ValueError, match="control or data"):
        lane_shape("jp-12", "other")  # type: ignore[arg-type]
