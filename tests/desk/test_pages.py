"""What the pages show, in which order, and what they never show."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from google.protobuf.timestamp_pb2 import Timestamp
from renkei.exchange.v1.exchange_pb2 import LANE_DATA, LaneStatus, ListPeersResponse, Peer
from renkei.leads.v1.leads_pb2 import Lead
from renkei.policy.v1.policy_pb2 import GRADE_FULL

from renkei_chassis.ids import uuid7
from tests.desk.invented import lead, lead_name, tip, tip_name

if TYPE_CHECKING:
    from tests.desk.house import House

PAGES: Final = (
    "/",
    "/search?q=1234",
    "/clocks",
    "/map",
    "/figures",
    "/peers",
    "/notes",
    "/leads/{lead}",
    "/records/{record}",
    "/locked",
    "/nowhere",
)


class Tags(HTMLParser):
    """The tags of a page with their attributes, and what stands inside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline += data


async def fill(house: House) -> None:
    house.world.leads = {each.name: each for each in (lead(1, caveat="接触禁止"), lead(2, state=Lead.STATE_SUPPORTED))}
    house.world.records[tip_name(10)] = tip(10, caveat="接触禁止")
    await house.enter()
    await house.say_purpose()


async def page(house: House, path: str) -> str:
    where = path.format(lead=lead_name(1).rpartition("/")[2], record=tip_name(10).removeprefix("agencies/"))
    answer = await house.browser.get(where)
    return answer.text


async def test_no_page_has_inline_script_or_style_or_asks_another_host(house: House) -> None:
    await fill(house)

    for path in PAGES:
        text = await page(house, path)
        tags = Tags(text)
        assert tags.inline == ""
        for tag, attributes in tags.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
            for name in ("src", "href", "action", "hx-get", "hx-post"):
                value = attributes.get(name)
                assert value is None or re.match(r"/(?!/)|#", value), (path, tag, name, value)
        assert "演習データ" in text.partition("<main")[0], "every page says that its data is invented"


async def test_every_answer_carries_the_policy(house: House) -> None:
    await fill(house)
    paths = ("/", "/nowhere", "/locked", "/static/x/desk.css", "/static/x/nothing.js")

    answers = [await house.browser.get(path) for path in paths]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[0].http_version == "HTTP/2"


async def test_supported_leads_come_first_and_handling_before_content(house: House) -> None:
    await fill(house)

    text = await page(house, "/")

    assert text.index(f"lead-{lead_name(2)[-36:]}") < text.index(f"lead-{lead_name(1)[-36:]}")
    row = text[text.index(f"lead-{lead_name(1)[-36:]}") :]
    assert row.index("接触禁止") < row.index("<h3>")
    assert "裏付けあり" in text
    assert "候補" in text


async def test_every_line_of_the_chart_bears_the_number_of_its_row(house: House) -> None:
    await fill(house)

    text = await page(house, "/leads/{lead}")

    numbers = re.findall(r'<g class="edge-number[^"]*"><circle[^>]*/><text[^>]*>(\d+)</text>', text)
    rows = re.findall(r'<tr id="row-(\d+)"', text)
    assert numbers == rows == ["1", "2", "3", "4"]
    weak = re.findall(r'<g class="edge-number weak"><circle[^>]*/><text[^>]*>(\d+)</text>', text)
    assert weak == ["2", "3", "4"], "a source that is withheld, and a weak identifier"
    assert text.count("要確認</strong>") == 3
    assert text.index("接触禁止") < text.index("<h1>")


async def test_what_may_not_be_seen_looks_as_if_it_were_not_there(house: House) -> None:
    await fill(house)
    house.world.hidden |= {tip_name(10), lead_name(1)}
    texts = {
        await page(house, path)
        for path in ("/records/{record}", "/records/jp-12/tips/0", "/leads/{lead}", "/leads/0", "/records/jp-12/x/0")
    }
    statuses = {(await house.browser.get(f"/leads/{lead_name(number)[-36:]}")).status_code for number in (1, 7)}

    assert len(texts) == 1
    assert statuses == {404}


async def test_a_record_that_may_not_be_seen_is_not_on_the_timeline_of_its_lead(house: House) -> None:
    await fill(house)
    seen = await page(house, "/leads/{lead}")
    house.world.hidden.add(tip_name(10))

    hidden = await page(house, "/leads/{lead}")

    assert 'class="timeline"' in seen
    assert 'class="timeline"' not in hidden


async def test_a_role_without_the_right_is_told_nothing(house: House) -> None:
    house.world.leads[lead_name(1)] = lead(1, caveat="接触禁止")
    await house.enter("AUDITOR")

    answer = await house.browser.get("/")
    feed = await house.browser.get("/feed")

    assert (answer.status_code, feed.status_code) == (403, 403)
    assert "接触禁止" not in answer.text


HOSTILE: Final = {
    "script": '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "style": "</style><style>*{display:none}</style><div style='position:fixed'>",
    "template": "{{ 7*7 }}{% raw %}${7*7}",
    "htmx": '<div hx-get="/leave" hx-trigger="load" data-hx-post="//x.invalid">',
    "bidi": "abc\u202etxt.exe\u2066\u200f",
    "long": "長" * 100_000,
}


