"""Identifiers that must link nothing: of help lines, lawyers, doctors, courts, newsrooms, and the police's own.

A seized phone called them like anybody's. Each agency lists its own in `protected.toml`; those that no list
has to name, such as 110 and #9110, a kind of record knows by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from renkei_chassis.errors import SettingsError
from renkei_chassis.settings import STRICT, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import TypeAlias

    Forms: TypeAlias = Mapping[tuple[str, str], str]
    """(name of the type, normal form) -> whose it is."""

PUBLIC_SERVICE: Final = "公共サービス"
"""Whose the numbers are that no list has to name."""


class Protected(BaseModel):
    """Some identifiers of one type, and whose they are."""

    model_config = STRICT

    whose: str = Field(
        min_length=1,
        max_length=100,
        description="Whose they are, as a refusal says it: `弁護士会`, `報道機関`. An office, never a person.",
    )
    type: str = Field(
        pattern="^[A-Z_]{1,40}$", description="Their type, as in the contract: `PHONE`, `HANDLE`, `BANK_ACCOUNT`."
    )
    identifiers: tuple[str, ...] = Field(
        min_length=1, max_length=100_000, description="The identifiers, in any spelling that can be read as their type."
    )


class _ProtectedFile(BaseModel):
    model_config = STRICT

    protected: tuple[Protected, ...] = Field(default=(), max_length=1000, description="Each with whose they are.")


def load_protected(path: Path) -> tuple[Protected, ...]:
    """Read `protected.toml`; without one nothing is listed. Raises SettingsError."""
    return load(_ProtectedFile, path).protected if path.exists() else ()


def forms_of(protected: Iterable[Protected], normalize: Callable[[str, str], tuple[str, int]]) -> Forms:
    """Put listed identifiers into normal form. Raises SettingsError for one that cannot be read."""
    forms: dict[tuple[str, str], str] = {}
    for place, group in enumerate(protected):
        for index, original in enumerate(group.identifiers):
            try:
                form, _ = normalize(group.type, original)
            except ValueError:
                raise SettingsError(f"protected[{place}].type: no such type of identifier") from None
            if not form:
                raise SettingsError(f"protected[{place}].identifiers[{index}]: cannot be read as {group.type}")
            forms[group.type, form] = group.whose
    return forms
