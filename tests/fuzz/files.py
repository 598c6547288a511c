"""Targets for the files that others write: settings, trust, federation, exports, keys."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from renkei_chassis.courier.nkeys import InvalidKeyError, generate_user_key, is_user_public_key, load_user_key
from renkei_chassis.errors import SettingsError
from renkei_chassis.identity import IssuerKind, load_private, public_text
from renkei_chassis.identity.trust import Issuer, TrustFile, load_trust
from renkei_chassis.loopback import require_loopback
from renkei_chassis.settings import load
from renkei_exchange.federation import load_federation
from renkei_exchange.settings import Settings as ExchangeSettings
from renkei_node.demo import columns
from renkei_node.demo.csv_reader import CsvError, read_arrests, read_tips
from renkei_node.settings import NodeSettings, Ports
from renkei_tips.settings import Settings as TipsSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER: Final = Path(tempfile.mkdtemp(prefix="renkei-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def written(name: str, data: bytes) -> Path:
    path = _FOLDER / name
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def node_toml(data: bytes) -> None:
    path = written("node.toml", data)
    for model, section in (
        (NodeSettings, "node"),
        (Ports, "ports"),
        (TipsSettings, "tips"),
        (ExchangeSettings, "exchange"),
    ):
        with suppress(SettingsError):
            load(model, path, section, environ={})


NODE_TOML: Final = (
    (
        b'[node]\nagency = "agencies/jp-12"\ntraining = true\nlog_level = "INFO"\n[ports]\ntips = 21000\n'
        b"arrests = 21001\npersonas = 21002\nleads = 21003\nexchange = 21004\nnats = 21005\nmetrics = 21006\n"
    ),
    b"[exchange]\ntick_seconds = 0.5\n[tips]\nhandle_span_days = 90\nmembers = []\n",
    b"node = 1\n",
    b"[node]\nagency = 1979-05-27\n[[ports]]\n",
    b"a = " + b"[" * 100_000,
)


def federation_toml(data: bytes) -> None:
    try:
        found = load_federation(written("federation.toml", data))
    except SettingsError:
        return
    for agency in found.agencies:
        assert require_loopback(agency.exchange_address)
        assert agency.nats_url.startswith("nats://")


# The same in each run, as the inputs are.
_KEY: Final = public_text(Ed25519PrivateKey.from_private_bytes(bytes(32)))
_NKEY: Final = generate_user_key(bytes(32))


def _federation() -> bytes:
    key, nkey = _KEY, _NKEY.public
    return f"""\
[[agencies]]
name = "agencies/jp-12"
display_name = "演習"
display_name_en = "training"
contact_desk = "desk"
exchange_address = "127.0.0.1:21004"
nats_url = "nats://127.0.0.1:21005"
exchange_public_key = "{key}"
nats_public_nkey = "{nkey}"
""".encode()


FEDERATION_TOML: Final = (_federation(), b"[[agencies]]\nname = 1\n", b"agencies = {}\n", b"")


def trust_json(data: bytes) -> None:
    try:
        found = load_trust(written("trust.json", data))
    except SettingsError:
        return
    assert len({issuer.issuer for issuer in found.issuers}) == len(found.issuers)


TRUST_JSON: Final = (
    TrustFile(issuers=(Issuer(issuer="agencies/jp-12", kind=IssuerKind.NODE, public_key=_KEY),))
    .model_dump_json()
    .encode(),
    b'{"issuers":[{}]}',
    b"[]",
)


def csv(data: bytes) -> None:
    """Read an export, of which the first byte chooses the kind; an error never repeats a cell."""
    if not data:
        return
    read = (read_tips, read_arrests)[data[0] % 2]
    header = ",".join((columns.TIP_COLUMNS, columns.ARREST_COLUMNS)[data[0] % 2]).encode(columns.ENCODING)
    for content in (data[1:], header + b"\r\n" + data[1:]):
        try:
            for row in read(written("export.csv", content)):
                assert row.row > 0
        except CsvError as error:
            told = str(error)
        else:
            continue
        assert "\n" not in told


def csv_seeds() -> Iterator[bytes]:
    for kind, names in enumerate((columns.TIP_COLUMNS, columns.ARREST_COLUMNS)):
        header = ",".join(names).encode(columns.ENCODING)
        yield bytes([kind]) + header + b"\r\n"
        yield bytes([kind]) + ",".join(f'"{name}"' for name in names).encode(columns.ENCODING)
        yield bytes([kind]) + b'"' + header


def key_files(data: bytes) -> None:
    """Read private keys from files and public ones from texts."""
    path = written("some.key", data)
    for read in (load_private, load_user_key):
        with suppress(SettingsError, InvalidKeyError):
            read(path)
    is_user_public_key(data.decode("utf-8", "replace"))


KEYS: Final = (
    _NKEY.seed.encode(),
    _NKEY.public.encode(),
    b"-----BEGIN PRIVATE KEY-----\n",
    bytes(32),
)
