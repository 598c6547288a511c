"""Take pictures of every page of the desk, by day and by night: `make screenshots`.

They are of the demo, whose story has just been played: nothing on them is real but the public cases of the map.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.async_api import expect

from renkei_chassis.settings import load
from renkei_node.layout import NodeDirectory
from renkei_node.settings import Ports
from tests.system.desk_trial import TOKYO, arrest, browser, visitor
from tests.system.federation import Member

if TYPE_CHECKING:
    from playwright.async_api import Page

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
_LINK: Final = re.compile(r"https://\S+/enter\?code=\S+")
_LIVE: Final = frozenset({"inbox", "lead", "clocks", "map"})
_WIDTH, _HEIGHT = 1280, 860
_WHOLE: Final = frozenset({"lead", "map", "figures", "record"})


def main() -> None:
    """Play the demo, and take them all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "renkei_node.cli", "demo", "--records", "300", "--dir", place]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stdout is not None
                link = next((found[0] for line in demo.stdout if (found := _LINK.search(line))), None)
                if link is None:
                    raise SystemExit("the demo ended without a link")
                asyncio.run(_take(link, Path(place) / TOKYO))
            finally:
                demo.terminate()


async def _take(link: str, directory: Path) -> None:
    node = NodeDirectory(directory)
    ports = await asyncio.to_thread(load, Ports, node.settings, "ports")
    tokyo = Member(code=TOKYO, directory=node, ports=ports, output=directory)
    for number, hours in enumerate((47.5, 40, 26, 3)):
        await arrest(tokyo, f"090-9{number:03d}-0000", hours=hours)
    for client in tokyo.clients.values():
        await client.close()
    async with browser() as running:
        page = await (await visitor(running)).new_page()
        await page.goto(link)
        await page.keyboard.press("Enter")
        await expect(page.locator(".lead").first).to_be_visible(timeout=30_000)
        base = page.url.rstrip("/")
        paths = await _paths(page, base)
        for theme in ("day", "night"):
            for name, path in paths.items():
                await page.goto(base + path)
                if name in _LIVE:
                    await expect(page.locator("#live:not(:empty)")).to_be_visible()
                # A window as high as the page: what stays at its foot would stand in the middle of a longer picture.
                high = await page.evaluate("document.documentElement.scrollHeight") if name in _WHOLE else 0
                await page.set_viewport_size({"width": _WIDTH, "height": max(high, _HEIGHT)})
                await page.screenshot(path=FOLDER / f"{name}-{theme}.png")
                await page.set_viewport_size({"width": _WIDTH, "height": _HEIGHT})
            await page.locator("button[name=theme]").click()


async def _paths(page: Page, base: str) -> dict[str, str]:
    """Bring the pages into a state worth a picture, and say where they are."""
    for text in ("栃木県警察からの回答待ち。着信があれば当直長へ。（演習）", "照会窓口の内線が変わった。（演習）"):
        await page.goto(f"{base}/notes")
        await page.locator("#text").fill(text)
        await page.locator(".note-new button").click()
    paths = {
        "inbox": "/",
        "clocks": "/clocks",
        "map": "/map",
        "figures": "/figures",
        "peers": "/peers",
        "notes": "/notes",
    }
    await page.goto(base)
    paths["lead"] = await page.locator("section[aria-labelledby=urgent] .lead a").first.get_attribute("href") or ""
    await page.goto(base + paths["lead"])
    paths["record"] = await page.locator("tr[id^=row-] a").first.get_attribute("href") or ""
    number = await page.locator("tr[id^=row-] code").first.inner_text()
    paths["search"] = f"/search?q={number.replace('+81', '0')}"
    await page.goto(base + paths["search"])
    await page.locator("input[name=case]").fill("演習2024-1号")
    await page.locator("input[name=reason]").fill("同一番号の記録の確認（演習）")
    await page.keyboard.press("Enter")
    await expect(page.locator(".purpose")).to_be_visible()
    return paths


if __name__ == "__main__":
    main()
