"""Make a node's directory: keys, trust file, settings. What the other agencies need to know comes back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei_chassis.courier import generate_user_key, save_user_key
from renkei_chassis.files import write_new
from renkei_chassis.identity import (
    Issuer,
    IssuerKind,
    TrustFile,
    generate,
    load_private,
    load_trust,
    public_text,
    save_private,
    save_trust,
)
from renkei_node.layout import DESK, SERVICES, NodeDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei_node.settings import NodeSettings, Ports


class DirectoryNotEmptyError(Exception):
    """The directory holds a node already, or something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicIdentity:
    """What the other agencies write into their federation.toml."""

    agency: str
    exchange_public_key: str
    nats_public_nkey: str
    exchange_port: int
    nats_port: int


def initialise(directory: NodeDirectory, settings: NodeSettings, ports: Ports) -> PublicIdentity:
    """Write a new node. Raises DirectoryNotEmptyError rather than replace a key."""
    path = directory.path
    if path.exists() and any(path.iterdir()):
        raise DirectoryNotEmptyError(f"{path} is not empty: name a new directory, or use `renkei up {path}`")
    for folder in (path, path / "keys", directory.data, directory.nats, directory.log.parent, directory.pid.parent):
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o700)  # noqa: PTH101 (a folder that was there keeps its mode otherwise)
    agency = settings.agency
    issuer = generate()
    save_private(directory.issuer_key, issuer)
    issuers = [Issuer(issuer=agency, kind=IssuerKind.NODE, public_key=public_text(issuer))]
    exchange_public = ""
    for service in (*SERVICES, DESK):
        key = generate()
        save_private(directory.service_key(service), key)
        public = public_text(key)
        issuers.append(Issuer(issuer=f"{agency}/services/{service}", kind=IssuerKind.SERVICE, public_key=public))
        if service == "exchange":
            exchange_public = public
    save_trust(directory.trust, TrustFile(issuers=tuple(issuers)))
    save_user_key(generate_user_key(), directory.nats_local_key)
    peer_key = generate_user_key()
    save_user_key(peer_key, directory.nats_exchange_key)
    sections = {"node": settings.model_dump(), "ports": ports.model_dump()}
    # Synced, as the keys are: a power cut a moment later must not leave an empty file.
    write_new(directory.settings, to_toml(sections).encode(), mode=0o644)
    return PublicIdentity(
        agency=agency,
        exchange_public_key=exchange_public,
        nats_public_nkey=peer_key.public,
        exchange_port=ports.exchange,
        nats_port=ports.nats,
    )


def give_desk_a_key(directory: NodeDirectory, agency: str) -> None:
    """Make the desk's key and have it believed, where the node was made before there were desks. May be repeated."""
    name = f"{agency}/services/{DESK}"
    trust = load_trust(directory.trust)
    if any(issuer.issuer == name for issuer in trust.issuers):
        return
    path = directory.service_key(DESK)
    if not path.exists():  # it is there where this was interrupted
        save_private(path, generate())
    public = public_text(load_private(path))
    save_trust(directory.trust, trust.merged([Issuer(issuer=name, kind=IssuerKind.SERVICE, public_key=public)]))


def to_toml(sections: Mapping[str, Mapping[str, object]]) -> str:
    """Write flat sections of texts, numbers and truth values as TOML."""
    lines: list[str] = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        lines.extend(f"{key} = {toml_value(value)}" for key, value in values.items())
        lines.append("")
    return "\n".join(lines)


def to_toml_tables(name: str, tables: Sequence[Mapping[str, object]]) -> str:
    """Write an array of flat tables as TOML."""
    blocks = ["".join(f"{key} = {toml_value(value)}\n" for key, value in table.items()) for table in tables]
    return "\n".join(f"[[{name}]]\n{block}" for block in blocks)


def toml_value(value: object) -> str:
    """Write one plain value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str() if '"' not in value and "\\" not in value and value.isprintable():
            return f'"{value}"'
        case _:
            raise ValueError(f"a setting of type {type(value).__name__} cannot be written plainly")
