"""A document is compared with every record, whenever either comes, and with what an older program had read."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1 import documents_pb2, enums_pb2
from renkei.tips.v1 import events_pb2 as tip_events
from renkei.tips.v1 import tips_pb2
from sqlalchemy import MetaData

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import RenkeiError
from renkei_chassis.identity import Issuer, IssuerKind, generate, public_text
from renkei_chassis.service import Blueprint, Wiring
from renkei_personas.rereading import READING
from renkei_personas.store import tables
from renkei_personas.wiring import blueprint
from tests.personas.people import MARKER, People
from tests.personas.test_collisions import a_tip
from tests.running import AGENCY, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.database.transaction import Transaction
    from renkei_personas.settings import Settings
    from tests.running import Running

PEER = "agencies/jp-13"
CHECK = enums_pb2.TASK_KIND_CHECK_DOCUMENT
NAME = "架空 次郎"
LEGEND = documents_pb2.Legend(
    display_name=NAME, address=f"(演習){MARKER}", number=f"演習-77{MARKER}", phone="090-1234-5678"
)
LICENCE = documents_pb2.Document(kind=documents_pb2.Document.KIND_DRIVING_LICENCE, legend=LEGEND)
A_PHONE = a_tip("090-1234-5678", "+819012345678")
A_NAME = a_tip("090-0000-0001", "+819000000001", f"(演習){NAME}と名乗る")


async def issued(people: People, persona: str) -> Any:  # noqa: ANN401
    asked = await people.call("sato", "RequestDocument", parent=persona, document=LICENCE)
    return await people.call("tanaka", "IssueDocument", name=asked.name)


async def check_tasks(people: People, persona: str) -> list[str]:
    return [task.name for task in await people.tasks(persona) if task.kind == CHECK]


async def test_what_a_later_record_says_too_is_not_shown_until_the_supervisor_settled_it(people: People) -> None:
    active = await people.active()
    document = await issued(people, active.name)
    await people.call("sato", "LogRequest", parent=active.name, contact=people.contact())
    show: Any = {
        "name": document.name,
        "request_number": 1,
        "recipient": "telegram:renkei_demo_boss",
        "form": documents_pb2.PresentDocumentRequest.FORM_IMAGE,
    }
    out: Any = {"name": document.name, "holder": f"{AGENCY}/officers/kato", "reason": "(演習)"}

    for tip in (A_PHONE, A_PHONE, A_NAME):  # the second says nothing new
        await people.bring(tip, origin=PEER)
    shown = await people.refused("sato", "PresentDocument", **show)
    handed = await people.refused("tanaka", "HandOutDocument", **out)
    waiting = await people.call("sato", "GetDocument", name=document.name)
    first, second = await check_tasks(people, active.name)
    by_team = await people.refused("sato", "CompleteTask", role="SUPERVISOR", name=first, note="(演習)")
    await people.call("suzuki", "CompleteTask", name=first, note="(演習)別人の番号")
    still = await people.refused("sato", "PresentDocument", **show)
    await people.call("suzuki", "CompleteTask", name=second, note="(演習)この捜査のこと")
    presented = await people.call("sato", "PresentDocument", **show)

    assert [one.reason for one in (shown, handed, still)] == ["DOCUMENT_COLLIDES"] * 3
    assert shown.metadata["field"] in {"document.legend.display_name", "document.legend.phone"}
    assert "実在" in shown.metadata["ja"]
    assert by_team.reason == "NOT_YOUR_PART"
    assert waiting.collided
    assert (presented.collided, presented.presented) == (False, 1)
    actions = await people.actions(active.name)
    assert actions.count("COLLIDE") == 2
    assert actions[-3:] == ["COMPLETE_TASK", "SETTLE_COLLISION", "PRESENT_DOCUMENT"]
    events = await people.running.service.log.events(after=0)
    told = b"".join(event.SerializeToString() for event in events)
    assert not any(word.encode() in told for word in (MARKER, NAME, LEGEND.phone, "COLLIDE"))
    recorded = [(one.method, one.reason) for one in await people.refusals()]
    assert ("PresentDocument", "DOCUMENT_COLLIDES") in recorded
    assert ("HandOutDocument", "DOCUMENT_COLLIDES") in recorded


async def test_what_ended_or_was_not_issued_yet_opens_no_task(people: People) -> None:
    ended, open_one = await people.active(), await people.active(document_count=2)
    document = await issued(people, ended.name)
    asked = await people.call("sato", "RequestDocument", parent=open_one.name, document=LICENCE)
    await people.call("suzuki", "ClosePersona", name=ended.name, outcome=enums_pb2.OUTCOME_NOT_USED, reason="(演習)")

    await people.bring(A_PHONE, origin=PEER)

    assert await check_tasks(people, ended.name) == await check_tasks(people, open_one.name) == []
    assert not (await people.call("chief", "GetDocument", name=document.name)).collided
    assert (await people.refused("tanaka", "IssueDocument", name=asked.name)).reason == "DOCUMENT_COLLIDES"


async def test_an_issue_and_the_record_that_forbids_it_cannot_miss_each_other(people: People) -> None:
    """In one group of commits or in two, in either order: refused, or taken into custody and waiting."""
    active = await people.active()
    asked = await people.call("sato", "RequestDocument", parent=active.name, document=LICENCE)

    answers = await asyncio.gather(
        people.call("tanaka", "IssueDocument", name=asked.name),
        people.bring(A_PHONE, origin=PEER),
        return_exceptions=True,
    )

    document = await people.call("chief", "GetDocument", name=asked.name)
    refused = [answer.reason for answer in answers if isinstance(answer, RenkeiError)]
    if refused:
        assert refused == ["DOCUMENT_COLLIDES"]
        assert document.state == documents_pb2.Document.STATE_REQUESTED
    else:
        assert document.collided
        assert len(await check_tasks(people, active.name)) == 1


class Tips:
    """A service of tips that is nothing but a real log."""

    def __init__(self, running: Running) -> None:
        self.running = running

    async def record(self, *tips: tip_events.TipRecorded) -> None:
        def effect(transaction: Transaction) -> None:
            for tip in tips:
                transaction.emit(NewEvent(payload=tip, resource=f"{AGENCY}/tips/1"))

        await self.running.service.writer.run(effect)


@asynccontextmanager
async def house(directory: Path, clock: ManualClock, settings: Settings) -> AsyncIterator[tuple[Tips, Any]]:
    """A log of tips, and what starts personas beside it over one database, as often as is wanted."""
    key = generate()
    trusted = Issuer(issuer=f"{AGENCY}/services/personas", kind=IssuerKind.SERVICE, public_key=public_text(key))
    only_a_log = Blueprint(
        name="tips", schema=Schema(component="tips", metadata=MetaData()), wire=lambda _parts: Wiring(api={})
    )
    async with running(only_a_log, directory, clock=clock, trusted=[trusted]) as tips:

        @asynccontextmanager
        async def personas() -> AsyncIterator[People]:
            neighbours = {"tips": tips.address}
            async with running(blueprint(settings), directory, clock=clock, key=key, neighbours=neighbours) as started:
                yield People(started, clock)

        yield Tips(tips), personas


LEFT: Any = {
    "by an older program": {"reading": READING - 1},
    "half read, by a log that was restored since": {"reading": READING, "epoch": "gone", "sequence": 50, "until": 99},
}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
async def test_what_an_older_program_read_is_read_again_and_its_documents_are_compared(
    tmp_path: Path, kind: str, settings: Settings, left: dict[str, Any]
) -> None:
    del kind

    def as_left(transaction: Transaction) -> None:
        """Keep the follower's cursor, and nothing of what an older program would not have found."""
        transaction.execute(tables.seen.delete())
        transaction.execute(tables.readings.update().values(left))

    clock = ManualClock(WallClock().now())  # tokens of services are of now
    words = tip_events.TipRecorded(tip=tips_pb2.Tip(text=f"(演習)指示役は{NAME}と名乗った"))
    async with house(tmp_path, clock, settings) as (tips, personas):
        async with personas() as people:
            active = await people.active()
            document = await issued(people, active.name)
            await tips.record(words)
            await people.running.service.followers[f"{AGENCY}/logs/tips"].caught_up(1)
            knew = await check_tasks(people, active.name)
            await people.call("suzuki", "CompleteTask", name=knew[0], note="(演習)")
            await people.running.service.writer.run(as_left)
        async with personas() as people:
            async with asyncio.timeout(20):
                while len(await check_tasks(people, active.name)) == 0:  # noqa: ASYNC110 (another task sets no event)
                    await asyncio.sleep(0.01)
            waits = await people.call("sato", "GetDocument", name=document.name)
            refused = await people.refused("sato", "RequestDocument", parent=active.name, document=LICENCE)
        async with personas() as people:  # nothing is left to be read, and nothing opens again
            again = await check_tasks(people, active.name)
            actions = await people.actions(active.name)

    assert len(knew) == 1
    assert waits.collided
    assert refused.reason in {"DOCUMENT_COLLIDES", "DOCUMENTS_EXHAUSTED"}
    assert len(again) == 1
    assert actions.count("COLLIDE") == 2
