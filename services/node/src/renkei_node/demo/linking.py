"""The acts that link: three forces at once, and a phone that comes months late."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1 import identifiers_pb2 as ids
from renkei.leads.v1.leads_pb2 import Lead
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.agencies import CODES, label
from renkei_node.demo.play import ClaimError, holds, occurrence
from renkei_node.demo.told import AUTUMN, KANAGAWA, NPA, NUMBER, SAITAMA, SAPPORO, TELEGRAM, TOCHIGI, TOKYO, all_but

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told

HANDLE: Final = "https://t.me/enshu_kagemusha"
PHONE: Final = "020-4123-4567"  # of the pagers' range, out of service since 2019
LATER_PHONE: Final = "020-4765-4321"


async def link_in_three_forces(play: Play, told: Told) -> list[str]:
    """Claim that a handle and a number on one device join three forces' records everywhere, at once."""
    told.say(
        "1. A phone seized in Tochigi holds the handle of a tip in Tokyo and the number of an advertisement in Hokkaido"
    )
    tip = await play.record_tip(
        TOKYO,
        play.tip(
            text="知人がこのアカウントから指示を受けたとの申出。",
            source=Tip.SOURCE_ACQUAINTANCE,
            found=[occurrence(TELEGRAM, "Telegram @Enshu_Kagemusha", ids.PROVENANCE_STATEMENT)],
            to=all_but(TOKYO),
            observed=AUTUMN,
        ),
    )
    advertisement = await play.record_tip(
        SAPPORO,
        play.tip(
            text="「ホワイト案件・即日即金」の募集広告に記載の番号。",
            source=Tip.SOURCE_SOCIAL_MEDIA_AD,
            found=[occurrence(NUMBER, "020-4123-4567", ids.PROVENANCE_ADVERTISEMENT)],
            to=all_but(SAPPORO),
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
            to=all_but(TOCHIGI),
            restrained=AUTUMN + timedelta(days=3),
        ),
    )
    names = [tip.name, advertisement.name, arrest.name]
    found = await _everywhere(play, told, tip.name, "a lead of the series", holds(*names), since=began)
    told.first_lead = began + min(seconds for _, seconds in found)
    told.leads.append(found[CODES.index(TOCHIGI)])
    return names


async def assault_months_later(play: Play, told: Told, series: list[str]) -> None:
    """Claim that a phone from an unrelated arrest in another force finds everything that was held all along."""
    told.say(
        "2. Months later: a phone from an unrelated assault in Saitama, and every force sees the whole series again"
    )
    help_request = await play.record_tip(
        KANAGAWA,
        play.tip(
            text="この番号を名乗る者から運びの依頼。",
            source=Tip.SOURCE_HELP_REQUEST,
            found=[occurrence(NUMBER, LATER_PHONE, ids.PROVENANCE_STATEMENT)],
            to=all_but(KANAGAWA),
            observed=AUTUMN + timedelta(days=20),
        ),
    )
    await play.at_rest()
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
            to=all_but(SAITAMA),
            restrained=AUTUMN + timedelta(days=75),
        ),
    )

    def whole(lead: Lead) -> bool:
        held = {record.name for record in lead.records}
        return {*series, help_request.name, assault.name} == held

    found = await _everywhere(play, told, assault.name, "the whole series", whole, since=began)
    told.leads.append(found[CODES.index(NPA)])


async def _everywhere(
    play: Play, told: Told, record: str, what: str, true: Callable[[Lead], bool], *, since: float
) -> list[tuple[Lead, float]]:
    """Claim that every agency finds the same supported lead under the same id; returns each one's, as CODES go."""

    async def one(code: str) -> tuple[Lead, float]:
        lead, seconds = await play.wait_lead(code, record, what, true, since=since)
        told.say(f"   {label(code)}: supported lead of {len(lead.records)} records after {seconds * 1000:.0f} ms")
        return lead, seconds

    found = await asyncio.gather(*(one(code) for code in CODES))
    if any(lead.state != Lead.STATE_SUPPORTED for lead, _ in found):
        raise ClaimError(f"{what}: an agency's lead is not supported")
    if len({lead.name.rpartition("/")[2] for lead, _ in found}) != 1:
        raise ClaimError(f"{what}: agencies that see the same records show different ids")
    return found
