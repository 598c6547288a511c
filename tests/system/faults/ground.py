"""Where faults happen: a federation of real processes, clients that work, and what is true between them."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from renkei_chassis.failpoints import VARIABLE as FAILPOINT
from renkei_node.demo.proxy import Mode
from tests.otlp import Received, receiving
from tests.system.faults import disks
from tests.system.faults.cables import Mischief, NatsCable
from tests.system.faults.checker import check, settle
from tests.system.faults.disks import Disk
from tests.system.faults.history import History
from tests.system.faults.launch import CLOCK, PLANT, turn
from tests.system.faults.load import Load
from tests.system.faults.threads import in_thread
from tests.system.federation import Federation, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.system.federation import Member

CODES: Final = ("jp-12", "jp-13", "jp-09")
_LAUNCH: Final = ("-m", "tests.system.faults.launch")
# A line that was cut is tried again sooner than an operator would want, so that a test need not wait.
QUICK: Final = """
[exchange]
tick_seconds = 2.0
longest_pause_seconds = 1.0
call_seconds = 2.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fault as a schedule has it."""

    kind: str
    victim: str
    peer: str
    seconds: float
    number: int
    """Whatever else the fault has to choose."""


class GroundFederation(Federation):
    """A federation whose nodes are started by the harness, each on a disk of its own where that can be."""

    def __init__(self, path: Path, codes: tuple[str, ...], *, has_disks: bool) -> None:
        super().__init__(path, codes, nats_cable=NatsCable)
        self.disks = {code: Disk(path, code) for code in codes} if has_disks else {}

    def place_of(self, code: str) -> Path:
        return self.disks[code].mounted / code if code in self.disks else self.path / code


class Ground:
    """Made of a seed: the same seed gives the same clients and the same choices, if not the same microseconds."""

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        has_disks: bool = False,
        settings: str = QUICK,
        plant: Mapping[str, str] | None = None,
        pause_seconds: float = 0.03,
    ) -> None:
        """Nothing runs before `start`. `plant` names the bug that is planted at an agency."""
        self.history = History()
        self.federation = GroundFederation(path, CODES, has_disks=has_disks)
        self.load = Load(self.federation, self.history, seed=seed, pause_seconds=pause_seconds)
        self.counts: Counter[str] = Counter()
        """How often each fault happened."""
        self.chance = random.Random(seed)
        self.told = Received()
        """What the nodes told their collector of traces and metrics."""
        self._collecting = ExitStack()
        self._settings = settings
        self._plant = plant or {}

    def __getitem__(self, code: str) -> Member:
        return self.federation[code]

    @property
    def disks(self) -> Mapping[str, Disk]:
        """Give the disks, where the machine lets there be any."""
        return self.federation.disks

    async def start(self, *, with_load: bool = True) -> None:
        """Bring everything up and let the clients work."""
        await in_thread(self._set_up)
        await self.federation.start()
        if with_load:
            self.load.start()

    def _set_up(self) -> None:
        for disk in self.disks.values():
            disk.make()
        self.federation.set_up()
        port = self.federation.claims.claim()
        self._collecting.enter_context(receiving(port, self.told))
        for code, member in self.federation.members.items():
            with member.directory.settings.open("a") as file:
                file.write(f'{self._settings}\n[telemetry]\ncollector = "127.0.0.1:{port}"\ntrace_ratio = 1\n')
            member.command = _LAUNCH
            turn(self._clock(code), 0.0)
            member.environment = {CLOCK: str(self._clock(code))}
            if code in self._plant:
                member.environment[PLANT] = self._plant[code]

        # An operator's files are old when the power goes; ours were written a moment ago.
        os.sync()

    def turn_clock(self, code: str, seconds: float) -> None:
        """Put a node's clock ahead of the machine's. Blocks for a moment."""
        turn(self._clock(code), seconds)

    def _clock(self, code: str) -> Path:
        return self.federation.path / f"{code}.clock"

    def stop_power(self, code: str) -> None:
        """Kill a node and its nats-server at once. Blocks."""
        self[code].kill()
        self[code].kill_nats()

    async def restart(self, code: str, *, failpoint: str = "") -> None:
        """Start a node that is down, and wait until it serves; with a fail point, only until it was started."""
        member = self[code]
        environment = {key: value for key, value in member.environment.items() if key != FAILPOINT}
        member.environment = {**environment, FAILPOINT: failpoint} if failpoint else environment
        await in_thread(member.start)
        if not failpoint:
            await member.ready()

    async def heal(self) -> None:
        """Take every fault away that is still there, so that only its damage is left."""
        for cables in self.federation.cables.values():
            for cable in cables:
                if isinstance(cable, NatsCable):
                    cable.mischief = Mischief.NONE
                await cable.set_mode(Mode.PASS)
        for code, member in self.federation.members.items():
            await in_thread(self.turn_clock, code, 0.0)
            if code in self.disks:
                await in_thread(self.disks[code].free)
            await in_thread(_continue, member)
            if member.process is None or member.process.poll() is not None:
                await self.restart(code)

    async def verdict(self, *, seconds: float = 45.0) -> list[str]:
        """End the work, wait until nothing is on its way, and say what is wrong."""
        await self.heal()
        await self.load.stop()
        unsettled = await settle(self.federation, seconds=seconds)
        return unsettled + await in_thread(check, self.federation, self.history, self.told.everything())

    async def stop(self) -> None:
        """End everything; nothing is left behind."""
        await self.load.give_up()
        with suppress(AssertionError):
            await in_thread(self._wake_all)
        try:
            await self.federation.stop()
        finally:
            await in_thread(self._end_the_rest)
            await in_thread(self._clean)

    def _wake_all(self) -> None:
        for member in self.federation.members.values():
            _continue(member)
        for member in self.federation.members.values():
            if member.process is not None and member.process.poll() is not None:
                member.kill_nats()

    def _end_the_rest(self) -> None:
        """End what a bad ending left behind: it would hold its disk."""
        left = self.federation.left_behind()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)

    def _clean(self) -> None:
        self._collecting.close()
        for disk in self.disks.values():
            disk.throw_away()

    def keep(self, folder: Path) -> None:
        """Keep what a violation can be understood from. Blocks."""
        folder.mkdir(parents=True, exist_ok=True)
        self.history.write(folder / "history.jsonl")
        for code, member in self.federation.members.items():
            shutil.copyfile(member.output, folder / f"{code}.output.txt")
            for path in (*member.directory.data.glob("*"), member.directory.log, member.directory.nats / "nats.log"):
                if path.is_file():
                    shutil.copyfile(path, folder / f"{code}.{path.name}")

    def dropped(self, code: str) -> list[int]:
        """Tell for each courier's cable of an agency how many messages it has lost."""
        cables = [cable for pair, cables in self.federation.cables.items() if code in pair for cable in cables]
        return [cable.done[Mischief.DROP] for cable in cables if isinstance(cable, NatsCable)]

    async def seen(self, what: Callable[[History], bool], *, seconds: float = 60.0) -> None:
        """Wait until something stands in the history."""

        async def has_come() -> bool:
            return what(self.history)

        await until(has_come, seconds=seconds)

    async def count_ok(self, code: str, count: int, *, seconds: float = 60.0) -> None:
        """Wait until so many more calls at an agency were answered."""
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def enough() -> bool:
            return self.history.ok_within(code, began, loop.time()) >= count

        await until(enough, seconds=seconds)


def disks_impossible() -> str:
    """Say why nodes cannot have disks of their own here; empty where they can."""
    return disks.impossible()


def _continue(member: Member) -> None:
    if member.process is not None and member.process.poll() is None:
        member.process.send_signal(signal.SIGCONT)
    member.signal_nats(signal.SIGCONT)
