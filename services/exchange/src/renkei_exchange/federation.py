"""Who the other agencies are: `federation.toml`, checked before anything of it is believed.

The file is this node's own view: addresses are those by which *this* node reaches the others, keys are
pinned here, and an agency that is not in it does not exist for us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator, model_validator

from renkei_chassis.courier import is_user_public_key
from renkei_chassis.errors import SettingsError
from renkei_chassis.identity import Issuer, IssuerKind
from renkei_chassis.identity.keys import public_from_text
from renkei_chassis.loopback import is_loopback, require_loopback
from renkei_chassis.resource_names import AGENCY
from renkei_chassis.settings import STRICT, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_AGENCIES: Final = 64
_HIGHEST_PORT: Final = 65_535


class Agency(BaseModel):
    """One agency of the federation, as this node sees it."""

    model_config = STRICT

    name: Annotated[str, Field(description="`agencies/jp-12`.")]
    display_name: Annotated[str, Field(min_length=1, max_length=100, description="What it is called, in Japanese.")]
    display_name_en: Annotated[str, Field(min_length=1, max_length=100, description="What it is called, in English.")]
    contact_desk: Annotated[
        str, Field(min_length=1, max_length=200, description="Whom to ask there: a desk, never a person.")
    ]
    exchange_address: Annotated[
        str, Field(description="`host:port` of its exchange as seen from this node. Loopback only, until there is TLS.")
    ]
    nats_url: Annotated[
        str,
        Field(description="`nats://host:port` of its nats-server as seen from this node. Loopback only, until TLS."),
    ]
    exchange_public_key: Annotated[
        str, Field(description="The key of its exchange, pinned here: Ed25519, base64url without padding.")
    ]
    nats_public_nkey: Annotated[
        str, Field(description="The public nkey with which its exchange connects to our nats-server, pinned here.")
    ]

    @field_validator("name")
    @classmethod
    def _is_an_agency(cls, name: str) -> str:
        if not AGENCY.matches(name):
            raise ValueError("must look like agencies/jp-12")
        return name

    @field_validator("exchange_address")
    @classmethod
    def _is_on_this_machine(cls, address: str) -> str:
        # NotLoopbackError is a ValueError, but repeats the value.
        try:
            require_loopback(address)
        except ValueError:
            raise ValueError("must be host:port on loopback, since nothing is encrypted yet") from None
        _check_port(address.rpartition(":")[2])
        return address

    @field_validator("nats_url")
    @classmethod
    def _is_a_url_on_this_machine(cls, url: str) -> str:
        parts = urlsplit(url)
        bare = parts.scheme == "nats" and parts.netloc and url == f"nats://{parts.netloc}" and "@" not in parts.netloc
        host, colon, port = parts.netloc.rpartition(":")
        if not bare or not colon or not is_loopback(host):
            raise ValueError("must be nats://host:port on loopback, since nothing is encrypted yet")
        _check_port(port)
        return url

    @field_validator("exchange_public_key")
    @classmethod
    def _is_a_key(cls, text: str) -> str:
        public_from_text(text)
        return text

    @field_validator("nats_public_nkey")
    @classmethod
    def _is_an_nkey(cls, text: str) -> str:
        if not is_user_public_key(text):
            raise ValueError("must be the public key of an nkey user, U and 55 more characters")
        return text

    @property
    def code(self) -> str:
        """The agency's code, `jp-12`."""
        return self.name.removeprefix("agencies/")


class Federation(BaseModel):
    """All agencies, this one too. Names, addresses and keys stand in it once."""

    model_config = STRICT

    agencies: Annotated[
        tuple[Agency, ...],
        Field(min_length=1, max_length=MAX_AGENCIES, description="One section `[[agencies]]` for each agency."),
    ]

    @model_validator(mode="after")
    def _names_nothing_twice(self) -> Self:
        for what in ("name", "exchange_address", "nats_url", "exchange_public_key", "nats_public_nkey"):
            if len({getattr(agency, what) for agency in self.agencies}) < len(self.agencies):
                raise ValueError(f"two agencies have the same {what}")
        return self

    def names(self) -> Sequence[str]:
        """Give all agencies, `agencies/jp-12`, sorted."""
        return sorted(agency.name for agency in self.agencies)

    def peers_of(self, own: str) -> Mapping[str, Agency]:
        """Give the other agencies by name, sorted. Raises SettingsError where `own` is not a member."""
        by_name = {agency.name: agency for agency in sorted(self.agencies, key=lambda agency: agency.name)}
        if by_name.pop(own, None) is None:
            raise SettingsError(f"federation: this node's own agency {own} is not in it")
        return by_name


def load_federation(path: Path) -> Federation:
    """Read `federation.toml`, or raise SettingsError that says what is wrong in it."""
    return load(Federation, path)


def peer_issuers(federation: Federation, own: str) -> list[Issuer]:
    """Give the keys by which the peers' exchanges are believed when they read their lanes.

    They go into a node's trust beside `trust.json`: `trust.merged(peer_issuers(federation, own))`.
    """
    return [
        Issuer(issuer=f"{agency.name}/services/exchange", kind=IssuerKind.PEER, public_key=agency.exchange_public_key)
        for agency in federation.peers_of(own).values()
    ]


def _check_port(text: str) -> None:
    if not 0 < int(text or "0") <= _HIGHEST_PORT:
        raise ValueError("must have a port from 1 to 65535")
