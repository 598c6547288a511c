"""Every fault by its name: what it does, and where it is impossible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.failpoints import Place
from tests.system.faults import cable_faults, clock_faults, courier_faults, disk_faults, process_faults
from tests.system.faults.disks import impossible as no_disks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.system.faults.ground import Ground, Step


def _never() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault; `act` does it, holds it and takes it away again."""

    act: Callable[[Ground, Step], Awaitable[None]]
    impossible: Callable[[], str] = _never
    """Why it cannot be done on this machine; empty where it can."""


FAULTS: Final = {
    "kill a node": Fault(act=process_faults.kill),
    "restart a node": Fault(act=process_faults.restart),
    "freeze a node": Fault(act=process_faults.freeze),
    "kill a nats-server": Fault(act=process_faults.kill_nats),
    "freeze a nats-server": Fault(act=process_faults.freeze_nats),
    **{f"kill {place}": Fault(act=partial(process_faults.kill_at, place)) for place in Place},
    "cut": Fault(act=cable_faults.cut),
    "black hole": Fault(act=cable_faults.black_hole),
    "one-way cut": Fault(act=cable_faults.one_way),
    "flap": Fault(act=cable_faults.flap),
    "delay": Fault(act=cable_faults.delay),
    "duplicate messages": Fault(act=cable_faults.duplicate),
    "reorder messages": Fault(act=cable_faults.reorder),
    "drop messages": Fault(act=cable_faults.drop),
    "wipe a courier": Fault(act=courier_faults.wipe),
    "roll back a courier": Fault(act=courier_faults.roll_back),
    "delete a stream": Fault(act=courier_faults.delete_stream),
    "purge a stream": Fault(act=courier_faults.purge_stream),
    "publish again": Fault(act=courier_faults.publish_again),
    "truncate a courier's file": Fault(act=courier_faults.truncate),
    "flip a courier's bits": Fault(act=courier_faults.flip_bits),
    "clock ahead": Fault(act=clock_faults.ahead),
    "clock back": Fault(act=clock_faults.back),
    "start with a clock ahead": Fault(act=clock_faults.start_ahead),
    "file size limit": Fault(act=disk_faults.limit),
    "full disk": Fault(act=disk_faults.fill, impossible=no_disks),
    "power cut": Fault(act=disk_faults.power_cut, impossible=no_disks),
}