async def test_a_hostile_text_is_shown_and_not_obeyed(house: House) -> None:
    await house.enter()
    await house.say_purpose()

    for text in HOSTILE.values():
        house.world.records[tip_name(10)] = tip(10, text=text, title=text[:200], caveat=text[:500])
        hostile = lead(1, caveat=text[:500])
        hostile.explanation_ja = text[:4000]
        hostile.evidence[0].normal_form = text[:256]
        hostile.records[0].contact_desk = text[:200]
        house.world.leads[hostile.name] = hostile
        pages = [await page(house, path) for path in ("/records/{record}", "/leads/{lead}", "/", "/search?q=1234")]
        for found in pages:
            require_inert(found)
        if text == HOSTILE["long"]:
            assert text in pages[0]


def require_inert(found: str) -> None:
    """Nothing of a hostile text became a tag, an attribute, an expression or a turn of the writing."""
    tags = Tags(found)
    assert tags.inline == ""
    assert not [tag for tag, _ in tags.tags if tag in {"img", "style"}]
    assert [held for tag, held in tags.tags if tag == "script" and not str(held["src"]).startswith("/static/")] == []
    assert not [held for _, held in tags.tags if "onerror" in held or "style" in held]
    assert not [held for _, held in tags.tags if held.get("hx-trigger") == "load"]
    assert not set("\u202e\u2066\u200f") & set(found)
    assert "49$" not in found


async def test_a_version_says_what_it_changed_and_why(house: House) -> None:
    await fill(house)
    house.world.records[tip_name(10)] = tip(10, version=3)
    own = await page(house, "/records/{record}")
    house.world.records[tip_name(10)].received_grade = GRADE_FULL
    copy = await page(house, "/records/{record}")

    assert "本文が「旧」から「新」に変わった" in own
    assert "訂正理由: 誤記" in own
    assert "abe" in own
    assert "本文が「旧」" not in copy, "of a copy only the version that was released is here"


async def test_the_language_switch_stays_on_the_page(house: House) -> None:
    await fill(house)
    place = f"/leads/{lead_name(1)[-36:]}"

    answer = await house.browser.post(
        "/setting", data={"form_key": await house.form_key(), "place": place, "language": "en"}
    )

    assert answer.headers["location"] == place
    text = await page(house, "/leads/{lead}")
    assert '<html lang="en"' in text
    assert "an invented explanation" in text


async def test_the_switch_leads_nowhere_else(house: House) -> None:
    await house.enter()
    key = await house.form_key()

    for place in ("//example.invalid/", "https://example.invalid/", "/\\example.invalid", "x", "/\n"):
        answer = await house.browser.post("/setting", data={"form_key": key, "place": place, "theme": "night"})
        assert answer.headers["location"] == "/"


async def test_a_peer_that_is_cut_off_comes_first_with_what_is_on_its_way(house: House) -> None:
    house.world.peers = ListPeersResponse(
        peers=[
            Peer(name="agencies/jp-01", display_name="北の演習", state=Peer.STATE_CONNECTED),
            Peer(
                name="agencies/jp-13",
                display_name="東の演習",
                state=Peer.STATE_CUT_OFF,
                state_time=Timestamp(seconds=int(house.clock.now().timestamp())),
                lanes=[
                    LaneStatus(lane=LANE_DATA, last_bundle=50, received_bundle=9),
                    LaneStatus(lane=LANE_DATA, outbound=True, last_bundle=7, received_bundle=4),
                ],
            ),
        ]
    )
    await house.enter()
    house.clock.advance(12 * 60)

    text = re.sub(r"<[^>]*>|\s+", " ", await page(house, "/peers"))

    assert text.index("東の演習") < text.index("北の演習")
    assert re.search(r"切断\s+12分\s+・ 未受信 41件 ・ 未達 3件", text)


async def test_a_note_is_left_once_for_the_next_shift(house: House) -> None:
    await house.enter()
    form = {"form_key": await house.form_key(), "form": str(uuid7()), "text": "一行目\r\n<b>二行目"}

    for _ in range(2):  # somebody pressed twice
        assert (await house.browser.post("/notes", data=form)).status_code == 303

    text = await page(house, "/notes")
    assert text.count("一行目\n&lt;b&gt;二行目") == 1
    assert "sato" in text


async def test_a_note_that_is_none_is_not_kept(house: House) -> None:
    await house.enter()
    key, known = await house.form_key(), str(uuid7())
    bad = (("x", "演習"), ("", "演習"), (known, ""), (known, " \n "), (known, "長" * 2001), (known, "a\0b"))

    for form, text in bad:
        answer = await house.browser.post("/notes", data={"form_key": key, "form": form, "text": text})
        assert answer.status_code == 400

    assert '<ol class="notes">' not in await page(house, "/notes")


async def test_notes_come_in_pages_the_newest_first(house: House) -> None:
    await house.enter()
    key = await house.form_key()
    for number in range(25):
        await house.browser.post("/notes", data={"form_key": key, "form": str(uuid7()), "text": f"演習 {number:02d}."})

    first = await page(house, "/notes")
    second = await page(house, re.findall(r'href="(/notes\?before=\d+)"', first)[0])

    assert re.findall(r"演習 (\d\d)\.", first) == [f"{number:02d}" for number in range(24, 4, -1)]
    assert re.findall(r"演習 (\d\d)\.", second) == ["04", "03", "02", "01", "00"]


async def test_a_service_that_is_away_is_said_to_be_and_the_page_comes_back(house: House) -> None:
    await house.enter()
    await house.services["leads"].stop()

    answer = await house.browser.get("/", timeout=30)

    assert answer.status_code == 503
    assert "応答がありません" in answer.text
