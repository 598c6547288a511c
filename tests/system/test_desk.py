"""The desk of a real node in a real browser: by keyboard alone, live through a kill -9, and readable for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.system.desk_trial import chromium, node, page_of, record, start

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.system.federation import Member

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LIVE: Final = "#live:not(.lost):not(:empty)"
PATIENCE: Final = 30_000


def findings(page: Page) -> list[str]:
    """Say what axe finds wrong with a page."""
    return [f"{page.url}: {each['id']}" for each in Axe().run(page).response["violations"]]


def test_a_night_at_the_desk(tmp_path: Path) -> None:
    """One story, since the node and the browser cost more than all that is looked at."""
    chromium()
    with node(tmp_path) as member:
        record(member, 1)
        record(member, 2, supported=True)
        with page_of(member) as page:
            asked: set[str] = set()
            page.on("request", lambda request: asked.add(request.url))
            wrong: list[str] = []
            page.on("pageerror", lambda error: wrong.append(str(error)))

            page.keyboard.press("Enter")  # the only button has the focus
            expect(page.locator(".lead")).to_have_count(2, timeout=PATIENCE)
            the_inbox_goes_by_keyboard_alone(page)
            nothing_is_missed_or_doubled(page, member)
            ten_tabs_are_live_at_once(page, member)
            found = every_page_is_readable(page)

            origin = f"https://127.0.0.1:{member.ports.web}/"
            assert [url for url in asked if not url.startswith(origin)] == []
            assert wrong == []
            assert found == []


def the_inbox_goes_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("j")
    expect(page.locator(".lead a").nth(0)).to_be_focused()
    page.keyboard.press("J")
    expect(page.locator(".lead a").nth(1)).to_be_focused()
    page.evaluate(
        "document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'k', isComposing: true, bubbles: true}))"
    )
    expect(page.locator(".lead a").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(".lead a").nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("#row-1")).to_be_visible()
    expect(page.locator("svg.chart .edge-number")).to_have_count(page.locator("tr[id^=row-]").count())
    page.keyboard.press("/")
    page.wait_for_url("**/search")
    page.keyboard.type("9002")
    page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_have_count(3)


def nothing_is_missed_or_doubled(page: Page, member: Member) -> None:
    page.goto(f"https://127.0.0.1:{member.ports.web}/")
    expect(page.locator(LIVE)).to_be_visible(timeout=PATIENCE)
    page.evaluate("window.sameDocument = true")
    record(member, 3)
    expect(page.locator(".lead")).to_have_count(3, timeout=PATIENCE)
    member.kill()
    start(member)
    record(member, 4)
    expect(page.locator(".lead")).to_have_count(4, timeout=PATIENCE)
    expect(page.locator(LIVE)).to_be_visible(timeout=PATIENCE)
    ids = page.locator("[data-lead]").evaluate_all("rows => rows.map((row) => row.dataset.lead)")
    assert len(set(ids)) == 4
    assert page.evaluate("window.sameDocument"), "the page was never loaded anew"


def ten_tabs_are_live_at_once(page: Page, member: Member) -> None:
    """Over HTTP/1.1 the seventh would wait for ever."""
    tabs = [page.context.new_page() for _ in range(9)]
    for tab in tabs:
        tab.goto(page.url)
    for tab in (page, *tabs):
        expect(tab.locator(LIVE)).to_be_attached(timeout=PATIENCE)
    record(member, 5)
    for tab in (page, *tabs):
        expect(tab.locator(".lead")).to_have_count(5, timeout=PATIENCE)
    for tab in tabs:
        tab.close()


def every_page_is_readable(page: Page) -> list[str]:
    found = []
    lead = page.locator(".lead a").first.get_attribute("href") or ""
    page.goto(page.url + "search?q=9002")
    base, record_path = page.url.partition("search")[0].rstrip("/"), page.locator(".lead a").first.get_attribute("href")
    for _ in ("day", "night"):
        for path in ("/", lead, record_path or "", "/search?q=9002", "/peers", "/notes"):
            page.goto(base + path)
            found += findings(page)
        page.locator("button[name=theme]").click()
    return found
