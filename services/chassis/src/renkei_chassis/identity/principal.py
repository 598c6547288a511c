"""Who a call comes from, once its token is believed, and whether a role of theirs is enough."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

ROLE_MISSING: Final = "ROLE_MISSING"
SERVICE_ROLE: Final = "SERVICE"
PEER_ROLE: Final = "PEER"
RESERVED_ROLES: Final = frozenset({SERVICE_ROLE, PEER_ROLE})


class PrincipalKind(enum.Enum):
    """What stands behind a token: a person, a service of this agency, or another agency."""

    OFFICER = "OFFICER"
    SERVICE = "SERVICE"
    PEER = "PEER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller that was authenticated. Nothing but the verifier makes one outside tests."""

    subject: str
    """`agencies/jp-12/officers/sato`, or the service's own name."""
    agency: str
    """`agencies/jp-12`: for a PEER this decides whose lane it may read."""
    roles: frozenset[str]
    kind: PrincipalKind
    token_id: str
    expire_time: datetime


def authorize(principal: Principal, permission: str, roles: Collection[str]) -> None:
    """Return if one of the principal's roles is among `roles`, else raise NotAllowed/ROLE_MISSING.

    Both `permission` and `roles` stand in the method's contract. No roles there: nobody may.
    """
    if principal.roles.isdisjoint(roles):
        raise NotAllowed(
            ROLE_MISSING,
            f"the permission {permission} needs a role that the caller does not have",
            metadata={"permission": permission},
        )
