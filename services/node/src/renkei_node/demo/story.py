"""The story: what went wrong in 2024, going right. Every claim is measured, and false ones end the demo."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.exchange.v1 import exchange_pb2
from renkei.identifiers.v1 import identifiers_pb2 as ids
from renkei.leads.v1.leads_pb2 import Lead
from renkei.personas.v1 import personas_pb2
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub
from renkei.policy.v1 import policy_pb2
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.errors import NotFoundOrDenied
from renkei_node.demo.agencies import CODES, label
from renkei_node.demo.columns import NOTE
from renkei_node.demo.play import ClaimError, Play, holds, occurrence
from renkei_node.demo.proxy import Mode
from renkei_node.demo.wareki import JAPAN

if TYPE_CHECKING:
    from collections.abc import Callable

NPA, SAPPORO, TOCHIGI, SAITAMA, CHIBA, TOKYO, KANAGAWA = CODES
AUTUMN: Final = datetime(2025, 9, 30, 21, 40, tzinfo=JAPAN)
HANDLE: Final = "https://t.me/enshu_kagemusha"
PHONE: Final = "020-4123-4567"  # of the pagers' range, out of service since 2019
LATER_PHONE: Final = "020-4765-4321"
OTHER_PLATE: Final = "宇都宮 300 さ 99-42"
TELEGRAM, NUMBER, PLATE = ids.IDENTIFIER_TYPE_HANDLE, ids.IDENTIFIER_TYPE_PHONE, ids.IDENTIFIER_TYPE_VEHICLE_PLATE


@dataclass(slots=True)
class Told:
    """What the story leaves behind for the report."""

    say: Callable[[str], None]
    first_lead: float = 0.0
    """When the first lead was there, on the clock of `time.monotonic`."""
    leads: list[Lead] = field(default_factory=list)


async def tell_first(play: Play, told: Told) -> list[str]:
    """Play the first act; returns the names of the series' records. Raises ClaimError where a claim is false."""
    return await _link_in_three_forces(play, told)


async def tell_rest(play: Play, told: Told, series: list[str]) -> None:
    """Play the other acts. Raises ClaimError at the first claim that does not come true."""
    await _assault_months_later(play, told, series)
    await _index_only(play, told)
    await _withheld(play, told)
    await _cut_off(play, told)
    await _withdrawn(play, told)
    await _plan(play, told)


async def _link_in_three_forces(play: Play, told: Told) -> list[str]:
    told.say("1. A device seized in Tochigi, a tip in Tokyo, an advertisement seen in Sapporo")
    tip = await play.record_tip(
        TOKYO,
        play.tip(
            text="知人がこのアカウントから指示を受けたとの申出。",
            source=Tip.SOURCE_ACQUAINTANCE,
            found=[occurrence(TELEGRAM, "Telegram @Enshu_Kagemusha", ids.PROVENANCE_STATEMENT)],
            to=[code for code in CODES if code != TOKYO],
            observed=AUTUMN,
        ),
    )
    advertisement = await play.record_tip(
        SAPPORO,
        play.tip(
            text="「ホワイト案件・即日即金」の募集広告に記載の番号。",
            source=Tip.SOURCE_SOCIAL_MEDIA_AD,
            found=[occurrence(NUMBER, "020-4123-4567", ids.PROVENANCE_ADVERTISEMENT)],
            to=[code for code in CODES if code != SAPPORO],
            observed=AUTUMN + timedelta(days=1),
        ),
    )
    began = time.monotonic()
    arrest = await play.record_arrest(
        TOCHIGI,
        play.arrest(
            text="実行役とみられる者の端末を押収。",
            offence="強盗予備(演習)",
            role=Arrest.ROLE_PERPETRATOR,
            found=[
                occurrence(TELEGRAM, HANDLE, ids.PROVENANCE_SEIZED_DEVICE, ids.RELATION_COMMUNICATED),
                occurrence(NUMBER, PHONE, ids.PROVENANCE_SEIZED_DEVICE, ids.RELATION_COMMUNICATED),
            ],
            to=[code for code in CODES if code != TOCHIGI],
            restrained=AUTUMN + timedelta(days=3),
        ),
    )
    names = [tip.name, advertisement.name, arrest.name]
    await _same_everywhere(play, told, names, since=began)
    return names


