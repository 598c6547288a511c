"""Who is not let in, and then who is: every refusal has its reason and repeats nothing of the token."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.errors import Unauthenticated, to_status
from renkei_chassis.identity import (
    Issuer,
    IssuerKind,
    PrincipalKind,
    TrustFile,
    Verifier,
    generate,
    public_text,
)
from tests.chassis.identity.tokens import (
    AGENCY,
    HOME,
    NOW,
    OFFICER,
    SECOND,
    SERVICE,
    VERIFIER,
    Agency,
    refused_for,
    token,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def test_no_token_is_missing() -> None:
    assert refused_for(None) == ("TOKEN_MISSING", "")
    assert refused_for("") == ("TOKEN_MISSING", "")


def test_another_nodes_token_is_not_trusted() -> None:
    other = "agencies/jp-13"
    theirs = token(generate(), {"kid": other}, {"iss": other, "sub": f"{other}/officers/x", "agency": other})

    assert refused_for(theirs) == ("TOKEN_UNTRUSTED_ISSUER", "")


def test_a_stranger_who_uses_our_name_has_the_wrong_signature() -> None:
    assert refused_for(Agency().officer()) == ("TOKEN_BAD_SIGNATURE", "")


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
    assert refused_for(HOME.officer(**claims)) == ("TOKEN_MALFORMED", blamed)


@pytest.mark.parametrize("make", [HOME.of_service, HOME.of_peer])
def test_a_service_has_shorter_tokens_than_an_officer(make: Callable[..., str]) -> None:
    assert refused_for(make(exp=SECOND + 301)) == ("TOKEN_MALFORMED", "exp")


@pytest.mark.parametrize("audience", ["agencies/jp-13", "agencies/jp-1", AGENCY + "/", "*"])
def test_a_token_for_another_agency_is_refused(audience: str) -> None:
    assert refused_for(HOME.officer(aud=audience)) == ("TOKEN_WRONG_AUDIENCE", "")


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
    assert refused_for(forged) == ("TOKEN_ROLE_NOT_ALLOWED", "roles")


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
    assert refused_for(forged) == ("TOKEN_MALFORMED", blamed)


@pytest.mark.parametrize("remembered", [0, 100])
def test_a_token_ends_when_it_says_so(remembered: int) -> None:
    """Also a token that was believed before: a memo must not prolong anything."""
    verifier, text = HOME.verifier(remembered=remembered), HOME.officer()
    verifier.verify(text, NOW + timedelta(seconds=304))

    assert refused_for(text, verifier, after_seconds=305) == ("TOKEN_EXPIRED", "")
    assert refused_for(text, verifier, after_seconds=-6) == ("TOKEN_NOT_YET_VALID", "")
    assert verifier.verify(text, NOW - timedelta(seconds=5)).subject == OFFICER


def test_without_leeway_the_last_second_is_the_last() -> None:
    verifier = HOME.verifier(leeway_seconds=0)

    assert refused_for(HOME.officer(), verifier, after_seconds=300) == ("TOKEN_EXPIRED", "")
    assert verifier.verify(HOME.officer(), NOW + timedelta(seconds=299.9)).subject == OFFICER


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

    assert refused_for(text, verifier) == ("TOKEN_UNTRUSTED_ISSUER", "")


def test_a_changed_key_takes_effect_at_once() -> None:
    verifier, text = HOME.verifier(), HOME.officer()
    verifier.verify(text, NOW)

    verifier.replace_trust(Agency().trust())

    assert refused_for(text, verifier) == ("TOKEN_BAD_SIGNATURE", "")


def test_a_memo_is_bounded() -> None:
    verifier = HOME.verifier(remembered=3)

    for number in range(10):
        verifier.verify(HOME.officer(jti=f"t{number}"), NOW)

    assert len(verifier._memo) == 3


def test_a_refused_token_is_not_remembered() -> None:
    verifier = HOME.verifier()

    refused_for(HOME.officer(aud="agencies/jp-13"), verifier)

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
