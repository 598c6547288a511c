"""The token in the header of a call."""

from __future__ import annotations

import pytest

from renkei_chassis.errors import Unauthenticated
from renkei_chassis.identity import (
    TokenReason,
    bearer,
)


@pytest.mark.parametrize("header", [None, "", b""], ids=["none", "empty", "no bytes"])
def test_a_call_without_the_header_has_no_token(header: str | bytes | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        bearer(header)

    assert refused.value.reason == TokenReason.MISSING


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic abc", "abc", b"Bearer abc"])
def test_a_header_of_another_scheme_is_refused(header: str | bytes) -> None:
    with pytest.raises(Unauthenticated) as refused:
        bearer(header)

    assert refused.value.reason == TokenReason.MALFORMED


def test_a_bearer_token_is_taken_out_of_its_header() -> None:
    assert bearer("Bearer abc") == bearer("bearer abc") == "abc"
