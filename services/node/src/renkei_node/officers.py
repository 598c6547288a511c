"""Which officers there are and what each may be: `officers.toml`, looked at again whenever a token is made.

The file is the operator's. Where there is none, whoever may read the issuer's key makes tokens for anybody; where
there is one, a role that is taken out of it is gone with the next token, in the middle of a session at the desk too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from renkei_chassis.errors import NotAllowed
from renkei_chassis.settings import STRICT, load

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

Role = Literal["OFFICER", "SUPERVISOR", "CUSTODIAN", "HQ_CHIEF", "NPA_DESK", "AUDITOR", "OPERATOR"]


class Officer(BaseModel):
    """One officer."""

    model_config = STRICT

    id: Annotated[str, Field(max_length=64, description="As in `--officer`: lower-case letters, digits, hyphens.")]
    roles: Annotated[tuple[Role, ...], Field(max_length=7, description="What the officer may be; none: nothing.")]


class Officers(BaseModel):
    """All of them."""

    model_config = STRICT

    officers: Annotated[tuple[Officer, ...], Field(max_length=10_000, description="The officers, in any order.")] = ()

    @model_validator(mode="after")
    def _nobody_twice(self) -> Self:
        if len({officer.id for officer in self.officers}) < len(self.officers):
            raise ValueError("an officer stands twice")
        return self


def load_officers(path: Path) -> Mapping[str, Collection[str]] | None:
    """Read what each officer may be; None where there is no such file. Raises SettingsError. Blocks."""
    if not path.exists():
        return None
    return {officer.id: officer.roles for officer in load(Officers, path).officers}


def check_roles(path: Path, officer: str, roles: Collection[str]) -> None:
    """Return where the officer may have all the roles, or where there is no such file. Blocks.

    Raises NotAllowed, and SettingsError for a file that cannot be read: what is not known is not allowed.
    """
    listed = load_officers(path)
    missing = sorted(set(roles) - set(listed.get(officer, ()))) if listed is not None else ()
    if missing:
        raise NotAllowed("ROLE_MISSING", f"{path.name} does not give {officer} the role {', '.join(missing)}")
