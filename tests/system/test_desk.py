"""The desk of a real node in a real browser: by keyboard alone, live through everything, and readable for everybody."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

import pytest
from playwright.async_api import expect

from renkei_node.demo.proxy import Mode
from tests.system.desk_trial import TOKYO, browser, cable_to, judged, link, pair, record, require_chromium, visitor

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from renkei_node.demo.proxy import Proxy
    from tests.system.federation import Member

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LIVE: Final = "#live:not(.lost):not(:empty)"
LOST: Final = "#live.lost"
PATIENCE: Final = 30_000
PAGES: Final = ("/", "/clocks", "/map", "/figures", "/peers", "/notes", "/search?q=9002", "/enter?code=x", "/locked")
NOT_PRINTED: Final = ("/enter?code=x", "/locked")
HOSTILE: Final = "<script>document.title = 'obeyed'</script><img src=//x.invalid/ onerror=alert(1)>\u202e=1+1 " + (
    "長" * 10_000
)


async def test_a_night_at_the_desk(tmp_path: Path) -> None:
    """One story, since the nodes and the browser cost more than all that is looked at."""
    require_chromium()
    async with (
        pair(tmp_path) as federation,
        cable_to(federation[TOKYO], federation) as cable,
        browser(cable) as running,
    ):
        member = federation[TOKYO]
        await record(member, 1, text=HOSTILE)
        await record(member, 2, supported=True)
        page = await (await visitor(running)).new_page()
        asked: set[str] = set()
        page.context.on("request", lambda request: asked.add(request.url))
        wrong: list[str] = []
        page.context.on("weberror", lambda error: wrong.append(str(error.error)))

        await page.goto(await link(member))
        await page.keyboard.press("Enter")  # the only button has the focus
        await expect(page.locator(".lead")).to_have_count(2, timeout=PATIENCE)
        await the_inbox_goes_by_keyboard_alone(page)
        await leads_are_followed_up_by_keyboard_alone(page, member)
        await a_search_says_why_and_goes_on_without_being_asked_again(page)
        await a_warning_is_answered_on_the_board(page, member)
        await nothing_is_missed_or_doubled(page, member, cable)
        await ten_tabs_are_live_at_once(page, member)
        await what_came_unseen_is_told_without_its_content(page, member)
        found = await every_page_is_readable(page, member)

        assert [url for url in asked if not url.startswith(base(member) + "/")] == []
        assert wrong == []
        assert found == []


def base(member: Member) -> str:
    return f"https://localhost:{member.ports.web}"


async def the_inbox_goes_by_keyboard_alone(page: Page) -> None:
    first, second = page.locator(".lead h3 a").nth(0), page.locator(".lead h3 a").nth(1)
    await page.keyboard.press("j")
    await expect(first).to_be_focused()
    await page.keyboard.press("J")
    await expect(second).to_be_focused()
    await page.evaluate(
        "document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'k', isComposing: true, bubbles: true}))"
    )
    await expect(second).to_be_focused()
    await page.keyboard.press("k")
    await expect(first).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await expect(page.locator("#row-1")).to_be_visible()
    await expect(page.locator("svg.chart .edge-number")).to_have_count(await page.locator("tr[id^=row-]").count())


async def leads_are_followed_up_by_keyboard_alone(page: Page, member: Member) -> None:
    """Take one, read it, dismiss it with a reason, take that back; acknowledge many; and leave all of them open."""
    await page.goto(base(member))
    row = page.locator(".lead").first
    lead = await row.get_attribute("data-lead") or ""
    await page.keyboard.press("j")
    await page.keyboard.press("t")
    await expect(page.locator(f"#lead-{lead} .standing")).to_have_text("対応中")
    await expect(page.locator(f"#lead-{lead}")).to_contain_text("sato")
    await page.locator(f"#lead-{lead} h3 a").focus()
    await page.keyboard.press("Enter")
    history = page.locator("table.history tbody tr")
    await expect(history).to_have_count(2)  # looked at in the run before, and taken
    await page.locator("#acts summary").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("同姓同名（演習）")
    await page.locator("#acts button[value=dismiss]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".standing")).to_have_text("関連なし")
    await expect(history.last).to_contain_text("同姓同名（演習）")
    await page.locator("#acts button[value=reopen]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#refused")).to_contain_text("理由を書いてください")
    await page.locator("#acts input[name=reason]").focus()
    await page.keyboard.type("再確認（演習）")
    await page.locator("#acts button[value=reopen]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".standing")).to_have_text("未対応")
    await page.goto(base(member))
    for key in ("j", "x", "j", "x"):
        await page.keyboard.press(key)
    await expect(page.locator(".choose input:checked")).to_have_count(2)
    await page.locator("#acts button[value=acknowledge]").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".standing-3")).to_have_count(2)
    await page.goto(base(member) + f"/leads/{lead}")


async def a_search_says_why_and_goes_on_without_being_asked_again(page: Page) -> None:
    await page.keyboard.press("/")
    await page.wait_for_url("**/search")
    await page.keyboard.type("演習1号")
    await page.keyboard.press("Tab")
    await page.keyboard.type("演習の照会")
    await page.keyboard.press("Enter")
    await expect(page.locator(".purpose")).to_contain_text("演習1号")
    await page.locator("#q").focus()
    await page.keyboard.type("9002")
    await page.keyboard.press("Enter")
    await expect(page.locator(".lead")).to_have_count(3)
    await page.goto(page.url.replace("9002", "9001"))
    await expect(page.locator(".lead")).to_have_count(2)
    await page.locator(".lead a").last.click()
    await expect(page.locator("main")).to_contain_text("<script>document.title")
    await expect(page.locator("main")).to_contain_text("\\u202e=1+1")
    assert "obeyed" not in await page.title()


async def a_warning_is_answered_on_the_board(page: Page, member: Member) -> None:
    await page.goto(base(member) + "/clocks")
    waits = page.locator("form.answer")
    await expect(waits.first).to_be_visible(timeout=PATIENCE)
    count = await waits.count()
    await waits.first.locator("input[name=note]").fill("確認中（演習）")
    await page.keyboard.press("Enter")
    await expect(waits).to_have_count(count - 1)
    await expect(page.locator("table.board")).to_contain_text("確認済み sato")


async def nothing_is_missed_or_doubled(page: Page, member: Member, cable: Proxy) -> None:
    """Through a kill -9, and through a line that goes dead and comes back.

    A browser takes thirty seconds and longer to give up a line by itself; a cable that is pulled ends the connection at
    once, and what is then to be made up for is the same however long it was away.
    """
    await page.goto(base(member))
    await expect(page.locator(LIVE)).to_be_visible(timeout=PATIENCE)
    await page.evaluate("window.sameDocument = true")
    await record(member, 3)
    await expect(page.locator(".lead")).to_have_count(3, timeout=PATIENCE)
    await asyncio.to_thread(member.kill)
    await asyncio.to_thread(member.start)
    await member.ready()
    await record(member, 4)
    await expect(page.locator(".lead")).to_have_count(4, timeout=PATIENCE)
    await expect(page.locator(LIVE)).to_be_visible(timeout=PATIENCE)
    await cable.set_mode(Mode.CUT)
    await expect(page.locator(LOST)).to_be_visible(timeout=PATIENCE)
    await record(member, 5)
    await cable.set_mode(Mode.PASS)
    await expect(page.locator(".lead")).to_have_count(5, timeout=PATIENCE)
    await expect(page.locator(LIVE)).to_be_visible(timeout=PATIENCE)
    ids = await page.locator("[data-lead]").evaluate_all("rows => rows.map((row) => row.dataset.lead)")
    assert len(set(ids)) == 5
    assert await page.evaluate("window.sameDocument"), "the page was never loaded anew"


async def ten_tabs_are_live_at_once(page: Page, member: Member) -> None:
    """Over HTTP/1.1 the seventh would wait for ever. All of them live through a line that was cut."""
    tabs = [await page.context.new_page() for _ in range(9)]
    for tab in tabs:
        await tab.goto(page.url)
    for tab in (page, *tabs):
        await expect(tab.locator(LIVE)).to_be_attached(timeout=PATIENCE)
    await record(member, 6)
    for tab in (page, *tabs):
        await expect(tab.locator(".lead")).to_have_count(6, timeout=PATIENCE)
    for tab in tabs:
        await tab.close()


async def what_came_unseen_is_told_without_its_content(page: Page, member: Member) -> None:
    tab = await page.context.new_page()
    await tab.add_init_script(
        "window.told = [];"
        "Object.defineProperty(document, 'hidden', { get: () => window.unseen === true });"
        "window.Notification = class { static permission = 'granted';"
        " constructor(title, more) { window.told.push(title + ': ' + more.body); } };"
    )
    await tab.goto(page.url)
    await expect(tab.locator(LIVE)).to_be_visible(timeout=PATIENCE)
    await tab.evaluate("window.unseen = true")
    await record(member, 7)
    await expect(tab.locator(".lead")).to_have_count(7, timeout=PATIENCE)
    assert re.match(r"\(\d\) 受理箱", await tab.title())
    told = await tab.evaluate("window.told")
    assert told
    assert {each for each in told if "9007" in each or "演習" in each} == set()
    await tab.close()


async def places(page: Page, member: Member) -> tuple[str, str]:
    """Give the addresses of a lead and of a record."""
    await page.goto(base(member))
    lead = await page.locator(".lead h3 a").first.get_attribute("href") or ""
    await page.goto(base(member) + "/search?q=9002")
    return lead, await page.locator(".lead a").first.get_attribute("href") or ""


async def every_page_is_readable(page: Page, member: Member) -> list[str]:
    """By day, by night, where nothing but colours is another, and on paper."""
    found = []
    paths = (*await places(page, member), *PAGES)
    for path in paths:
        await page.goto(base(member) + path)
        found += await judged(page)
        if path not in NOT_PRINTED:
            await prints_on_a4(page)
    await page.goto(base(member))
    await page.locator("button[name=theme]").click()
    for path in paths:
        await page.goto(base(member) + path)
        found += await judged(page, colours_alone=True)
    return found


async def prints_on_a4(page: Page) -> None:
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", await page.pdf(prefer_css_page_size=True))
    assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {(595, 842)}, page.url
    await page.emulate_media(media="print")
    await expect(page.locator(".printed-box")).to_be_visible()
    await expect(page.locator(".tools")).to_be_hidden()
    await page.emulate_media(media="screen")
