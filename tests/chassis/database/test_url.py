"""An address says where the database is, and its password is nowhere to be seen."""

from __future__ import annotations

import pytest

from renkei_chassis.database.postgresql.url import PostgresUrl, of_service
from renkei_chassis.errors import SettingsError

SECRET = "MARKERxSECRET"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://renkei@db.example/renkei_tips", "postgresql://renkei@db.example/renkei_tips"),
        (f"postgres://renkei:{SECRET}@db:5433/x?sslmode=require", "postgresql://renkei@db:5433/x"),
        (f"postgresql://db/x?user=renkei&password={SECRET}", "postgresql://renkei@db/x"),
        ("postgresql://renkei@[::1]:5432/x", "postgresql://renkei@[::1]:5432/x"),
        ("postgresql://renkei@/x?host=/run/postgresql", "postgresql://%2Frun%2Fpostgresql/x"),
        (f"postgresql:///?dbname=x&host=db&password={SECRET}", "postgresql://db/x"),
    ],
)
def test_an_address_is_shown_without_its_password(text: str, shown: str) -> None:
    url = PostgresUrl.parse(text)

    assert (str(url), url.shown, url.dsn) == (shown, shown, text)
    assert SECRET not in repr(url)
    assert url.has_password == (SECRET in text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"mysql://renkei:{SECRET}@db/x", "must begin with postgresql://"),
        (f"postgresql://renkei:{SECRET}@db:port/x", "is no address"),
        (f"postgresql://renkei:{SECRET}@db/", "names no database"),
        (f"postgresql://renkei:{SECRET}@db/x?fsync=off", "the first is 'fsync'"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(text: str, what: str) -> None:
    with pytest.raises(SettingsError, match=what) as caught:
        PostgresUrl.parse(text)

    assert SECRET not in str(caught.value)


def test_each_service_has_a_database_of_its_own() -> None:
    assert of_service("postgresql://db/renkei_{service}", "tips").shown == "postgresql://db/renkei_tips"
