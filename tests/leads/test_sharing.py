"""An answer that many ask for is made once, and never told after what it says has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from renkei.leads.v1.leads_pb2 import ListLeadsRequest
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.tips.v1.events_pb2 import TipRecorded

from renkei_chassis.errors import Unavailable
from renkei_leads import reading
from renkei_leads.sharing import Shared
from tests.leads.house import AGENCY
from tests.leads.officers import STATE, Officer, name_of
from tests.leads.records import phone, tip

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from renkei_leads.reading import Wanted
    from tests.leads.house import House


class Log:
    """Where a log ends."""

    last = 0

    def __call__(self) -> int:
        return self.last


async def test_whoever_asks_while_it_is_made_gets_the_same() -> None:
    shared = Shared[str](Log(), most=2)
    begun, go = 0, asyncio.Event()

    async def make() -> str:
        nonlocal begun
        begun += 1
        await go.wait()
        return "made"

    asking = [asyncio.create_task(shared.get("key", make)) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()  # whoever began it hangs up
    go.set()

    assert await asyncio.gather(*asking[1:]) == ["made"] * 49
    assert begun == 1


async def test_an_answer_is_good_until_the_log_goes_on_and_no_more_than_some_are_kept() -> None:
    log, made = Log(), [0]
    shared = Shared[int](log, most=2)

    async def make() -> int:
        made[0] += 1
        return made[0]

    assert [await shared.get(key, make) for key in "aabb"] == [1, 1, 2, 2]
    log.last = 1
    assert [await shared.get(key, make) for key in "aab"] == [3, 3, 4]
    assert [await shared.get(key, make) for key in "cab"] == [5, 6, 7]


async def test_what_began_before_a_change_is_not_told_after_it() -> None:
    log, go = Log(), asyncio.Event()
    shared = Shared[str](log, most=2)

    async def old() -> str:
        await go.wait()
        return "old"

    async def new() -> str:
        return "new"

    early = asyncio.create_task(shared.get("key", old))
    await asyncio.sleep(0)
    log.last = 1
    late = await shared.get("key", new)
    go.set()

    assert (await early, late, await shared.get("key", old)) == ("old", "new", "new")


async def test_a_failure_is_told_to_those_who_waited_and_forgotten() -> None:
    shared = Shared[str](Log(), most=2)

    async def fail() -> str:
        raise Unavailable("STORAGE_UNAVAILABLE", "planted")

    async def make() -> str:
        return "made"

    with pytest.raises(Unavailable):
        await shared.get("key", fail)
    await asyncio.sleep(0)

    assert await shared.get("key", make) == "made"


async def test_many_who_list_the_same_read_it_once_and_each_step_is_there_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    page = reading.page

    def noting(connection: Connection, wanted: Wanted, **more: Any) -> Any:  # noqa: ANN401 (as the function has them)
        read.append(wanted.holder)
        return page(connection, wanted, **more)

    monkeypatch.setattr(reading, "page", noting)
    await house.tell(*(TipRecorded(tip=tip(each, phone(1))) for each in (1, 2)))
    sato = Officer(house, "sato")

    await asyncio.gather(*(house.leads() for _ in range(20)))
    assert len(read) == 1
    await sato.do("AcknowledgeLead", name_of(1))
    assert [lead.follow_up.state for lead in await house.leads()] == [STATE.STATE_ACKNOWLEDGED]
    await sato.do("TakeLead", name_of(1))
    assert [lead.follow_up.state for lead in await house.leads()] == [STATE.STATE_TAKEN]
    assert len(read) == 3


async def test_what_somebody_holds_is_listed_to_nobody_else(house: House) -> None:
    await house.tell(*(TipRecorded(tip=tip(each, phone(1))) for each in (1, 2)))
    await Officer(house, "sato").do("TakeLead", name_of(1))
    request = ListLeadsRequest(parent=AGENCY, mine=True)
    clients = [house.client(officer=name) for name in ("sato", "suzuki", "sato")]

    listed = [await client.call(client.stub(LeadsServiceStub).ListLeads, request) for client in clients]

    assert [len(each.leads) for each in listed] == [1, 0, 1]
