"""The issuers whose tokens a node believes: `trust.json`, and the peers' keys merged into it."""

from __future__ import annotations

import enum
import os
import stat
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from renkei_chassis.errors import SettingsError
from renkei_chassis.files import replace
from renkei_chassis.identity.keys import public_from_text
from renkei_chassis.resource_names import AGENCY, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_ISSUERS: Final = 1000
_MAX_FILE: Final = 1 << 20
_PUBLIC_MODE: Final = 0o644
_WRITABLE_BY_OTHERS: Final = 0o022


class IssuerKind(enum.Enum):
    """What an issuer may vouch for."""

    NODE = "NODE"
    """The node's issuer key: officers' tokens with any role but SERVICE and PEER."""
    SERVICE = "SERVICE"
    """A service's own key: tokens for itself, with the role SERVICE."""
    PEER = "PEER"
    """The exchange of another agency: tokens for itself, with the role PEER."""


class Issuer(BaseModel):
    """One key that is believed, and for what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(description="The name in `iss` and `kid`; a key has one.")]
    kind: Annotated[IssuerKind, Field(description="What the issuer may vouch for.")]
    public_key: Annotated[str, Field(description="Ed25519, base64url without padding.")]

    @field_validator("public_key")
    @classmethod
    def _is_a_key(cls, text: str) -> str:
        public_from_text(text)
        return text

    @model_validator(mode="after")
    def _has_the_name_of_its_kind(self) -> Self:
        pattern = AGENCY if self.kind is IssuerKind.NODE else SERVICE
        if not pattern.matches(self.issuer):
            raise ValueError(f"the issuer of kind {self.kind.name} has no name {pattern.template}")
        return self

    @property
    def agency(self) -> str:
        """Name the agency that the issuer belongs to: `agencies/jp-12`."""
        return "/".join(self.issuer.split("/", 2)[:2])


class TrustFile(BaseModel):
    """All issuers that a node believes. Each name and each key stands in it once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuers: Annotated[
        tuple[Issuer, ...],
        Field(max_length=MAX_ISSUERS, description="The issuers, in any order."),
    ] = ()

    @model_validator(mode="after")
    def _names_nobody_twice(self) -> Self:
        if len({issuer.issuer for issuer in self.issuers}) < len(self.issuers):
            raise ValueError("an issuer stands twice")
        if len({issuer.public_key for issuer in self.issuers}) < len(self.issuers):
            raise ValueError("a key stands twice")
        return self

    def merged(self, more: Iterable[Issuer]) -> TrustFile:
        """Add issuers (the peers of federation.toml); raise SettingsError when one is there already."""
        try:
            return TrustFile(issuers=(*self.issuers, *more))
        except ValidationError as error:
            raise SettingsError(f"trusted issuers: {_first(error)}") from None


def load_trust(path: Path) -> TrustFile:
    """Read `trust.json`, or raise SettingsError naming what is wrong in it.

    A file that others may write, or that is a symbolic link, is refused: it decides who is let in.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SettingsError(f"{path}: cannot open the trust file ({error.strerror})") from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 (pathlib opens no descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) & _WRITABLE_BY_OTHERS:
            raise SettingsError(f"{path}: must be a regular file that only its owner may write")
        content = file.read(_MAX_FILE + 1)
    if len(content) > _MAX_FILE:
        raise SettingsError(f"{path}: longer than {_MAX_FILE} bytes")
    try:
        return TrustFile.model_validate_json(content)
    except ValidationError as error:
        raise SettingsError(f"{path}: {_first(error)}") from None


def save_trust(path: Path, trust: TrustFile) -> None:
    """Write `trust.json` anew; a reader sees the old or the new one whole."""
    replace(path, trust.model_dump_json(indent=2).encode() + b"\n", mode=_PUBLIC_MODE)


def _first(error: ValidationError) -> str:
    """Say place and fault of the first error, without the value."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
