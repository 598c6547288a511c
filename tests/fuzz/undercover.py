"""Targets for what the personas service and its commands are given: signed bases, refused requests, prepared files."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click
from renkei.personas.v1 import personas_pb2

from renkei_chassis.errors import RenkeiError
from renkei_chassis.resource_names import agency_of
from renkei_node.commands.personas import request, telling
from renkei_node.doctor.network import read_greeting
from renkei_personas import bases, refusals
from tests.fuzz import files

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATHS: Final = sorted(refusals._REQUESTS)


def basis(data: bytes) -> None:
    """Read a legal basis, or what ends one, whose signature was good."""
    for kind in (personas_pb2.LegalBasis, personas_pb2.LegalBasisRevocation):
        with suppress(RenkeiError):
            assert bases.read_signed(kind, data).id


def refused(data: bytes) -> None:
    """Find the resource of a request that was refused, and nothing that is no name."""
    if data:
        found = refusals._resource(_PATHS[data[0] % len(_PATHS)], data[1:])
        assert not found or agency_of(found)


def prepared(data: bytes) -> None:
    """Read the files that the commands take: a message in TOML, a disclosure in JSON."""
    path = files.written("prepared", data)
    for read in (
        lambda: request.fill_from_toml(personas_pb2.Plan(), str(path)),
        lambda: telling._read(str(path)),
    ):
        with suppress(click.ClickException):
            read()


def greeting(data: bytes) -> None:
    """Read what listens where a nats-server should."""
    try:
        told = read_greeting(data)
    except ValueError:
        return
    assert isinstance(told.max_payload, int)


def signed() -> Iterator[bytes]:
    made = personas_pb2.LegalBasis(id="basis-1")
    made.valid_from.seconds = 1_700_000_000
    yield made.SerializeToString()
    yield personas_pb2.LegalBasisRevocation(id="basis-1", reason="(演習)").SerializeToString()


def refusals_seeds() -> Iterator[bytes]:
    name = b"agencies/jp-12/personas/0191a7b2-0000-7000-8000-000000000001"
    for place in range(len(_PATHS)):
        for field in (b"\x0a", b"\x12"):  # a first or a second field of text
            yield bytes([place]) + field + bytes([len(name)]) + name


PREPARED: Final = (
    b'purpose = "x"\nvalid_from = 2024-10-03\nvalid_until = 2024-10-03T12:00:00+09:00\n',
    b"[a]\nb = [1, 2.5, {c = 1979-05-27}]\n",
    b'{"contact": "x"}',
    b"[[[[1]]]]",
    b"[" * 100_000,
    b"a = " + b"[" * 100_000,
)
GREETING: Final = (b'INFO {"server_name":"jp-12","jetstream":true,"max_payload":8388608}', b"INFO []", b"-ERR")
