"""What is no token of the right form is refused, whoever signed it and whatever it says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renkei_chassis.errors import Unauthenticated
from renkei_chassis.identity import (
    public_text,
)
from tests.chassis.identity.tokens import (
    AGENCY,
    HOME,
    NOW,
    OFFICER,
    PEER,
    SECOND,
    SERVICE,
    VERIFIER,
    encoded,
    refused_for,
    token,
)


def test_a_token_that_signs_nothing_is_refused() -> None:
    """`alg: none` is the oldest trick."""
    claims = json.dumps({"iss": AGENCY, "sub": OFFICER}).encode()
    head = encoded(json.dumps({"alg": "none", "typ": "renkei+jwt", "kid": AGENCY}).encode())

    for signature in ("", encoded(b"\0" * 64)):
        assert refused_for(f"{head}.{encoded(claims)}.{signature}")[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize("alg", ["HS256", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(alg: str) -> None:
    """A library that lets the token choose would verify an HMAC under the public key that everybody knows."""
    head = encoded(json.dumps({"alg": alg, "typ": "renkei+jwt", "kid": AGENCY}).encode())
    signed = f"{head}.{HOME.officer().split('.')[1]}"
    digest = hashlib.sha256 if alg == "HS256" else hashlib.sha512
    for secret in (HOME.node.public_key().public_bytes_raw(), public_text(HOME.node).encode()):
        signature = hmac.new(secret, signed.encode(), digest).digest()

        assert refused_for(f"{signed}.{encoded(signature)}")[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": None},
        {"typ": 1},
        {"alg": "ES256"},
        {"alg": "Ed25519"},
        {"alg": None},
        {"alg": ["EdDSA"]},
        {"kid": None},
        {"kid": 7},
        {"kid": {"a": 1}},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"jwk": {"kty": "OKP"}},
        {"jku": "http://127.0.0.1/"},
    ],
)
def test_a_header_of_another_form_is_refused(header: dict[str, object]) -> None:
    assert refused_for(HOME.officer(header))[0] == "TOKEN_MALFORMED"


def test_the_key_id_must_name_the_issuer() -> None:
    """Else a service could sign as the node: right key, wrong name in it."""
    forged = token(
        HOME.service,
        {"kid": SERVICE},
        {"iss": AGENCY, "sub": OFFICER, "agency": AGENCY, "roles": ["OPERATOR"]},
    )

    assert refused_for(forged) == ("TOKEN_MALFORMED", "iss")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_byte_anywhere_is_refused(part: int) -> None:
    parts = HOME.officer().split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]

    assert refused_for(".".join(parts))[0] in {"TOKEN_BAD_SIGNATURE", "TOKEN_MALFORMED", "TOKEN_UNTRUSTED_ISSUER"}


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "agency", "roles"])
def test_a_token_without_one_of_its_claims_is_refused(claim: str) -> None:
    assert refused_for(HOME.officer(**{claim: None}))[0] == "TOKEN_MALFORMED"


def test_a_claim_that_we_do_not_know_is_not_overlooked() -> None:
    """It may bind the token to a certificate or to a case."""
    assert refused_for(HOME.officer(cnf={"x5t#S256": "a"}))[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
@pytest.mark.parametrize(
    "value",
    [
        True,
        1e308,
        float(SECOND),
        float("inf"),
        float("nan"),
        str(SECOND),
        -1,
        10**12,
        10**300,
        [SECOND],
        {},
    ],
)
def test_a_time_that_is_no_whole_number_of_seconds_is_refused(claim: str, value: object) -> None:
    assert refused_for(HOME.officer(**{claim: value})) == ("TOKEN_MALFORMED", claim)


def test_a_number_too_long_to_read_is_refused() -> None:
    """Python reads no integer of 4,301 digits, and says so with a ValueError."""
    claims = f'{{"exp": {"1" * 2900}}}'.encode()

    assert refused_for(token(HOME.node, {"kid": AGENCY}, claims))[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize("claims", [b"[" * 2800, b'{"a":' * 550, b"\xff\xfe{\0}\0", b"7", b"[]", b"", b"{"])
def test_claims_that_are_no_object_are_refused(claims: bytes) -> None:
    assert refused_for(token(HOME.node, {"kid": AGENCY}, claims))[0] == "TOKEN_MALFORMED"


def test_a_deeply_nested_header_is_refused() -> None:
    """No signature is needed for this one, so anybody can send it."""
    assert refused_for(f"{encoded(b'[' * 2000)}.e30.AAAA")[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize("audience", [[AGENCY], [AGENCY, "agencies/jp-13"], "", "a" * 257, 1])
def test_an_audience_is_one_name(audience: object) -> None:
    assert refused_for(HOME.officer(aud=audience)) == ("TOKEN_MALFORMED", "aud")


@pytest.mark.parametrize("roles", [[], "ANALYST", ["analyst"], ["A" * 33], [1], [["A"]], ["A"] * 33, {"A": 1}, ["A\n"]])
def test_roles_are_a_short_list_of_names(roles: object) -> None:
    assert refused_for(HOME.officer(roles=roles)) == ("TOKEN_MALFORMED", "roles")


def test_a_megabyte_is_refused_before_it_is_read() -> None:
    assert refused_for("a" * (1 << 20))[0] == "TOKEN_MALFORMED"
    assert refused_for("あ" * 100)[0] == "TOKEN_MALFORMED"
    assert refused_for(HOME.officer(jti="a" * 4000))[0] == "TOKEN_MALFORMED"


@given(st.text(max_size=500) | st.binary(max_size=500).map(lambda raw: base64.b64encode(raw, b"-_").decode()))
@example("..")
@example("e30.e30.e30")
@example("=.=.=")
def test_garbage_is_refused_as_unauthenticated(garbage: str) -> None:
    assert refused_for(garbage)[0] in {"TOKEN_MALFORMED", "TOKEN_MISSING"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "agency", "roles"]), json_values, min_size=1
    )
)
def test_whatever_a_trusted_issuer_signs_is_believed_or_refused(claims: dict[str, object]) -> None:
    """A peer's key is trusted, the peer is not: nothing it signs may become an internal error."""
    forged = HOME.of_peer(**claims)

    try:
        principal = VERIFIER.verify(forged, NOW)
    except Unauthenticated:
        return

    assert (principal.subject, principal.agency, principal.roles) == (PEER, "agencies/jp-09", frozenset({"PEER"}))


@given(header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "x"]), json_values, min_size=1))
def test_whatever_stands_in_a_header_is_believed_or_refused(header: dict[str, object]) -> None:
    forged = token(HOME.node, header, {})

    with pytest.raises(Unauthenticated):
        VERIFIER.verify(forged, NOW)
