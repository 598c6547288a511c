"""The demo's act about undercover work looks where it says it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_node.demo.undercover import places_with

if TYPE_CHECKING:
    from pathlib import Path


def test_a_word_of_a_legend_is_found_in_whatever_file_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "data" / "personas.db").write_bytes(b"\0\1RKMK-TAAAA\xff")
    (tmp_path / "logs" / "node.log").write_bytes(b"nothing")
    (tmp_path / "data" / "tips.db-wal").write_bytes(b"...RKMK-HBBBB...")

    assert places_with(tmp_path, [b"RKMK-TAAAA"]) == {"personas.db"}
    assert places_with(tmp_path, [b"RKMK-TAAAA", b"RKMK-HBBBB"]) == {"personas.db", "tips.db-wal"}
    assert places_with(tmp_path, [b"RKMK-TCCCC"]) == set()
