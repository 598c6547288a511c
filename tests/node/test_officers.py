"""Who may be what, where the operator says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.errors import NotAllowed, SettingsError
from renkei_node.officers import check_roles

if TYPE_CHECKING:
    from pathlib import Path

SATO = '[[officers]]\nid = "sato"\nroles = ["OFFICER"]\n'


@pytest.mark.parametrize(("officer", "roles"), [("sato", ["OFFICER", "SUPERVISOR"]), ("suzuki", ["OFFICER"])])
def test_nobody_is_what_the_file_does_not_say(tmp_path: Path, officer: str, roles: list[str]) -> None:
    (tmp_path / "officers.toml").write_text(SATO)

    with pytest.raises(NotAllowed, match=f"does not give {officer}"):
        check_roles(tmp_path / "officers.toml", officer, roles)


@pytest.mark.parametrize("text", ["officers = 1", SATO + SATO, SATO.replace("OFFICER", "SERVICE"), "="])
def test_a_file_that_cannot_be_read_allows_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "officers.toml").write_text(text)

    with pytest.raises(SettingsError):
        check_roles(tmp_path / "officers.toml", "sato", ["OFFICER"])


def test_what_the_file_says_is_allowed_and_everything_where_there_is_none(tmp_path: Path) -> None:
    check_roles(tmp_path / "officers.toml", "suzuki", ["SUPERVISOR"])
    (tmp_path / "officers.toml").write_text(SATO)

    check_roles(tmp_path / "officers.toml", "sato", ["OFFICER"])
