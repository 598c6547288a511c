"""A tip whose source is withheld: it stays so, and its use in court is never free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.identifiers.v1.identifiers_pb2 import PROVENANCE_TIP, PROVENANCE_WITHHELD_ASK_ORIGINATOR
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import FailedPrecondition
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Sequence


def withheld(judicial_use: handling_pb2.JudicialUse.ValueType = handling_pb2.JUDICIAL_USE_ASK) -> tips_pb2.Tip:
    tip = a_tip(identifiers=[an_occurrence(provenance=PROVENANCE_WITHHELD_ASK_ORIGINATOR)])
    tip.source = tips_pb2.Tip.SOURCE_OTHER
    tip.handling.judicial_use = judicial_use
    return tip


async def corrected(tips: Tips, tip: tips_pb2.Tip, paths: Sequence[str]) -> FailedPrecondition:
    with pytest.raises(FailedPrecondition) as refused:
        await tips.update(tip, *paths)
    return refused.value


async def test_a_tip_with_a_withheld_source_is_never_free_for_court(tips: Tips) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        await tips.create(withheld(handling_pb2.JUDICIAL_USE_FREE))

    assert refused.value.reason == "JUDICIAL_USE_WITHHELD"


async def test_asking_before_use_in_court_cannot_be_lowered_later(tips: Tips) -> None:
    tip = await tips.create(withheld())
    tip.handling.judicial_use = handling_pb2.JUDICIAL_USE_FREE

    assert (await corrected(tips, tip, ["handling"])).reason == "JUDICIAL_USE_WITHHELD"


async def test_a_withheld_source_is_not_described_as_another_later(tips: Tips) -> None:
    tip = await tips.create(withheld())
    tip.source = tips_pb2.Tip.SOURCE_ACQUAINTANCE

    assert (await corrected(tips, tip, ["source"])).reason == "SOURCE_WITHHELD"


async def test_a_withheld_provenance_cannot_be_taken_away_to_free_a_tip_for_court(tips: Tips) -> None:
    """Both in one correction would pass a check of the new version alone."""
    tip = await tips.create(withheld())
    tip.identifiers[0].provenance = PROVENANCE_TIP
    tip.handling.judicial_use = handling_pb2.JUDICIAL_USE_FREE

    assert (await corrected(tips, tip, ["identifiers", "handling"])).reason == "SOURCE_WITHHELD"


async def test_other_tips_are_corrected_as_ever(tips: Tips) -> None:
    tip = await tips.create(a_tip())
    tip.handling.judicial_use = handling_pb2.JUDICIAL_USE_FREE

    later = await tips.update(tip, "handling")

    assert later.handling.judicial_use == handling_pb2.JUDICIAL_USE_FREE
