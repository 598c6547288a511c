"""Ports are claimed by one process at a time and come back when it ends, however it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import NoFreePortError, PortClaims

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOLDER = """
import sys, signal
from pathlib import Path
from renkei_chassis.ports import PortClaims
claims = PortClaims(Path(sys.argv[1]), lowest=int(sys.argv[2]), highest=int(sys.argv[3]))
print(claims.claim(), flush=True)
signal.pause()
"""


@pytest.fixture
def spare() -> Iterator[int]:
    """Hold two free neighbours in the directory everybody uses, and give the first."""
    with PortClaims() as claims:
        first, second = claims.claim_many(2)
        while second != first + 1:
            first, second = second, claims.claim()
        yield first


def test_two_claimants_never_get_the_same_port(tmp_path: Path) -> None:
    with PortClaims(tmp_path) as one, PortClaims(tmp_path) as other:
        ports = one.claim_many(20) + other.claim_many(20)

    assert len(set(ports)) == 40
    assert max(ports) < 32_768


def test_a_port_somebody_listens_on_is_passed_over(tmp_path: Path, spare: int) -> None:
    with (
        socket.socket() as listener,
        PortClaims(tmp_path, lowest=spare, highest=spare + 1) as claims,
    ):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("0.0.0.0", spare))  # noqa: S104 (every address is the case at hand)
        listener.listen()

        assert claims.claim() == spare + 1


def test_a_used_up_range_is_a_clear_error(tmp_path: Path, spare: int) -> None:
    with PortClaims(tmp_path, lowest=spare, highest=spare) as claims:
        claims.claim()

        with pytest.raises(NoFreePortError, match=f"no free port from {spare}"):
            claims.claim()


def test_a_released_port_can_be_claimed_again(tmp_path: Path, spare: int) -> None:
    with PortClaims(tmp_path, lowest=spare, highest=spare) as claims:
        claims.release(claims.claim())

        assert claims.claim() == spare


def test_a_killed_process_gives_its_ports_back(tmp_path: Path, spare: int) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path), str(spare), str(spare)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert int(holder.stdout.readline()) == spare
            with PortClaims(tmp_path, lowest=spare, highest=spare) as claims:
                with pytest.raises(NoFreePortError):
                    claims.claim()
                holder.send_signal(signal.SIGKILL)
                holder.wait(10)

                assert claims.claim() == spare
        finally:
            holder.kill()


def test_a_range_that_reaches_into_the_ephemeral_ports_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="32767"):
        PortClaims(tmp_path, highest=40_000)


def test_a_directory_behind_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")

    with pytest.raises(PermissionError, match="belongs to somebody else"):
        PortClaims(tmp_path / "link")