async def _same_everywhere(play: Play, told: Told, names: list[str], *, since: float) -> None:
    """Claim that every agency finds one supported lead of these records under the same id."""
    found = {}
    for code in CODES:
        true = holds(*names)
        lead, seconds = await play.wait_lead(code, names[0], f"a lead of {len(names)} records", true, since=since)
        told.first_lead = told.first_lead or time.monotonic()
        if lead.state != Lead.STATE_SUPPORTED:
            raise ClaimError(f"{code}: the lead is not supported")
        found[code] = lead
        told.say(f"   {label(code)}: supported lead of {len(names)} records after {seconds * 1000:.0f} ms")
    if len({lead.name.rpartition("/")[2] for lead in found.values()}) != 1:
        raise ClaimError("agencies that see the same records show different ids")
    told.leads.append(found[TOCHIGI])


async def _assault_months_later(play: Play, told: Told, series: list[str]) -> None:
    told.say("2. Months later: an unrelated assault in Saitama, and the phone analysis re-matches the whole series")
    await play.record_tip(
        KANAGAWA,
        play.tip(
            text="この番号を名乗る者から運びの依頼。",
            source=Tip.SOURCE_HELP_REQUEST,
            found=[occurrence(NUMBER, LATER_PHONE, ids.PROVENANCE_STATEMENT)],
            to=[code for code in CODES if code != KANAGAWA],
            observed=AUTUMN + timedelta(days=20),
        ),
    )
    await play.caught_up()
    began = time.monotonic()
    assault = await play.record_arrest(
        SAITAMA,
        play.arrest(
            text="傷害事件の被疑者の端末を数か月後に解析。",
            offence="傷害(演習)",
            role=Arrest.ROLE_UNKNOWN,
            found=[
                occurrence(TELEGRAM, "telegram:enshu_kagemusha", ids.PROVENANCE_SEIZED_DEVICE),
                occurrence(NUMBER, PHONE, ids.PROVENANCE_SEIZED_DEVICE, ids.RELATION_COMMUNICATED),
                occurrence(NUMBER, LATER_PHONE, ids.PROVENANCE_SEIZED_DEVICE, ids.RELATION_COMMUNICATED),
            ],
            to=[code for code in CODES if code != SAITAMA],
            restrained=AUTUMN + timedelta(days=60),
        ),
    )
    for code in (SAITAMA, NPA):

        def whole(lead: Lead) -> bool:
            held = {record.name for record in lead.records}
            return {*series, assault.name} <= held and len(held) == len(series) + 2

        lead, seconds = await play.wait_lead(code, assault.name, "the whole series", whole, since=began)
        told.say(f"   {label(code)}: {len(lead.records)} records re-matched after {seconds * 1000:.0f} ms")
        if code == NPA:
            told.leads.append(lead)


