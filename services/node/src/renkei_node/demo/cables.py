"""The act about Chiba: its cables are pulled, everybody goes on working, and it catches up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from renkei.exchange.v1 import exchange_pb2
from renkei.identifiers.v1 import identifiers_pb2 as ids
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.agencies import label
from renkei_node.demo.play import ClaimError, holds, occurrence
from renkei_node.demo.proxy import Mode
from renkei_node.demo.told import AUTUMN, CHIBA, NPA, NUMBER, TOKYO, all_but

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told

_CALLED: Final = "020-4333-4444"


async def cut_off(play: Play, told: Told) -> None:
    """Claim that a cut agency works on alone, that the others do among themselves, and that nothing is missed."""
    told.say("5. Chiba's cables are pulled; Chiba goes on working, and so does everybody else")
    await play.federation.lay(CHIBA, Mode.CUT)
    pulled = began = time.monotonic()
    released = await _record(play, CHIBA, "切断中に千葉で受理。", Tip.SOURCE_ANON_HOTLINE, to=[TOKYO, NPA])
    kept = await _record(play, CHIBA, "切断中に千葉で受理。提供しない。", Tip.SOURCE_OFFICER, to=[])
    alone = holds(released, kept)
    _, seconds = await play.wait_lead(CHIBA, kept, "a lead while cut off", alone, since=began)
    told.say(f"   {label(CHIBA)}: on its own, a lead after {seconds * 1000:.0f} ms")

    began = time.monotonic()
    outside = await _record(play, TOKYO, "切断中に東京で受理。", Tip.SOURCE_BANK, to=[CHIBA, NPA])

    async def arrived() -> bool | None:
        return await play.holds_tip(NPA, outside) or None

    _, seconds = await play.wait("Tokyo's record is at the NPA", arrived, since=began)
    told.say(f"   {label(TOKYO)}: its record is at {label(NPA)} after {seconds * 1000:.0f} ms")
    await _seen_as_cut_off(play, told, since=pulled)
    if await play.leads(TOKYO, record=outside) or await play.holds_tip(CHIBA, outside):
        raise ClaimError("a record crossed a pulled cable")

    told.say("   The cables are put back")
    began = time.monotonic()
    await play.federation.lay(CHIBA, Mode.PASS)
    wholes = {TOKYO: (released, outside), CHIBA: (released, kept, outside), NPA: (released, outside)}
    waits = [
        play.wait_lead(code, released, "what was missed", holds(*names), since=began) for code, names in wholes.items()
    ]
    for code, (lead, seconds) in zip(wholes, await asyncio.gather(*waits), strict=True):
        told.say(f"   {label(code)}: caught up after {seconds:.1f} s, lead of {len(lead.records)} records")
        if code == CHIBA:
            told.leads.append((lead, seconds))


async def _record(play: Play, code: str, text: str, source: Tip.Source.ValueType, *, to: Sequence[str]) -> str:
    found = [occurrence(NUMBER, _CALLED, ids.PROVENANCE_STATEMENT)]
    tip = play.tip(text=text, source=source, found=found, to=to, observed=AUTUMN)
    return (await play.record_tip(code, tip)).name


async def _seen_as_cut_off(play: Play, told: Told, *, since: float) -> None:
    """Wait until what `renkei status` shows is true, on both sides."""

    async def look() -> bool | None:
        cut = exchange_pb2.Peer.STATE_CUT_OFF
        seen = [(await play.peer(code, CHIBA)).state == cut for code in all_but(CHIBA)]
        return True if all(seen) and (await play.peer(CHIBA, NPA)).state == cut else None

    _, seconds = await play.wait("every agency's status says that Chiba is cut off", look, since=since)
    told.say(f"   Every agency's status says that Chiba is cut off, {seconds:.1f} s after the cables were pulled")
