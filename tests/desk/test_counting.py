"""The map and the figures, and what is taken away of them: nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.leads.v1.leads_pb2 import Lead
from renkei.personas.v1.enums_pb2 import OUTCOME_ARREST
from renkei.personas.v1.personas_pb2 import Plan
from renkei.personas.v1.reports_pb2 import StatisticsRow

from tests.desk.house import run_house
from tests.desk.invented import arrest_name, lead, lead_name
from tests.desk.test_boards import words

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims
    from tests.desk.house import House


async def fill(house: House) -> None:
    house.world.leads = {each.name: each for each in (lead(1), lead(2, state=Lead.STATE_SUPPORTED))}
    await house.enter()


async def read(house: House, path: str) -> str:
    answer = await house.browser.get(path)
    assert answer.status_code == 200, path
    return answer.text


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_the_map_counts_leads_and_cases_in_a_table_beside_it(house: House) -> None:
    await fill(house)

    text = words(await read(house, "/map"))

    assert "千葉県 2 1 0" in text
    assert "東京都 2 1 0" in text
    assert "埼玉県 0 0 1" in text
    assert "1 令和6年8月27日（2024-08-27） 埼玉県 演習市 強盗致傷" in text


async def test_the_map_shows_the_days_and_the_kind_that_were_asked_for(house: House) -> None:
    await fill(house)

    september = words(await read(house, "/map?from=2024-09-01&to=2024-09-30"))
    accounts = words(await read(house, "/map?kind=IDENTIFIER_TYPE_BANK_ACCOUNT"))
    nonsense = words(await read(house, "/map?from=x&to=%00&kind=%3Cb%3E"))

    assert "神奈川県 0 0 1" in september
    assert "演習市" not in september
    assert "千葉県 0 0 0" in september, "ours, and its leads changed at another time"
    assert "埼玉県 0 0 1" in accounts
    assert "千葉県 2 1 0" in nonsense


async def test_the_figures_are_bars_and_tables_alike(house: House) -> None:
    await fill(house)
    for number, kind in enumerate((Arrest.KIND_WARRANT, Arrest.KIND_WARRANT, Arrest.KIND_URGENT)):
        name = arrest_name(number)
        house.world.records[name] = Arrest(name=name, kind=kind, state=Arrest.STATE_OPEN)
    crime = Plan.CRIME_CODE_ROBBERY
    house.world.undercover = [StatisticsRow(crime_code=crime, outcome=OUTCOME_ARREST, investigations=2)]

    officer = await read(house, "/figures")
    await house.enter("NPA_DESK", "OFFICER")
    coordinator = words(await read(house, "/figures"))

    text = words(officer)
    assert "裏付けあり 1" in text
    assert "候補 1" in text
    assert "電話番号 2" in text
    assert "通常逮捕 2" in text
    assert officer.count('<rect class="bar"') == officer.count('<td class="number">')
    assert "仮装身分捜査" not in text, "an officer is not told of it"
    assert "強盗 / 検挙 2" in coordinator


async def test_what_is_taken_away_says_whose_it_is_and_runs_nothing(house: House) -> None:
    hostile = lead(1, caveat='=HYPERLINK("https://x.invalid")')
    hostile.explanation_ja = "＝cmd|' /C calc'!A0\r\n+1"
    house.world.leads[hostile.name] = hostile
    await house.enter()

    answer = await house.browser.get("/leads.csv")
    rows = cells(answer.content.decode())

    assert answer.content.startswith(b"\xef\xbb\xbf"), "by which Excel knows UTF-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="leads.csv"'
    assert "演習データ" in rows[0][0]
    assert "sato" in rows[0][0]
    assert rows[1][0] == "取扱注意"
    assert rows[2][0].startswith("'=HYPERLINK")
    assert rows[2][1] == lead_name(1)
    assert rows[2][5].startswith("'＝cmd")
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "＝"))] == []


async def test_every_table_can_be_taken_away(house: House) -> None:
    await fill(house)

    places = cells(await read(house, "/map.csv"))
    counted = cells(await read(house, "/figures.csv"))
    clocks = cells(await read(house, "/clocks.csv"))

    assert ["千葉県", "2", "1", "0"] in places
    assert ["手がかり：状態別", "候補", "1"] in counted
    assert len(clocks) == 2


async def test_every_picture_stands_alone(house: House) -> None:
    await fill(house)
    paths = ("/map.svg", "/figures/leads_by_state.svg", f"/leads/{lead_name(1)[-36:]}/chart.svg")

    for path in paths:
        answer = await house.browser.get(path)
        picture = ET.fromstring(answer.text)  # noqa: S314 (our own)
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
        assert picture.find("{http://www.w3.org/2000/svg}style") is not None
        assert answer.headers["content-disposition"].startswith("attachment")

    assert (await house.browser.get("/figures/nothing.svg")).status_code == 404
    house.world.hidden.add(lead_name(1))
    assert (await house.browser.get(paths[2])).status_code == 404


async def test_paper_says_on_every_page_what_it_is_whose_and_when(house: House) -> None:
    await house.enter()

    sheet = (await house.browser.get("/print.css")).text
    first = words(await read(house, "/map"))

    assert "演習データ ・ 取扱注意 ・ 演習県警察 ・ sato ・ 令和" in sheet
    assert 'counter(page) " / " counter(pages)' in sheet
    assert "取扱注意 演習県警察 ・ sato ・ 令和" in first


async def test_no_name_of_an_agency_ends_the_style_sheet(tmp_path: Path, ports: PortClaims) -> None:
    hostile = 'a"; } body { display: none } \\ </style>'
    async with run_house(tmp_path, ports, settings={"agency_name": hostile}) as house:
        await house.enter()

        sheet = (await house.browser.get("/print.css")).text

    assert sheet.count("{") == sheet.count("}") == 3
    assert sheet.count('"') == 4
    assert "<" not in sheet