async def _index_only(play: Play, told: Told) -> None:
    told.say("3. A record of which Chiba gets the index entry alone makes a lead there, without its text")
    number = "020-4222-3333"
    hidden = await play.record_tip(
        KANAGAWA,
        play.tip(
            text="協力者からの情報。内容は発信元のみ。",
            source=Tip.SOURCE_OTHER,
            found=[occurrence(NUMBER, number, ids.PROVENANCE_WITHHELD_ASK_ORIGINATOR)],
            to=[CHIBA],
            observed=AUTUMN,
            index_only=True,
        ),
    )
    began = time.monotonic()
    own = await play.record_tip(
        CHIBA,
        play.tip(
            text="口座の買取の勧誘に使われた番号。",
            source=Tip.SOURCE_BANK,
            found=[occurrence(NUMBER, number, ids.PROVENANCE_BANK)],
            to=[],
            observed=AUTUMN,
        ),
    )
    lead, seconds = await play.wait_lead(CHIBA, own.name, "a lead", holds(hidden.name, own.name), since=began)
    copy = next(record for record in lead.records if record.name == hidden.name)

    async def arrived() -> Tip | None:
        # Tips and leads follow the exchange each for itself: the copy may come after the lead.
        try:
            return await play.read_tip(CHIBA, hidden.name)
        except NotFoundOrDenied:
            return None

    received, _ = await play.wait("Chiba holds its index entry", arrived, since=began)
    if copy.grade != policy_pb2.GRADE_INDEX_ONLY or received.text or received.source or copy.caveat:
        raise ClaimError("the index entry holds more than an index entry")
    if await play.leads(KANAGAWA, record=hidden.name):
        raise ClaimError("Kanagawa has a lead of a record that was not released to it")
    told.say(f"   {label(CHIBA)}: lead after {seconds * 1000:.0f} ms; of {hidden.name} only the contact desk")
    told.leads.append(lead)


async def _withheld(play: Play, told: Told) -> None:
    told.say("4. A record that stays at home would match: a lead at home, none anywhere else")
    hidden = await play.record_tip(
        TOKYO,
        play.tip(
            text="まだ提供しない情報。",
            source=Tip.SOURCE_OFFICER,
            found=[occurrence(PLATE, OTHER_PLATE, ids.PROVENANCE_OBSERVATION)],
            to=[],
            observed=AUTUMN,
        ),
    )
    began = time.monotonic()
    seen = await play.record_tip(
        TOCHIGI,
        play.tip(
            text="下見とみられる車両。",
            source=Tip.SOURCE_OFFICER,
            found=[occurrence(PLATE, "宇都宮300さ9942", ids.PROVENANCE_OBSERVATION)],
            to=[code for code in CODES if code != TOCHIGI],
            observed=AUTUMN,
        ),
    )
    lead, seconds = await play.wait_lead(
        TOKYO, hidden.name, "a lead at home", holds(hidden.name, seen.name), since=began
    )
    await play.caught_up()
    elsewhere = [code for code in CODES if code != TOKYO and await play.leads(code, record=seen.name)]
    if elsewhere:
        raise ClaimError(f"a withheld record made a lead at {', '.join(elsewhere)}")
    told.say(f"   {label(TOKYO)}: lead after {seconds * 1000:.0f} ms; nobody else has one")
    told.leads.append(lead)


async def _cut_off(play: Play, told: Told) -> None:
    told.say("5. Chiba's cables are pulled; Chiba goes on working, and so does everybody else")
    number = "020-4333-4444"
    await play.federation.lay(CHIBA, Mode.CUT)
    at_home = await play.record_tip(
        CHIBA,
        play.tip(
            text="切断中に千葉で受理。",
            source=Tip.SOURCE_ANON_HOTLINE,
            found=[occurrence(NUMBER, number, ids.PROVENANCE_TIP)],
            to=[TOKYO, NPA],
            observed=AUTUMN,
        ),
    )
    outside = await play.record_tip(
        TOKYO,
        play.tip(
            text="切断中に東京で受理。",
            source=Tip.SOURCE_BANK,
            found=[occurrence(NUMBER, number, ids.PROVENANCE_BANK)],
            to=[CHIBA, NPA],
            observed=AUTUMN,
        ),
    )

    async def told_so() -> bool | None:
        state = (await play.peer(TOKYO, CHIBA)).state
        return True if state == exchange_pb2.Peer.STATE_CUT_OFF else None

    _, seconds = await play.wait("Tokyo says that Chiba is cut off", told_so, since=time.monotonic())
    if await play.leads(TOKYO, record=outside.name):
        raise ClaimError("a record crossed a pulled cable")
    told.say(f"   {label(TOKYO)} says so after {seconds:.1f} s; put back")
    began = time.monotonic()
    await play.federation.lay(CHIBA, Mode.PASS)
    for code in (TOKYO, CHIBA, NPA):
        lead, seconds = await play.wait_lead(
            code, at_home.name, "what was missed", holds(at_home.name, outside.name), since=began
        )
        told.say(f"   {label(code)}: caught up, lead {seconds:.1f} s after the cable was put back")
        if code == CHIBA:
            told.leads.append(lead)


