"""`renkei tips opinions`, `opine` and `sight` against a running service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRecorded
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.ids import uuid7
from tests.agency import TOKYO
from tests.tips.calls import a_tip

if TYPE_CHECKING:
    from tests.node.files.node import Node


async def test_an_officer_says_what_the_agency_thinks_of_a_tip_and_what_it_saw(node: Node) -> None:
    tip = a_tip(name=f"{TOKYO}/tips/{uuid7()}", version=1, state=Tip.STATE_RECEIVED)
    await node.agency.bring(TipRecorded(tip=tip), grade=GRADE_FULL)
    why = await node.write("why.txt", "(演習データ) 時刻が合わない。\n".encode())
    words = ("--text", f"@{why}")

    empty = await node.run("tips", "opinions", "--lang", "en")
    given = await node.told("tips", "opine", node.directory, tip.name, "doubts", "--grading", "c4", *words)
    kept = await node.told("tips", "opine", node.directory, tip.name, "agrees", "--stay-home", *words)
    seen = ("--time", "2026-01-05T21:40", "--place", "千葉駅前", "--identifier", "phone=090-5555-0000")
    sighted = await node.run("tips", "sight", node.directory, tip.name, *seen, *words, "--lang", "ja")
    listed = json.loads((await node.run("tips", "opinions", node.directory, tip.name, "--json")).stdout)
    shown = await node.run("tips", "opinions", node.directory, tip.name, "--lang", "en")

    assert empty.stdout.splitlines()[1:] == ["no opinions"]
    assert given["handling"] == {"purpose_code": "organised-robbery", "releasable_to": [TOKYO]}
    assert given["grading"] == {"reliability": "RELIABILITY_C", "accuracy": "ACCURACY_4"}
    assert "releasable_to" not in kept["handling"]
    assert "  現認  2026-01-05 21:40  千葉駅前  090-5555-0000" in sighted.stdout.splitlines()
    assert [one["stance"] for one in listed] == ["STANCE_SIGHTED", "STANCE_AGREES", "STANCE_DOUBTS"]
    assert listed[0]["identifiers"][0]["provenance"] == "PROVENANCE_OBSERVATION"
    assert listed[0]["observe_time"] == "2026-01-05T12:40:00Z"
    training, name, first, *_ = shown.stdout.splitlines()
    assert training.startswith("training data")
    assert name == f"{listed[0]['name']}  {tip.name}"
    assert first.startswith("  saw it")


async def test_what_is_no_grading_and_no_identifier_is_refused_before_anything_is_sent(node: Node) -> None:
    tip = f"{TOKYO}/tips/{uuid7()}"
    words = ("--text", "x")

    for given in (
        ("opine", node.directory, tip, "doubts", "--grading", "44"),
        ("sight", node.directory, tip, "--time", "now", "--identifier", "shoe=44"),
        ("sight", node.directory, tip, "--time", "gestern"),
    ):
        refused = await node.run("tips", *given, *words)
        assert refused.exit_code != 0
        assert "write" in refused.output
    unknown = await node.run("tips", "opine", node.directory, tip, "doubts", *words)
    assert unknown.exit_code == 1
    assert "or it does not exist" in unknown.output
