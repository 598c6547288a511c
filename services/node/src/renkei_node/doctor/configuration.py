"""Check what is written down: settings, federation, trust file, keys and who can read them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Final

from renkei_chassis.courier import InvalidKeyError, load_user_key
from renkei_chassis.database.postgresql.url import of_service
from renkei_chassis.errors import SettingsError
from renkei_chassis.identity import load_private, load_trust, public_text
from renkei_node.composition import Agency, read_agency
from renkei_node.doctor.finding import Finding, failed, ok, warning
from renkei_node.layout import DESK, SERVICES, NodeDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHERS: Final = 0o077


def check_settings(directory: NodeDirectory) -> tuple[Agency | None, list[Finding]]:
    """Read the settings; without them nothing else can be looked at."""
    try:
        agency = read_agency(directory)
        agency.federation.peers_of(agency.settings.agency)
        if agency.settings.database:
            of_service(agency.settings.database, SERVICES[0])
    except SettingsError as error:
        return None, [failed("settings", "settings_broken", error=error)]
    return agency, list(_settings(agency))


def _settings(agency: Agency) -> Iterator[Finding]:
    settings, path = agency.settings, agency.directory.settings
    if settings.release_without_instrument and not settings.training:
        yield warning("settings", "open_release")
    url = of_service(settings.database, SERVICES[0]) if settings.database else None
    if url is not None and url.has_password and path.stat().st_mode & _OTHERS and settings.database in path.read_text():
        yield failed("settings", "password_readable", path=path)
    yield ok("settings", "settings_well")


def check_federation(agency: Agency) -> Iterator[Finding]:
    """Compare what the federation is told of us with the keys that we have."""
    directory, name = agency.directory, agency.settings.agency
    own = next(member for member in agency.federation.agencies if member.name == name)
    right = True
    try:
        public = public_text(load_private(directory.service_key("exchange")))
        nkey = load_user_key(directory.nats_exchange_key).public
    except (SettingsError, InvalidKeyError, OSError):
        return  # the keys' own check tells of it
    for key, told, have in (
        ("exchange_public_key", own.exchange_public_key, public),
        ("nats_public_nkey", own.nats_public_nkey, nkey),
    ):
        if told != have:
            right = False
            yield failed("federation", "own_key_differs", key=key)
    if right:
        yield ok("federation", "federation_well", count=len(agency.federation.agencies))


def check_keys(agency: Agency) -> Iterator[Finding]:
    """Read every key as the services do, which refuse one that others may touch."""
    directory = agency.directory
    broken = list(_folders(directory))
    issuers = {agency.settings.agency: directory.issuer_key}
    # The desk's key is made by the first `renkei up` that has a desk.
    services = [each for each in agency.ports.services if each != DESK or directory.service_key(DESK).exists()]
    issuers |= {f"{agency.settings.agency}/services/{each}": directory.service_key(each) for each in services}
    public: dict[str, str] = {}
    for issuer, path in issuers.items():
        try:
            public[issuer] = public_text(load_private(path))
        except SettingsError as error:
            broken.append(failed("keys", "key_broken", error=error))
    nats = (directory.nats_local_key, directory.nats_exchange_key) if agency.settings.courier else ()
    for path in nats:
        try:
            load_user_key(path)
        except (InvalidKeyError, OSError) as error:
            broken.append(failed("keys", "key_broken", error=error))
    yield from broken or [ok("keys", "keys_well", count=len(issuers) + len(nats))]
    yield from _trust(directory, public)


def _folders(directory: NodeDirectory) -> Iterator[Finding]:
    for folder in (directory.path, directory.issuer_key.parent, directory.data):
        if _mode(folder) & _OTHERS:
            yield failed("keys", "folder_open", path=folder)


def _trust(directory: NodeDirectory, public: dict[str, str]) -> Iterator[Finding]:
    try:
        trusted = {issuer.issuer: issuer.public_key for issuer in load_trust(directory.trust).issuers}
    except (SettingsError, OSError) as error:
        yield failed("trust", "settings_broken", error=error)
        return
    wrong = [issuer for issuer, key in public.items() if trusted.get(issuer) != key]
    for issuer in wrong:
        yield failed("trust", "trust_differs", issuer=issuer)
    if not wrong:
        yield ok("trust", "trust_well")


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
