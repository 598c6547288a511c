"""What the tests of calls share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def port() -> Iterator[int]:
    """Claim a port for the test's server."""
    with PortClaims() as ports:
        yield ports.claim()
