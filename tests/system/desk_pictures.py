"""Take pictures of every page of the desk, by day and by night: `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

from tests.system.desk_trial import node, page_of, record

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
_LEADS: Final = 5


def main() -> None:
    """Fill a node, and take them all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, node(Path(place)) as member:
        for number in range(1, _LEADS + 1):
            record(member, number, supported=number % 2 == 0)
        with page_of(member) as page:
            page.keyboard.press("Enter")
            expect(page.locator(".lead")).to_have_count(_LEADS, timeout=30_000)
            base = page.url.rstrip("/")
            _leave_notes(page, base)
            paths = {"inbox": "/", "search": "/search?q=9002", "peers": "/peers", "notes": "/notes"}
            page.goto(base)
            paths["lead"] = page.locator(".lead a").first.get_attribute("href") or ""
            page.goto(base + paths["search"])
            paths["record"] = page.locator(".lead a").nth(1).get_attribute("href") or ""
            for theme in ("day", "night"):
                for name, path in paths.items():
                    page.goto(base + path)
                    if name in {"inbox", "lead"}:
                        expect(page.locator("#live:not(:empty)")).to_be_visible()
                    page.screenshot(path=FOLDER / f"{name}-{theme}.png", full_page=name == "lead")
                page.locator("button[name=theme]").click()


def _leave_notes(page: Page, base: str) -> None:
    for text in ("栃木県警察からの回答待ち。着信があれば当直長へ。（演習）", "照会窓口の内線が変わった。（演習）"):
        page.goto(f"{base}/notes")
        page.locator("#text").fill(text)
        page.locator(".note-new button").click()


if __name__ == "__main__":
    main()
