"""The acts about labels: an index entry, a record that stays at home, a record taken back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2 as ids
from renkei.policy.v1 import policy_pb2
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.agencies import label
from renkei_node.demo.play import ClaimError, holds, occurrence
from renkei_node.demo.told import AUTUMN, CHIBA, KANAGAWA, NUMBER, PLATE, SAITAMA, SAPPORO, TOCHIGI, TOKYO, all_but

if TYPE_CHECKING:
    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told

OTHER_PLATE: Final = "宇都宮 300 さ 99-42"


async def index_only(play: Play, told: Told) -> None:
    """Claim that an index entry alone makes a lead, and that nothing but the index entry arrived."""
    told.say("3. Kanagawa releases a record to Chiba as an index entry alone: a lead there, without a word of its text")
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

    async def arrived() -> bool | None:
        return await play.holds_tip(CHIBA, hidden.name) or None

    # Leads and tips follow the exchange each for itself: the copy may come a moment after the lead.
    await play.wait("the index entry is at Chiba", arrived, since=began)
    received = await play.read_tip(CHIBA, hidden.name)
    if copy.grade != policy_pb2.GRADE_INDEX_ONLY or received.text or received.source or copy.caveat:
        raise ClaimError("the index entry holds more than an index entry")
    if await play.leads(KANAGAWA, record=hidden.name):
        raise ClaimError("Kanagawa has a lead of a record that was not released to it")
    told.say(f"   {label(CHIBA)}: lead after {seconds * 1000:.0f} ms; of the record it has the number and whom to ask")
    told.leads.append((lead, seconds))


async def withheld(play: Play, told: Told) -> None:
    """Claim that a record which stays at home makes a lead there and nowhere else."""
    told.say("4. A record that Tokyo keeps to itself would match one of Tochigi: a lead in Tokyo, none anywhere else")
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
            to=all_but(TOCHIGI),
            observed=AUTUMN,
        ),
    )
    lead, seconds = await play.wait_lead(
        TOKYO, hidden.name, "a lead at home", holds(hidden.name, seen.name), since=began
    )
    await play.at_rest()
    elsewhere = [code for code in all_but(TOKYO) if await play.leads(code, record=seen.name)]
    if elsewhere:
        raise ClaimError(f"a withheld record made a lead at {', '.join(elsewhere)}")
    told.say(f"   {label(TOKYO)}: lead after {seconds * 1000:.0f} ms; nobody else has one")
    told.leads.append((lead, seconds))


async def withdrawn(play: Play, told: Told) -> None:
    """Claim that a withdrawn record retracts exactly what it caused."""
    told.say("6. Hokkaido takes a record back: the lead that it caused in Saitama goes, and nothing else")
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
    await play.at_rest()
    before = {lead.name: lead.etag for lead in await play.leads(SAITAMA)}
    began = time.monotonic()
    await play.withdraw_tip(SAPPORO, first, reason="誤登録(演習)")

    async def gone() -> bool | None:
        return None if await play.leads(SAITAMA, record=second.name) else True

    _, seconds = await play.wait("Saitama's lead is retracted", gone, since=began)
    await play.at_rest()
    left = {lead.name: lead.etag for lead in await play.leads(SAITAMA)}
    gone_names = before.keys() - left.keys()
    if len(gone_names) != 1 or left.items() != {each for each in before.items() if each[0] not in gone_names}:
        raise ClaimError("taking back one record changed other leads")
    told.say(f"   {label(SAITAMA)}: lead retracted after {seconds * 1000:.0f} ms, {len(left)} others untouched")
