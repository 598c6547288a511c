"""What a minter makes, the verifier believes; and it makes no more than it must."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from renkei_chassis.clock import ManualClock, to_us
from renkei_chassis.errors import NotAllowed
from renkei_chassis.identity import Minter, authorize, generate, mint
from tests.chassis.identity.tokens import AGENCY, NOW, OFFICER, PEER, SERVICE, Agency

HOME = Agency()


def _minter(clock: ManualClock) -> Minter:
    return Minter(HOME.service, issuer=SERVICE, role="SERVICE", clock=clock)


def test_a_services_own_token_lets_it_in() -> None:
    clock = ManualClock(NOW)

    principal = HOME.verifier().verify(_minter(clock).token(AGENCY), clock.now())

    assert (principal.subject, principal.roles) == (SERVICE, frozenset({"SERVICE"}))


def test_an_exchanges_token_lets_it_in_as_a_peer() -> None:
    clock = ManualClock(NOW)
    minter = Minter(HOME.peer, issuer=PEER, role="PEER", clock=clock)

    assert HOME.verifier().verify(minter.token(AGENCY), clock.now()).agency == "agencies/jp-09"


def test_the_node_mints_for_its_officers() -> None:
    text = mint(
        HOME.node,
        issuer=AGENCY,
        subject=OFFICER,
        audience=AGENCY,
        roles={"OPERATOR", "ANALYST"},
        now_us=to_us(NOW),
        life_seconds=900,
        token_id=uuid.UUID(int=7),
    )

    principal = HOME.verifier().verify(text, NOW)

    assert (principal.subject, principal.roles) == (OFFICER, frozenset({"OPERATOR", "ANALYST"}))
    assert principal.expire_time == NOW + timedelta(minutes=15)


def test_a_token_is_kept_while_it_is_fresh_and_never_handed_out_old() -> None:
    """Each token handed out must still be good for the longest call, and the verifier's memo wants equal bytes."""
    clock = ManualClock(NOW)
    minter = _minter(clock)
    first = minter.token(AGENCY)

    clock.advance(199)
    kept = minter.token(AGENCY)
    clock.advance(1)
    renewed = minter.token(AGENCY)

    assert kept == first
    assert renewed != first
    assert HOME.verifier().verify(renewed, NOW + timedelta(seconds=499)).subject == SERVICE


def test_a_clock_that_was_put_back_gets_a_new_token() -> None:
    clock = ManualClock(NOW)
    minter = _minter(clock)
    minter.token(AGENCY)

    clock.advance(-8)

    assert HOME.verifier().verify(minter.token(AGENCY), clock.now()).subject == SERVICE


def test_each_agency_that_is_called_gets_its_own_token() -> None:
    minter = _minter(ManualClock(NOW))

    assert minter.token(AGENCY) != minter.token("agencies/jp-13")
    assert minter.token("agencies/jp-13") == minter.token("agencies/jp-13")


def test_what_a_minter_keeps_is_bounded() -> None:
    minter = _minter(ManualClock(NOW))

    for number in range(600):
        minter.token(f"agencies/jp-{number:03}")

    assert len(minter._kept) <= 256


def test_a_caller_without_the_role_is_not_allowed() -> None:
    principal = HOME.verifier().verify(HOME.officer(roles=["AUDITOR"]), NOW)

    with pytest.raises(NotAllowed) as refused:
        authorize(principal, "tips.create", ["ANALYST", "OPERATOR"])

    assert refused.value.reason == "ROLE_MISSING"
    assert refused.value.metadata == {"permission": "tips.create"}


def test_a_permission_that_no_role_holds_is_nobodys() -> None:
    principal = HOME.verifier().verify(HOME.officer(), NOW)

    with pytest.raises(NotAllowed):
        authorize(principal, "tips.create", [])


def test_one_of_the_roles_is_enough() -> None:
    authorize(HOME.verifier().verify(HOME.officer(), NOW), "tips.create", ["ANALYST", "OPERATOR"])


def test_two_agencies_keys_are_never_the_same() -> None:
    assert generate().private_bytes_raw() != generate().private_bytes_raw()
