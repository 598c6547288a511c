"""The story: what went wrong in 2024, going right. Every claim is measured, and false ones end the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_node.demo.cables import cut_off
from renkei_node.demo.custody import clock_of_custody
from renkei_node.demo.linking import assault_months_later, link_in_three_forces
from renkei_node.demo.plans import plan
from renkei_node.demo.releases import index_only, withdrawn, withheld
from renkei_node.demo.undercover import undercover

if TYPE_CHECKING:
    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told


async def tell_first(play: Play, told: Told) -> list[str]:
    """Play the first act; returns the names of the series' records. Raises ClaimError where a claim is false."""
    return await link_in_three_forces(play, told)


async def tell_rest(play: Play, told: Told, series: list[str]) -> None:
    """Play the other acts. Raises ClaimError at the first claim that does not come true."""
    await assault_months_later(play, told, series)
    await index_only(play, told)
    await withheld(play, told)
    await cut_off(play, told)
    await withdrawn(play, told)
    await plan(play, told)
    await undercover(play, told)
    await clock_of_custody(play, told)
