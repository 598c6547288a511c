"""A token continues exactly the query it was made for, and nothing else can be passed off as one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.rpc.page_tokens import INVALID_RESUME_TOKEN, MAX_TOKEN_CHARACTERS, PageTokens

SECRET = bytes(range(32))
TOKENS = PageTokens(SECRET)
LIST = "tips.list"
QUERY = tips_pb2.ListTipsRequest(parent="agencies/jp-12", page_size=10, case_reference="R6-1")
POSITION = (1_700_000_000_000_000, "agencies/jp-12/tips/0191a2b3-0000-7000-8000-000000000001")

numbers = st.integers(-(2**63), 2**63 - 1)
positions = st.lists(numbers | st.text(max_size=20), max_size=4).map(tuple)
kinds = st.text(max_size=20)


def is_refused(token: str, *, kind: str = LIST, query: tips_pb2.ListTipsRequest | bytes = QUERY) -> bool:
    try:
        TOKENS.decode(kind, query, token)
    except InvalidArgument as error:
        return error.reason == "INVALID_PAGE_TOKEN"
    return False


@given(kinds, st.binary(max_size=50), positions)
def test_a_token_gives_back_the_position_it_was_made_of(
    kind: str, query: bytes, position: tuple[str | int, ...]
) -> None:
    token = TOKENS.encode(kind, query, position)

    assert TOKENS.decode(kind, query, token) == position
    assert len(token) <= MAX_TOKEN_CHARACTERS
    assert token.isascii()


def test_no_token_is_no_position() -> None:
    assert TOKENS.decode(LIST, QUERY, "") is None


def test_page_size_and_token_are_not_of_the_query() -> None:
    token = TOKENS.encode(LIST, QUERY, POSITION)
    next_page = tips_pb2.ListTipsRequest(parent="agencies/jp-12", page_size=500, case_reference="R6-1")
    next_page.page_token = token

    assert TOKENS.decode(LIST, next_page, token) == POSITION
    assert QUERY.page_size == 10


def test_a_token_of_another_filter_is_refused() -> None:
    token = TOKENS.encode(LIST, QUERY, POSITION)

    assert is_refused(token, query=tips_pb2.ListTipsRequest(parent="agencies/jp-12", case_reference="R6-2"))


def test_a_token_of_another_method_is_refused() -> None:
    assert is_refused(TOKENS.encode("tips.search", QUERY, POSITION))


def test_kind_and_query_cannot_be_shifted_into_each_other() -> None:
    assert is_refused(TOKENS.encode("ab", b"c", POSITION), kind="a", query=b"bc")


def test_a_token_of_another_service_is_refused() -> None:
    assert is_refused(PageTokens(bytes(32)).encode(LIST, QUERY, POSITION))


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    token = TOKENS.encode(LIST, QUERY, POSITION)
    sealed = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << place % 8

    assert is_refused(urlsafe_b64encode(sealed).rstrip(b"=").decode())


@given(st.data())
def test_a_changed_character_is_refused(data: st.DataObject) -> None:
    """Also the last one, whose low bits base64 does not use."""
    token = TOKENS.encode(LIST, QUERY, POSITION)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=\n 表\0"))
    changed = token[:place] + other + token[place + 1 :]

    assert changed == token or is_refused(changed)


@given(st.data())
def test_a_cut_or_lengthened_token_is_refused(data: st.DataObject) -> None:
    token = TOKENS.encode(LIST, QUERY, POSITION)
    cut = data.draw(st.integers(1, len(token) - 1))

    assert is_refused(token[:cut])
    assert is_refused(token + data.draw(st.text(min_size=1)))


@given(st.text(min_size=1))
def test_garbage_is_refused(garbage: str) -> None:
    assert is_refused(garbage)


def test_an_endless_token_is_refused() -> None:
    assert is_refused("A" * 10_000_000)


def test_a_resume_token_is_refused_with_its_own_reason() -> None:
    with pytest.raises(InvalidArgument) as caught:
        TOKENS.decode("tips.watch", b"", "garbage", reason=INVALID_RESUME_TOKEN)

    assert caught.value.reason == "INVALID_RESUME_TOKEN"
    assert "garbage" not in str(caught.value)


def test_a_position_too_long_for_a_token_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="at most"):
        TOKENS.encode(LIST, QUERY, ("x" * 1000,))


def test_a_short_secret_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        PageTokens(b"short")
