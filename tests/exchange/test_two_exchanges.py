"""Two exchanges over real gRPC and real nats-servers: what one releases, the other has, once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.exchange.forces import forces, linked, payload_of, to

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims


async def test_what_is_released_arrives_by_nats(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        await linked(tochigi, chiba)
        ids = await tochigi.record("a", "b", to=to("jp-12"))

        events = await chiba.has(2)

    assert [event.id for event in events] == [str(event_id) for event_id in ids]
    assert [payload_of(event).tip.text for event in events] == ["text-a", "text-b"]
