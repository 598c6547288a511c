"""The desk's own certificate, made where there is none: until an agency's PKI gives it one."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

_LIFE: Final = timedelta(days=90)
_RENEWED_BEFORE: Final = timedelta(days=14)
_EARLY: Final = timedelta(minutes=5)  # a browser's clock may be behind


def ensure_certificate(folder: Path, *, now: datetime) -> tuple[Path, Path]:
    """Give the paths of certificate and key; makes both anew when there are none or they soon end. Blocks."""
    certificate, key = folder / "desk-certificate.pem", folder / "desk-tls.key"
    if not (certificate.is_file() and key.is_file() and _lasts(certificate, now)):
        _make(certificate, key, now)
    return certificate, key


def _lasts(path: Path, now: datetime) -> bool:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:  # half written when the power went
        return False
    return found.not_valid_before_utc <= now < found.not_valid_after_utc - _RENEWED_BEFORE


def _make(certificate: Path, key: Path, now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "renkei desk")])
    places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _EARLY)
        .not_valid_after(now.astimezone(UTC) + _LIFE)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        # It signs nothing but itself: whoever trusts it trusts this desk alone.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, secret)
    _write(certificate, built.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
