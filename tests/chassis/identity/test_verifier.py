"""Who is not let in, and then who is: every refusal has its reason and repeats nothing of the token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renkei_chassis.errors import Unauthenticated, to_status
from renkei_chassis.identity import (
    Issuer,
    IssuerKind,
    PrincipalKind,
    TokenReason,
    TrustFile,
    Verifier,
    bearer,
    generate,
    public_text,
)
from tests.chassis.identity.tokens import AGENCY, NOW, OFFICER, PEER, SECOND, SERVICE, Agency, encoded, token

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = Agency()
VERIFIER = HOME.verifier()


def _reason(text: str | None, verifier: Verifier = VERIFIER, *, after_seconds: float = 0) -> tuple[str, str]:
    """Give reason and blamed claim of the refusal, which must be Unauthenticated and nothing else."""
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(text, NOW + timedelta(seconds=after_seconds))
    return refused.value.reason, refused.value.metadata.get("claim", "")


def test_no_token_is_missing() -> None:
    assert _reason(None) == ("TOKEN_MISSING", "")
    assert _reason("") == ("TOKEN_MISSING", "")


def test_a_token_that_signs_nothing_is_refused() -> None:
    """`alg: none` is the oldest trick."""
    claims = json.dumps({"iss": AGENCY, "sub": OFFICER}).encode()
    head = encoded(json.dumps({"alg": "none", "typ": "renkei+jwt", "kid": AGENCY}).encode())

    for signature in ("", encoded(b"\0" * 64)):
        assert _reason(f"{head}.{encoded(claims)}.{signature}")[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize("alg", ["HS256", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(alg: str) -> None:
    """A library that lets the token choose would verify an HMAC under the public key that everybody knows."""
    head = encoded(json.dumps({"alg": alg, "typ": "renkei+jwt", "kid": AGENCY}).encode())
    signed = f"{head}.{HOME.officer().split('.')[1]}"
    digest = hashlib.sha256 if alg == "HS256" else hashlib.sha512
    for secret in (HOME.node.public_key().public_bytes_raw(), public_text(HOME.node).encode()):
        signature = hmac.new(secret, signed.encode(), digest).digest()

        assert _reason(f"{signed}.{encoded(signature)}")[0] == "TOKEN_MALFORMED"


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
    assert _reason(HOME.officer(header))[0] == "TOKEN_MALFORMED"


def test_the_key_id_must_name_the_issuer() -> None:
    """Else a service could sign as the node: right key, wrong name in it."""
    forged = token(
        HOME.service,
        {"kid": SERVICE},
        {"iss": AGENCY, "sub": OFFICER, "agency": AGENCY, "roles": ["OPERATOR"]},
    )

    assert _reason(forged) == ("TOKEN_MALFORMED", "iss")


def test_another_nodes_token_is_not_trusted() -> None:
    other = "agencies/jp-13"
    theirs = token(generate(), {"kid": other}, {"iss": other, "sub": f"{other}/officers/x", "agency": other})

    assert _reason(theirs) == ("TOKEN_UNTRUSTED_ISSUER", "")


def test_a_stranger_who_uses_our_name_has_the_wrong_signature() -> None:
    assert _reason(Agency().officer()) == ("TOKEN_BAD_SIGNATURE", "")


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_byte_anywhere_is_refused(part: int) -> None:
    parts = HOME.officer().split(".")
    middle = len(parts[part]) // 2
    parts[part] = parts[part][:middle] + ("A" if parts[part][middle] != "A" else "B") + parts[part][middle + 1 :]

    assert _reason(".".join(parts))[0] in {"TOKEN_BAD_SIGNATURE", "TOKEN_MALFORMED", "TOKEN_UNTRUSTED_ISSUER"}


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "iat", "nbf", "exp", "jti", "agency", "roles"])
def test_a_token_without_one_of_its_claims_is_refused(claim: str) -> None:
    assert _reason(HOME.officer(**{claim: None}))[0] == "TOKEN_MALFORMED"


def test_a_claim_that_we_do_not_know_is_not_overlooked() -> None:
    """It may bind the token to a certificate or to a case."""
    assert _reason(HOME.officer(cnf={"x5t#S256": "a"}))[0] == "TOKEN_MALFORMED"


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
    assert _reason(HOME.officer(**{claim: value})) == ("TOKEN_MALFORMED", claim)


def test_a_number_too_long_to_read_is_refused() -> None:
    """Python reads no integer of 4,301 digits, and says so with a ValueError."""
    claims = f'{{"exp": {"1" * 2900}}}'.encode()

    assert _reason(token(HOME.node, {"kid": AGENCY}, claims))[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize("claims", [b"[" * 2800, b'{"a":' * 550, b"\xff\xfe{\0}\0", b"7", b"[]", b"", b"{"])
def test_claims_that_are_no_object_are_refused(claims: bytes) -> None:
    assert _reason(token(HOME.node, {"kid": AGENCY}, claims))[0] == "TOKEN_MALFORMED"


def test_a_deeply_nested_header_is_refused() -> None:
    """No signature is needed for this one, so anybody can send it."""
    assert _reason(f"{encoded(b'[' * 2000)}.e30.AAAA")[0] == "TOKEN_MALFORMED"


@pytest.mark.parametrize(
    ("claims", "blamed"),
    [
        ({"exp": SECOND + 901}, "exp"),
        ({"iat": SECOND - 1000, "nbf": SECOND - 1000}, "exp"),
        ({"nbf": SECOND - 1}, "nbf"),
        ({"nbf": SECOND + 301}, "nbf"),
        ({"exp": SECOND - 1}, "nbf"),
    ],
)
def test_a_token_may_not_live_long_nor_contradict_itself(claims: dict[str, int], blamed: str) -> None:
    assert _reason(HOME.officer(**claims)) == ("TOKEN_MALFORMED", blamed)


@pytest.mark.parametrize("make", [HOME.of_service, HOME.of_peer])
def test_a_service_has_shorter_tokens_than_an_officer(make: Callable[..., str]) -> None:
    assert _reason(make(exp=SECOND + 301)) == ("TOKEN_MALFORMED", "exp")


@pytest.mark.parametrize("audience", ["agencies/jp-13", "agencies/jp-1", AGENCY + "/", "*"])
def test_a_token_for_another_agency_is_refused(audience: str) -> None:
    assert _reason(HOME.officer(aud=audience)) == ("TOKEN_WRONG_AUDIENCE", "")


@pytest.mark.parametrize("audience", [[AGENCY], [AGENCY, "agencies/jp-13"], "", "a" * 257, 1])
def test_an_audience_is_one_name(audience: object) -> None:
    assert _reason(HOME.officer(aud=audience)) == ("TOKEN_MALFORMED", "aud")


@pytest.mark.parametrize("roles", [[], "ANALYST", ["analyst"], ["A" * 33], [1], [["A"]], ["A"] * 33, {"A": 1}, ["A\n"]])
def test_roles_are_a_short_list_of_names(roles: object) -> None:
    assert _reason(HOME.officer(roles=roles)) == ("TOKEN_MALFORMED", "roles")


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(HOME.officer(roles=["SERVICE"]), id="an officer as a service"),
        pytest.param(HOME.officer(roles=["ANALYST", "PEER"]), id="an officer as a peer"),
        pytest.param(HOME.of_service(roles=["OPERATOR"]), id="a service as an officer"),
        pytest.param(HOME.of_service(roles=["SERVICE", "OPERATOR"]), id="a service with one role more"),
        pytest.param(HOME.of_service(roles=["PEER"]), id="a service as a peer"),
        pytest.param(HOME.of_peer(roles=["SERVICE"]), id="a peer as a service"),
        pytest.param(HOME.of_peer(roles=["PEER", "ANALYST"]), id="a peer with one role more"),
    ],
)
def test_an_issuer_cannot_give_a_role_that_is_not_its_to_give(forged: str) -> None:
    assert _reason(forged) == ("TOKEN_ROLE_NOT_ALLOWED", "roles")


@pytest.mark.parametrize(
    ("forged", "blamed"),
    [
        pytest.param(HOME.of_service(sub="agencies/jp-12/services/leads"), "sub", id="as another service"),
        pytest.param(HOME.of_service(sub=OFFICER), "sub", id="as an officer"),
        pytest.param(HOME.of_peer(sub="agencies/jp-12/services/exchange"), "sub", id="as our exchange"),
        pytest.param(HOME.of_peer(agency=AGENCY), "agency", id="as our agency"),
        pytest.param(HOME.of_peer(agency="agencies/jp-13"), "agency", id="as a third agency"),
        pytest.param(HOME.officer(sub="agencies/jp-13/officers/x"), "sub", id="another agency's officer"),
        pytest.param(HOME.officer(sub=SERVICE), "sub", id="an officer called like a service"),
        pytest.param(HOME.officer(jti="a b"), "jti", id="an id with a space"),
        pytest.param(HOME.officer(jti=1), "jti", id="an id that is a number"),
    ],
)
def test_nobody_speaks_for_another(forged: str, blamed: str) -> None:
    assert _reason(forged) == ("TOKEN_MALFORMED", blamed)


@pytest.mark.parametrize("remembered", [0, 100])
def test_a_token_ends_when_it_says_so(remembered: int) -> None:
    """Also a token that was believed before: a memo must not prolong anything."""
    verifier, text = HOME.verifier(remembered=remembered), HOME.officer()
    verifier.verify(text, NOW + timedelta(seconds=304))

    assert _reason(text, verifier, after_seconds=305) == ("TOKEN_EXPIRED", "")
    assert _reason(text, verifier, after_seconds=-6) == ("TOKEN_NOT_YET_VALID", "")
    assert verifier.verify(text, NOW - timedelta(seconds=5)).subject == OFFICER


def test_without_leeway_the_last_second_is_the_last() -> None:
    verifier = HOME.verifier(leeway_seconds=0)

    assert _reason(HOME.officer(), verifier, after_seconds=300) == ("TOKEN_EXPIRED", "")
    assert verifier.verify(HOME.officer(), NOW + timedelta(seconds=299.9)).subject == OFFICER


def test_a_megabyte_is_refused_before_it_is_read() -> None:
    assert _reason("a" * (1 << 20))[0] == "TOKEN_MALFORMED"
    assert _reason("あ" * 100)[0] == "TOKEN_MALFORMED"
    assert _reason(HOME.officer(jti="a" * 4000))[0] == "TOKEN_MALFORMED"


@given(st.text(max_size=500) | st.binary(max_size=500).map(lambda raw: base64.b64encode(raw, b"-_").decode()))
@example("..")
@example("e30.e30.e30")
@example("=.=.=")
def test_garbage_is_refused_as_unauthenticated(garbage: str) -> None:
    assert _reason(garbage)[0] in {"TOKEN_MALFORMED", "TOKEN_MISSING"}


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


def test_a_refusal_repeats_nothing_of_the_token() -> None:
    for forged in (
        HOME.officer(sub="marker"),
        HOME.officer(aud="marker"),
        HOME.officer(roles=["marker"]),
        HOME.officer(marker="marker"),
        HOME.officer({"kid": "marker"}),
        HOME.officer({"typ": "marker"}),
        "marker." * 3,
    ):
        with pytest.raises(Unauthenticated) as refused:
            VERIFIER.verify(forged, NOW)

        assert b"marker" not in to_status(refused.value).SerializeToString()
        assert refused.value.__cause__ is None


def test_an_issuer_that_is_no_longer_trusted_is_forgotten_at_once() -> None:
    verifier, text = HOME.verifier(), HOME.officer()
    verifier.verify(text, NOW)

    verifier.replace_trust(TrustFile(issuers=HOME.trust().issuers[1:]))

    assert _reason(text, verifier) == ("TOKEN_UNTRUSTED_ISSUER", "")


def test_a_changed_key_takes_effect_at_once() -> None:
    verifier, text = HOME.verifier(), HOME.officer()
    verifier.verify(text, NOW)

    verifier.replace_trust(Agency().trust())

    assert _reason(text, verifier) == ("TOKEN_BAD_SIGNATURE", "")


def test_a_memo_is_bounded() -> None:
    verifier = HOME.verifier(remembered=3)

    for number in range(10):
        verifier.verify(HOME.officer(jti=f"t{number}"), NOW)

    assert len(verifier._memo) == 3


def test_a_refused_token_is_not_remembered() -> None:
    verifier = HOME.verifier()

    _reason(HOME.officer(aud="agencies/jp-13"), verifier)

    assert not verifier._memo


@pytest.mark.parametrize(
    ("issuer", "kind"),
    [
        ("agencies/jp-13", IssuerKind.NODE),
        ("agencies/jp-13/services/tips", IssuerKind.SERVICE),
        ("agencies/jp-12/services/exchange", IssuerKind.PEER),
    ],
)
def test_an_issuer_cannot_vouch_for_the_wrong_agency(issuer: str, kind: IssuerKind) -> None:
    """A peer's key filed as one of our services would let the peer in as ourselves."""
    wrong = TrustFile(issuers=(Issuer(issuer=issuer, kind=kind, public_key=public_text(generate())),))

    with pytest.raises(ValueError, match="cannot be"):
        Verifier(audience=AGENCY, trust=wrong)


@pytest.mark.parametrize("remembered", [0, 100])
def test_an_officer_is_let_in(remembered: int) -> None:
    verifier, text = HOME.verifier(remembered=remembered), HOME.officer(roles=["ANALYST", "OPERATOR"])

    first, second = verifier.verify(text, NOW), verifier.verify(text, NOW)

    assert first == second
    assert (first.subject, first.agency, first.kind) == (OFFICER, AGENCY, PrincipalKind.OFFICER)
    assert first.roles == {"ANALYST", "OPERATOR"}
    assert (first.token_id, first.expire_time) == ("a1", NOW + timedelta(seconds=300))


def test_a_service_and_a_peer_are_let_in_as_what_they_are() -> None:
    service = VERIFIER.verify(HOME.of_service(), NOW)
    peer = VERIFIER.verify(HOME.of_peer(), NOW)

    assert (service.subject, service.kind, service.roles) == (SERVICE, PrincipalKind.SERVICE, frozenset({"SERVICE"}))
    assert (peer.agency, peer.kind, peer.roles) == ("agencies/jp-09", PrincipalKind.PEER, frozenset({"PEER"}))


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
