"""Who comes in, how long they stay, and what a form must bring."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import httpx

from renkei_chassis.identity import generate, mint
from renkei_chassis.ids import uuid7
from tests.desk.fakes import AGENCY
from tests.desk.house import run_house

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims
    from tests.desk.house import House


async def test_nobody_sees_a_page_without_a_session(house: House) -> None:
    paths = ("/", "/leads/x", "/records/jp-12/tips/x", "/search?q=1", "/clocks", "/map", "/figures", "/peers", "/notes")
    taken_away = ("/leads.csv", "/clocks.csv", "/map.csv", "/map.svg", "/figures.csv", "/leads/x/chart.svg")

    answers = [await house.browser.get(path) for path in (*paths, *taken_away)]
    feed = await house.browser.get("/feed")

    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, "/locked")}
    assert feed.status_code == 401
    assert house.world.callers == []


async def test_a_link_is_made_for_no_forged_token_and_for_no_service(house: House) -> None:
    forged = mint(
        generate(),
        issuer=AGENCY,
        subject=f"{AGENCY}/officers/sato",
        audience=AGENCY,
        roles=("OFFICER",),
        now_us=house.clock.now_us(),
        life_seconds=600,
        token_id=uuid7(),
    )
    service = mint(
        house.service_key,
        issuer=f"{AGENCY}/services/leads",
        subject=f"{AGENCY}/services/leads",
        audience=AGENCY,
        roles=("SERVICE",),
        now_us=house.clock.now_us(),
        life_seconds=300,
        token_id=uuid7(),
    )

    statuses = [
        (await house.browser.post("/links", headers={"authorization": f"Bearer {token}"})).status_code
        for token in (forged, service)
    ]

    assert statuses == [401, 403]
    assert (await house.browser.post("/links")).status_code == 401


async def test_a_link_opens_one_session_and_no_second(house: House) -> None:
    path = await house.link()
    code = path.partition("=")[2]

    looked = await house.browser.get(path)
    first = await house.browser.post("/enter", data={"code": code})
    second = await house.browser.post("/enter", data={"code": code})

    assert looked.status_code == 200, "whoever only looks at a link does not use it up"
    assert first.headers["location"] == "/"
    assert second.headers["location"] == "/locked"
    assert "set-cookie" not in second.headers


async def test_an_old_link_opens_nothing(house: House) -> None:
    code = (await house.link()).partition("=")[2]
    house.clock.advance(120)

    answer = await house.browser.post("/enter", data={"code": code})

    assert answer.headers["location"] == "/locked"


async def test_no_script_and_no_other_site_gets_at_the_session(house: House) -> None:
    code = (await house.link()).partition("=")[2]

    answer = await house.browser.post("/enter", data={"code": code})

    name, _, attributes = answer.headers["set-cookie"].partition("=")
    assert name == "__Host-renkei-jp-12"
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= {part.strip() for part in attributes.split(";")}


async def test_the_services_are_asked_as_the_officer(house: House) -> None:
    await house.enter()

    await house.browser.get("/")

    assert set(house.world.callers) == {f"{AGENCY}/officers/sato"}


async def test_a_session_in_which_nobody_does_anything_is_locked(house: House) -> None:
    await house.enter()
    for _ in range(3):  # what a page does by itself keeps nothing open
        house.clock.advance(299)
        assert (await house.browser.get("/peers", headers={"hx-request": "true"})).status_code == 200
    house.clock.advance(10)

    answer = await house.browser.get("/peers", headers={"hx-request": "true"})

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/locked")


async def test_a_session_lasts_a_shift_where_somebody_works_and_no_longer(tmp_path: Path, ports: PortClaims) -> None:
    async with run_house(tmp_path, ports, settings={"session_hours": 1, "idle_minutes": 15}) as house:
        await house.enter()
        statuses = []
        for _ in range(6):
            house.clock.advance(600)
            statuses.append((await house.browser.get("/notes")).status_code)

    assert statuses == [200] * 5 + [303]


async def test_alone_a_session_ends_with_the_officers_token(tmp_path: Path, ports: PortClaims) -> None:
    async with run_house(tmp_path, ports, renews=False) as house:
        await house.enter()
        before = (await house.browser.get("/")).status_code
        house.clock.advance(600)

        after = await house.browser.get("/")

    assert (before, after.status_code) == (200, 303)


async def test_a_role_that_is_taken_away_ends_the_session_at_the_next_renewal(house: House) -> None:
    await house.enter("OFFICER", "SUPERVISOR")
    house.world.roles.discard("SUPERVISOR")
    house.clock.advance(299)
    before = await house.browser.get("/peers")
    house.clock.advance(2)

    after = [await house.browser.get("/peers") for _ in range(2)]

    assert before.status_code == 200
    assert [answer.headers["location"] for answer in after] == ["/locked"] * 2


async def test_a_session_outlives_a_restart(house: House) -> None:
    await house.enter()
    await house.stop("desk")
    await house.start("desk")
    with suppress(httpx.RemoteProtocolError):  # the connection ended with the desk
        await house.browser.get("/locked")

    assert (await house.browser.get("/")).status_code == 200


async def test_whoever_leaves_is_out(house: House) -> None:
    await house.enter()
    held = dict(house.browser.cookies)
    await house.browser.post("/leave", data={"form_key": await house.form_key()})

    answer = await house.browser.get("/", headers={"cookie": "; ".join(f"{k}={v}" for k, v in held.items())})

    assert answer.status_code == 303


ELSEWHERE: Final = {
    "another site": {"sec-fetch-site": "cross-site"},
    "another port": {"sec-fetch-site": "same-site"},
    "another origin": {"origin": "https://example.invalid"},
    "no origin at all": {"origin": "null"},
}


async def test_a_form_from_elsewhere_or_without_the_visitors_key_does_nothing(house: House) -> None:
    await house.enter()
    form = {"form_key": await house.form_key(), "form": str(uuid7()), "text": "演習"}

    foreign = [await house.browser.post("/notes", data=form, headers=headers) for headers in ELSEWHERE.values()]
    keyless = [await house.browser.post("/notes", data={**form, "form_key": key}) for key in ("", "0" * 64, "ｘ")]

    assert [answer.status_code for answer in (*foreign, *keyless)] == [403] * 7
    assert "演習</p>" not in (await house.browser.get("/notes")).text


async def test_a_page_under_another_host_name_is_not_served(house: House) -> None:
    answer = await house.browser.get("/enter", headers={"host": "desk.example.invalid"})

    assert answer.status_code == 421


async def test_a_form_of_any_size_is_not_read(house: House) -> None:
    answer = await house.browser.post("/enter", data={"code": "x" * 100_000})

    assert answer.status_code == 400
