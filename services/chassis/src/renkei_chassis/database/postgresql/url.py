"""The address of a PostgreSQL database, whose password is never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from renkei_chassis.errors import SettingsError

SCHEMES: Final = ("postgresql", "postgres")
SERVICE: Final = "{service}"
# libpq's own names; what the driver does not know it would send to the server as one of the server's settings.
_PARAMETERS: Final = frozenset(
    ["host", "port", "user", "password", "passfile", "dbname", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl"]
)
_SECRET: Final = "password"  # noqa: S105 (the name of a parameter)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresUrl:
    """Where a database is. `shown` is for people; `dsn` may hold a password and goes to the driver alone."""

    dsn: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown

    @property
    def has_password(self) -> bool:
        """Tell whether a password stands in the address itself."""
        parts = urlsplit(self.dsn)
        return bool(parts.password) or any(name == _SECRET for name, _ in parse_qsl(parts.query))

    @classmethod
    def parse(cls, text: str) -> PostgresUrl:
        """Read `postgresql://user@host:port/database?sslmode=verify-full`. Raises SettingsError, without the text."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise SettingsError("database: is no address such as postgresql://user@host/renkei_tips") from None
        if parts.scheme not in SCHEMES:
            raise SettingsError("database: must begin with postgresql://")
        parameters = dict(parse_qsl(parts.query))
        unknown = sorted(set(parameters) - _PARAMETERS)
        if unknown:
            raise SettingsError(f"database: has parameters that are not known here, the first is {unknown[0][:40]!r}")
        if not parts.path.strip("/") and "dbname" not in parameters:
            raise SettingsError("database: names no database, as in postgresql://user@host/renkei_tips")
        return cls(dsn=text, shown=_shown(parts, port, parameters))


def of_service(template: str, service: str) -> PostgresUrl:
    """Give the address of one service's database. `{service}` in the template stands for its name."""
    return PostgresUrl.parse(template.replace(SERVICE, service))


def _shown(parts: SplitResult, port: int | None, parameters: dict[str, str]) -> str:
    host = parts.hostname or parameters.get("host", "")
    place = f"[{host}]" if ":" in host else host
    user = parts.username or parameters.get("user")
    netloc = (f"{user}@" if user else "") + place + (f":{port}" if port else "")
    if "/" in host:  # the folder of a socket
        netloc = host.replace("/", "%2F")
    database = parts.path.strip("/") or parameters.get("dbname", "")
    return urlunsplit(("postgresql", netloc, database, "", ""))
