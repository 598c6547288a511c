"""Opinions and sightings: what this agency says of another's tip, and what others say of tips here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.identifiers.v1.identifiers_pb2 import PROVENANCE_OBSERVATION
from renkei.policy.v1.handling_pb2 import ONWARD_FREE, ONWARD_ORCON, Handling, Review
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1 import events_pb2, opinions_pb2
from renkei.tips.v1.events_pb2 import TipPurged, TipRecorded, TipWithdrawn
from renkei.tips.v1.opinions_pb2 import Opinion
from renkei.tips.v1.opinions_pb2_grpc import OpinionsServiceStub
from renkei.tips.v1.tips_pb2 import Grading, Tip

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotFoundOrDenied, RenkeiError
from renkei_chassis.ids import uuid7
from renkei_chassis.telemetry.metrics import Metrics
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint, opinions_purging_of
from tests.agency import AGENCY, MEMBERS, SAPPORO, TOCHIGI, TOKYO, Agency, request_id, run_agency
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from renkei_chassis.ports import PortClaims

LABEL: Final = "organised-robbery"


class Opinions:
    """The service of opinions, as one caller sees it."""

    def __init__(self, agency: Agency, *roles: str) -> None:
        self._client = agency.client(*roles)
        self._stub = self._client.stub(OpinionsServiceStub)

    async def ask(self, method: str, **fields: Any) -> Any:  # noqa: ANN401 (any method)
        kind = getattr(opinions_pb2, f"{method}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            fields.setdefault("request_id", request_id())
        return await self._client.call(getattr(self._stub, method), kind(**fields))

    async def give(self, opinion: Opinion, **fields: Any) -> Opinion:  # noqa: ANN401 (fields of the request)
        answer: Opinion = await self.ask("CreateOpinion", opinion=opinion, **{"parent": AGENCY, **fields})
        return answer

    async def correct(self, opinion: Opinion, *paths: str) -> Opinion:
        answer: Opinion = await self.ask(
            "UpdateOpinion", opinion=opinion, update_mask={"paths": paths}, reason="(演習) 訂正"
        )
        return answer

    async def on(self, tip: str, **wanted: Any) -> list[str]:  # noqa: ANN401 (fields of the request)
        page = await self.ask("ListOpinions", parent="agencies/-", tip=tip, **wanted)
        return [opinion.name for opinion in page.opinions]

    async def refused(self, opinion: Opinion) -> RenkeiError:
        with pytest.raises(RenkeiError) as refused:
            await self.give(opinion)
        return refused.value


@pytest.fixture
def opinions(agency: Agency) -> Opinions:
    return Opinions(agency)


def a_copy(*, origin: str = TOKYO, onward: int = ONWARD_ORCON) -> Tip:
    tip = a_tip(name=f"{origin}/tips/{uuid7()}", version=1, state=Tip.STATE_RECEIVED)
    tip.handling.onward = onward  # type: ignore[assignment]  # the number of one
    return tip


async def brought(agency: Agency, tip: Tip, *, grade: Any = GRADE_FULL) -> str:  # noqa: ANN401 (a grade)
    await agency.bring(TipRecorded(tip=tip), grade=grade, origin=tip.name.rpartition("/tips/")[0])
    return tip.name


def an_opinion(tip: str, *, to: Iterable[str] = (TOKYO,), **changes: Any) -> Opinion:  # noqa: ANN401 (fields of it)
    opinion = Opinion(
        handling=Handling(purpose_code=LABEL, releasable_to=to),
        tip=tip,
        stance=Opinion.STANCE_DOUBTS,
        text="(演習データ) 当方の把握と時刻が合わない。",
    )
    opinion.MergeFrom(Opinion(**changes))
    return opinion


def a_sighting(tip: str, **changes: Any) -> Opinion:  # noqa: ANN401 (fields of it)
    seen = an_occurrence("090-5555-0000", provenance=PROVENANCE_OBSERVATION)
    given: dict[str, Any] = {"stance": Opinion.STANCE_SIGHTED, "place": "(演習データ) 千葉駅前", "identifiers": [seen]}
    sighting = an_opinion(tip, **{**given, **changes})
    sighting.observe_time.GetCurrentTime()
    return sighting


def theirs(tip: str, *, version: int = 1, origin: str = TOKYO, **changes: Any) -> Opinion:  # noqa: ANN401 (fields)
    return an_opinion(tip, to=(), name=f"{origin}/opinions/{uuid7()}", version=version, **changes)


async def told(agency: Agency) -> list[tuple[str, dict[str, int]]]:
    return [
        (event.type.rpartition(".")[2], {entry.agency: entry.grade for entry in event.audience})
        for event in await agency.events()
        if "Opinion" in event.type
    ]


async def test_an_opinion_is_a_record_of_the_agency_that_gives_it(opinions: Opinions, agency: Agency) -> None:
    """From its beginning to its end, while the tip stays as its originator made it."""
    tips = Tips(agency.client())
    tip = await brought(agency, a_copy())
    before = await tips.get(tip)

    given = await opinions.give(
        an_opinion(tip, grading=Grading(reliability=Grading.RELIABILITY_C, accuracy=Grading.ACCURACY_4))
    )
    again = request_id()
    twice = [await opinions.give(given, request_id=again) for _ in range(2)]
    given.text = "(演習データ) 二度目の照会でも合わない。"
    corrected = await opinions.correct(given, "text")
    with pytest.raises(RenkeiError, match="changed since"):
        await opinions.correct(given, "text")
    corrected.handling.ClearField("releasable_to")
    narrowed = await opinions.correct(corrected, "handling")
    deleted = await opinions.ask("DeleteOpinion", name=given.name, reason="(演習)")
    gone = await opinions.on(tip)
    back = await opinions.ask("UndeleteOpinion", name=given.name)
    reviewed = await opinions.ask("ReviewOpinion", name=given.name, reason="(演習) 不要", outcome=Review.OUTCOME_DELETE)

    assert twice[0] == twice[1] != given  # what is output only is not taken over
    assert (given.version, corrected.version, narrowed.version, back.version) == (1, 2, 3, 4)
    assert given.recorder == f"{AGENCY}/officers/sato"
    assert (await opinions.ask("GetOpinion", name=given.name, version=1)).grading.reliability == Grading.RELIABILITY_C
    assert deleted.HasField("purge_time")
    assert reviewed.HasField("purge_time")
    assert given.name not in gone
    assert given.name in await opinions.on(tip, show_deleted=True)
    assert [kind for kind, _ in await told(agency)] == [
        "OpinionRecorded",
        "OpinionRecorded",
        "OpinionRevised",
        "OpinionRevised",
        "OpinionWithdrawn",
        "OpinionDeleted",
        "OpinionRestored",
        "OpinionRevised",
        "OpinionDeleted",
    ]
    assert [audience for _, audience in await told(agency)][2:5] == [{TOKYO: GRADE_FULL}, {}, {TOKYO: GRADE_FULL}]
    assert await tips.get(tip) == before


async def test_a_sighting_is_found_by_what_was_seen(opinions: Opinions, agency: Agency) -> None:
    """Also on a tip of which the index alone is here: that is how a force finds that it saw the same number."""
    tip = await brought(agency, a_copy(), grade=GRADE_INDEX_ONLY)
    other = await brought(agency, a_copy())

    sighting = await opinions.give(a_sighting(tip))
    opinion = await opinions.give(an_opinion(other))

    assert sighting.identifiers[0].identifier.normal_form == "+819055550000"
    assert await opinions.on(tip) == [sighting.name]
    assert await opinions.on("", stances=[Opinion.STANCE_SIGHTED]) == [sighting.name]
    found = await opinions.ask("SearchOpinions", identifier="5555-0000")
    assert [one.name for one in found.opinions] == [sighting.name]
    found = await opinions.ask("SearchOpinions", text="千葉駅")
    assert [one.name for one in found.opinions] == [sighting.name]
    assert found.text_matches.matches[0].highlights[0].field == "place"
    found = await opinions.ask("SearchOpinions", text="把握と時刻", parent=AGENCY)
    assert [one.name for one in found.opinions] == [opinion.name, sighting.name]


async def test_what_makes_no_sense_is_refused(opinions: Opinions, agency: Agency) -> None:
    own = await Tips(agency.client()).create()
    tip = await brought(agency, a_copy())
    index = await brought(agency, a_copy(), grade=GRADE_INDEX_ONLY)
    free = await brought(agency, a_copy(onward=ONWARD_FREE))
    elsewhere = f"{TOKYO}/tips/{uuid7()}"

    for opinion, reason in (
        (an_opinion(own.name, to=()), "OWN_TIP"),
        (an_opinion(elsewhere), "DENIED"),
        (an_opinion(index), "TIP_NOT_READ"),
        (an_opinion(tip, to=[TOCHIGI]), "ORIGINATOR_MISSING"),
        (an_opinion(tip, to=[TOKYO, TOCHIGI]), "ONWARD_REFUSED"),
    ):
        assert (await opinions.refused(opinion)).reason == reason
    bare = a_sighting(tip)
    bare.ClearField("observe_time")
    timed = an_opinion(tip)
    timed.observe_time.GetCurrentTime()
    for opinion, field in (
        (an_opinion("", to=()), "opinion.tip"),
        (an_opinion("agencies/jp-13/tips/1"), "opinion.tip"),
        (Opinion(tip=tip, text="x", handling=Handling(purpose_code=LABEL)), "opinion.stance"),
        (Opinion(tip=tip, stance=Opinion.STANCE_AGREES, handling=Handling(purpose_code=LABEL)), "opinion.text"),
        (Opinion(tip=tip, stance=Opinion.STANCE_AGREES, text="x"), "opinion.handling.purpose_code"),
        (an_opinion(tip, grading=Grading(reliability=Grading.RELIABILITY_A)), "opinion.grading"),
        (an_opinion(tip, place="x"), "opinion.identifiers"),
        (an_opinion(tip, identifiers=[an_occurrence()]), "opinion.identifiers"),
        (bare, "opinion.observe_time"),
        (timed, "opinion.observe_time"),
    ):
        refusal = await opinions.refused(opinion)
        assert isinstance(refusal, InvalidArgument)
        assert field in str(refusal)
    assert (await opinions.give(an_opinion(free, to=[TOKYO, TOCHIGI]))).version == 1
    given = await opinions.give(an_opinion(tip))
    given.tip, given.stance = free, Opinion.STANCE_SIGHTED
    for path in ("tip", "stance"):
        with pytest.raises(FailedPrecondition) as fixed:
            await opinions.correct(given, path)
        assert (fixed.value.reason, fixed.value.metadata["field"]) == ("OPINION_FIXED", f"opinion.{path}")


async def test_what_others_say_is_listed_with_the_tip_and_changed_by_them_alone(
    opinions: Opinions, agency: Agency
) -> None:
    """Whichever comes first: an opinion, the tip, or what takes one of them back."""
    own = await Tips(agency.client()).create(a_tip(releasable_to=[TOKYO]))
    on_theirs = a_copy(origin=SAPPORO, onward=ONWARD_FREE)
    early, of_ours, gone = theirs(on_theirs.name), theirs(own.name), theirs(own.name, version=2)
    index = theirs(own.name, origin=TOCHIGI)

    await agency.bring(events_pb2.OpinionRecorded(opinion=early), grade=GRADE_FULL)
    before = await opinions.on(on_theirs.name)
    await brought(agency, on_theirs)
    await agency.bring(events_pb2.OpinionRecorded(opinion=of_ours), grade=GRADE_FULL)
    await agency.bring(events_pb2.OpinionWithdrawn(name=gone.name, version=2), grade=GRADE_FULL)
    await agency.bring(events_pb2.OpinionRecorded(opinion=gone), grade=GRADE_FULL)
    await agency.bring(events_pb2.OpinionRecorded(opinion=index), grade=GRADE_INDEX_ONLY, origin=TOCHIGI)
    await agency.bring(TipWithdrawn(name=on_theirs.name, version=1), grade=GRADE_FULL, origin=SAPPORO)

    assert before == await opinions.on(on_theirs.name) == [early.name]
    assert await opinions.on(own.name) == [index.name, of_ours.name]
    kept = await opinions.ask("GetOpinion", name=index.name)
    assert (kept.tip, kept.stance, kept.text) == (own.name, 0, "")
    copy = await opinions.ask("GetOpinion", name=of_ours.name)
    copy.etag = "any"
    for call in (
        opinions.correct(copy, "text"),
        opinions.ask("DeleteOpinion", name=copy.name, reason="x"),
        opinions.ask("ReviewOpinion", name=copy.name, reason="x", outcome=Review.OUTCOME_KEEP),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            await call
        assert refused.value.reason == "FOREIGN_ORIGINATOR"
    await agency.bring(events_pb2.OpinionPurged(name=of_ours.name, version=1), grade=GRADE_FULL)
    assert await opinions.on(own.name) == [index.name]
    assert (await opinions.refused(an_opinion(on_theirs.name, to=[SAPPORO]))).reason == "DENIED"  # withdrawn by now


async def test_an_opinion_outlives_a_withdrawal_and_is_due_for_review_when_the_tip_is_purged(
    tmp_path: Path, ports: PortClaims, kind: str
) -> None:
    """The purge of a tip reaches whatever may repeat it; what the agency saw itself is not another's to erase."""
    clock = ManualClock(WallClock().now())
    settings = Settings(members=MEMBERS, release_without_instrument=True, purge_hours=1, unreviewed_days=1)
    async with run_agency(blueprint(settings), tmp_path, ports, clock=clock) as agency:
        opinions = Opinions(agency)
        service = agency.service
        purging = opinions_purging_of(
            settings, agency=AGENCY, database=service.database, writer=service.writer, metrics=Metrics("tips")
        )
        tip = await brought(agency, a_copy())
        kept, left = await opinions.give(an_opinion(tip)), await opinions.give(a_sighting(tip))
        due = "ListOpinionsDueForReview"
        await agency.bring(TipWithdrawn(name=tip, version=1), grade=GRADE_FULL)
        withdrawn = (await opinions.ask(due, parent=AGENCY)).opinions
        kept.text = "(演習データ) 撤回後の訂正。"
        kept = await opinions.correct(kept, "text")

        for _ in range(2):
            await agency.bring(TipPurged(name=tip, version=1), grade=GRADE_FULL)
        waiting = (await opinions.ask(due, parent=AGENCY)).opinions
        clock.advance(3600)
        await opinions.ask("ReviewOpinion", name=kept.name, reason="(演習) 自庁の知見", outcome=Review.OUTCOME_KEEP)
        for _ in range(26):
            clock.advance(3600)
            await purging.look()

        assert not withdrawn
        assert [one.name for one in waiting] == [kept.name, left.name]
        assert all(one.version == version for one, version in zip(waiting, (3, 2), strict=True))
        assert waiting[0].HasField("tip_purge_time")
        assert await opinions.on(tip, show_deleted=True) == [kept.name]
        assert not (await opinions.ask(due, parent=AGENCY)).opinions
        assert ("OpinionPurged", {TOKYO: GRADE_FULL}) in await told(agency)
        assert clock.now() - waiting[0].tip_purge_time.ToDatetime(clock.now().tzinfo) > timedelta(days=1)


async def test_who_may_not_give_an_opinion_is_refused(agency: Agency) -> None:
    tip = await brought(agency, a_copy())
    given = await Opinions(agency).give(an_opinion(tip))

    for roles in (["NPA_DESK"], ["SERVICE"], ["AUDITOR"]):
        with pytest.raises(RenkeiError):
            await Opinions(agency, *roles).give(an_opinion(tip))
    officer = Opinions(agency, "OFFICER")
    for call in (
        officer.ask("UndeleteOpinion", name=given.name),
        officer.ask("ReviewOpinion", name=given.name, reason="x", outcome=Review.OUTCOME_KEEP),
    ):
        with pytest.raises(RenkeiError):
            await call
    with pytest.raises(NotFoundOrDenied):
        await officer.ask("GetOpinion", name=f"{AGENCY}/opinions/{uuid7()}")
