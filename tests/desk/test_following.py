"""What officers do about leads at the desk: which forms do what, what is refused, and how it is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from renkei.leads.v1.follow_up_pb2 import BatchFollowUpLeadsRequest, FollowUp, LeadStep
from renkei.leads.v1.leads_pb2 import Lead

from renkei_chassis.errors import Aborted, FailedPrecondition
from renkei_chassis.ids import uuid7
from renkei_desk.following import snooze_end
from tests.desk.fakes import AGENCY
from tests.desk.invented import lead, lead_name

if TYPE_CHECKING:
    import httpx

    from tests.desk.house import House

SUZUKI: Final = f"{AGENCY}/officers/suzuki"


def at(house: House, seconds: int) -> Timestamp:
    return Timestamp(seconds=int(house.clock.now().timestamp()) + seconds)


def id_of(number: int) -> str:
    return lead_name(number)[-36:]


async def fill(house: House) -> None:
    some = (
        lead(1, due_time=at(house, 3000)),
        lead(2, due_time=at(house, -600), has_grown=True, seen_count=3),
        lead(3, state=Lead.STATE_SUPPORTED, follow_up=FollowUp.STATE_TAKEN, holder=SUZUKI, unit="捜査二課"),
        lead(4, follow_up=FollowUp.STATE_SNOOZED, snooze_end_time=at(house, 7200)),
        lead(5, follow_up=FollowUp.STATE_DISMISSED),
    )
    house.world.leads = {each.name: each for each in some}


async def post(house: House, path: str = "/acts", **form: str | list[str]) -> httpx.Response:
    given = {"form_key": await house.form_key(), "form": str(uuid7()), "place": "/?view=new", **form}
    return await house.browser.post(path, data=given)


async def test_the_inbox_shows_who_has_what_and_how_much_time_is_left(house: House) -> None:
    await fill(house)
    await house.enter()

    text = (await house.browser.get("/")).text

    order = [text.index(f'id="lead-{id_of(number)}"') for number in (3, 2, 1)]
    assert order == sorted(order), "supported first, then by the time that is left"
    rows = dict(zip((3, 2, 1), (text[begin:].split("</li>")[0] for begin in order), strict=True))
    assert re.search(r"対応中</span> suzuki <span class=\"dim\">捜査二課", rows[3])
    assert "data-key" not in rows[3], "nobody takes what another holds"
    assert "▲ 確認期限超過 10分" in rows[2]
    assert "新しい内容あり" in rows[2]
    assert "閲覧 3人" in rows[2]
    assert "確認期限まで 50分" in rows[1]
    assert rows[1].index("特別な取扱注意なし") < rows[1].index("row-acts")
    assert [id_of(number) in text for number in (4, 5)] == [False, False]
    assert "act_assign" not in text
    assert "割り当てる" not in text


@pytest.mark.parametrize(("view", "shown"), [("new", {1, 2}), ("mine", {3, 4}), ("snoozed", {4}), ("closed", {5})])
async def test_each_view_asks_for_its_own_leads(house: House, view: str, shown: set[int]) -> None:
    await fill(house)
    await house.enter("SUPERVISOR")

    text = (await house.browser.get(f"/?view={view}")).text

    assert {number for number in range(1, 6) if id_of(number) in text} == shown
    assert house.world.asked[-1].mine == (view == "mine")
    assert "割り当てる" in text, "supervisors give leads to others"
    assert f'hx-get="/?view={view}"' in text


async def test_chosen_leads_are_followed_up_at_once_and_one_that_was_refused_says_why(house: House) -> None:
    await fill(house)
    await house.enter()
    chosen = [f"{id_of(1)}@etag1", f"{id_of(2)}@etag2"]
    same = str(uuid7())

    done = await post(house, act="hand_over", lead=chosen, unit=" 捜査二課 ", reason="当直交代", form=same)
    house.world.refusing = {
        lead_name(1): FailedPrecondition("LEAD_HELD", "held", metadata={"holder": SUZUKI}),
        lead_name(2): Aborted("ETAG_MISMATCH", "changed"),
    }
    refused = await post(house, act="acknowledge", lead=chosen, view="new")

    assert (done.status_code, done.headers["location"]) == (303, "/?view=new")
    first, second = house.world.acts
    assert (first.request_id, first.unit, first.reason, first.parent) == (same, "捜査二課", "当直交代", AGENCY)
    assert [(each.name, each.etag) for each in first.leads] == [(lead_name(1), ""), (lead_name(2), "")]
    assert [each.etag for each in second.leads] == ["etag1", "etag2"], "who decides decides on what was read"
    assert refused.status_code == 200
    shown = refused.text.partition('role="alert"')[2].partition("</div>")[0]
    assert "ほかの人が担当中です (suzuki)" in shown
    assert "読んだ後に変わりました" in shown
    assert 'aria-current="true">未対応' in refused.text


async def test_one_button_acts_on_its_own_lead_alone(house: House) -> None:
    await fill(house)
    await house.enter()

    await post(house, act=f"take:{id_of(2)}@etag2", lead=[f"{id_of(1)}@etag1"])

    (act,) = house.world.acts
    assert (act.step, [each.name for each in act.leads]) == (BatchFollowUpLeadsRequest.STEP_TAKE, [lead_name(2)])


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"act": "take"}, "手がかりを選んでください"),
        ({"act": "burn", "lead": "x"}, "手がかりを選んでください"),
        ({"act": "dismiss", "lead": "x"}, "理由を書いてください"),
    ],
)
async def test_a_form_that_lacks_something_says_what(house: House, form: dict[str, str], words: str) -> None:
    await fill(house)
    await house.enter()

    answer = await post(house, **form)

    assert words in answer.text
    assert house.world.acts == []


async def test_a_forged_form_does_nothing(house: House) -> None:
    await fill(house)
    await house.enter()

    answers = [
        await post(house, act="take", lead=id_of(1), form_key="forged"),
        await house.browser.post("/acts", data={"act": "take"}, headers={"origin": "https://evil.invalid"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert house.world.acts == []


async def test_the_page_of_a_lead_takes_the_decision_and_shows_what_was_done(house: House) -> None:
    await fill(house)
    house.world.steps = [
        LeadStep(lead=lead_name(9), number=1, kind=LeadStep.KIND_TAKEN, actor=SUZUKI, holder=SUZUKI, reason="<b>x</b>"),
        LeadStep(lead=lead_name(1), number=1, kind=LeadStep.KIND_CARRIED_OVER, other=lead_name(9), holder=SUZUKI),
    ]
    await house.enter()
    path = f"/leads/{id_of(1)}"

    text = (await house.browser.get(path)).text
    await house.browser.get(path, headers={"hx-request": "true"})
    done = await post(house, path, act="dismiss", lead=f"{id_of(1)}@etag1", reason="同姓同名", place=path)

    assert house.world.looked == [lead_name(1)], "what a page asks for by itself is nobody's look"
    assert text.index("&lt;b&gt;x&lt;/b&gt;") < text.index("統合・分離により引継ぎ → suzuki")
    assert (done.status_code, done.headers["location"]) == (303, path)
    (act,) = house.world.acts
    assert (act.step, act.reason, act.leads[0].etag) == (BatchFollowUpLeadsRequest.STEP_DISMISS, "同姓同名", "etag1")
    closed = (await house.browser.get(f"/leads/{id_of(5)}")).text
    assert "再開する" in closed
    assert "担当する" not in closed


def test_the_next_morning_is_the_next_half_past_eight_in_japan() -> None:
    night, noon = datetime(2026, 1, 5, 20, tzinfo=UTC), datetime(2026, 1, 5, 3, tzinfo=UTC)

    assert snooze_end("morning", night).ToJsonString() == "2026-01-05T23:30:00Z"
    assert snooze_end("morning", noon).ToJsonString() == "2026-01-05T23:30:00Z"
    assert snooze_end("4h", noon).ToDatetime(tzinfo=UTC) - noon == timedelta(hours=4)
