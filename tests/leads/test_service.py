"""The service between its neighbours: what comes in over the logs, what it finds, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.arrests.v1.events_pb2 import ArrestRecorded
from renkei.leads.v1.leads_pb2 import Lead
from renkei.tips.v1.events_pb2 import TipRecorded

from tests.leads.records import SAPPORO, TOCHIGI, arrest, phone, tip

if TYPE_CHECKING:
    from tests.leads.house import House


async def test_records_of_three_forces_that_share_a_number_are_a_supported_lead(house: House) -> None:
    own = tip(2, phone(1))
    device = arrest(1, phone(1), agency=TOCHIGI)
    advertisement = tip(3, phone(1), agency=SAPPORO)

    await house.tell(TipRecorded(tip=own))
    await house.bring(ArrestRecorded(arrest=device), TipRecorded(tip=advertisement))

    (lead,) = await house.leads()
    assert lead.state == Lead.STATE_SUPPORTED
    assert [record.name for record in lead.records] == [device.name, own.name, advertisement.name]
    assert await house.set_aside() == []
