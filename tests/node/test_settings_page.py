from __future__ import annotations

from pathlib import Path

from renkei_node.settings_page import settings_page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_of_settings_is_what_the_models_say() -> None:
    assert PAGE.read_text() == settings_page()