async def _withdrawn(play: Play, told: Told) -> None:
    told.say("6. A record is taken back: what it caused goes, and nothing else")
    number = "020-4555-6666"
    first = await play.record_tip(
        SAPPORO,
        play.tip(
            text="誤って登録された番号。",
            source=Tip.SOURCE_OTHER,
            found=[occurrence(NUMBER, number, ids.PROVENANCE_TIP)],
            to=[SAITAMA],
            observed=AUTUMN,
        ),
    )
    second = await play.record_tip(
        SAITAMA,
        play.tip(
            text="同じ番号の情報。",
            source=Tip.SOURCE_BANK,
            found=[occurrence(NUMBER, number, ids.PROVENANCE_BANK)],
            to=[],
            observed=AUTUMN,
        ),
    )
    await play.wait_lead(SAITAMA, second.name, "a lead", holds(first.name, second.name), since=time.monotonic())
    others = {lead.name for lead in await play.leads(SAITAMA, record="")}
    began = time.monotonic()
    await play.withdraw_tip(SAPPORO, first, reason="誤登録(演習)")

    async def gone() -> bool | None:
        return None if await play.leads(SAITAMA, record=second.name) else True

    _, seconds = await play.wait("Saitama's lead is retracted", gone, since=began)
    left = {lead.name for lead in await play.leads(SAITAMA, record="")}
    if len(others - left) != 1:
        raise ClaimError("taking back one record changed other leads")
    told.say(f"   {label(SAITAMA)}: retracted after {seconds * 1000:.0f} ms, {len(left)} other leads untouched")


async def _plan(play: Play, told: Told) -> None:
    told.say("7. A plan for a fictitious-identity investigation, approved by a second person; nothing of it leaves")
    agency = f"agencies/{TOKYO}"
    plan = personas_pb2.Plan(
        crime_code=personas_pb2.Plan.CRIME_CODE_ROBBERY,
        necessity=f"({NOTE})",
        alternatives=f"({NOTE})",
        unit=f"({NOTE})",
        supervisor=f"{agency}/officers/suzuki",
        custodian=f"{agency}/officers/tanaka",
        document_count=1,
        officers_consent=True,
    )
    now = datetime.now(JAPAN)
    plan.period_start.FromDatetime(now)
    plan.period_end.FromDatetime(now + timedelta(days=30))
    handler = play.federation.client(TOKYO, "personas", officer="sato")
    chief = play.federation.client(TOKYO, "personas", officer="chief", role="HQ_CHIEF")
    submit = personas_pb2.SubmitPersonaRequest(request_id=str(uuid.uuid4()), parent=agency, plan=plan)
    submitted = await handler.call(handler.stub(PersonasServiceStub).SubmitPersona, submit)
    approve = personas_pb2.ApprovePersonaRequest(
        request_id=str(uuid.uuid4()), name=submitted.name, plan_hash=submitted.plan_hash
    )
    approved = await chief.call(chief.stub(PersonasServiceStub).ApprovePersona, approve)
    if approved.state != personas_pb2.Persona.STATE_APPROVED or approved.approver == approved.drafter:
        raise ClaimError("the plan was not approved by a second person")
    told.say(f"   {label(TOKYO)}: approved by its hash {approved.plan_hash[:12]}…")
