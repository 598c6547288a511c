"""The writer in a process of its own: it dies, comes back, lends the pen, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from renkei_chassis.database.engine import Database, DatabaseInUseError
from renkei_chassis.database.process.frames import Start
from renkei_chassis.errors import Aborted, RenkeiError, Unavailable
from renkei_chassis.failpoints import VARIABLE, Place
from tests.chassis.courier.servers import until
from tests.chassis.database.rules import (
    ask_nonsense,
    refuse_too_late,
    stumble,
    take_taken_unit,
    take_taken_unit_in_silence,
    tell_too_much,
)
from tests.chassis.keeper import OWNER, SCHEMA, Keeper, asking, by_reference, keep, keeping
from tests.databases import SQLITE, on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei.personas.v1.personas_pb2 import SubmitPersonaRequest

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def keeper(tmp_path: Path, kind: str) -> AsyncIterator[Keeper]:
    async with keeping(tmp_path / "keeper.db", process=True) as at_work:
        yield at_work


def tell_process(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    """Keep a plan under the number of the process that decided it."""
    request.plan.unit = str(os.getpid())
    return keep(transaction, request, caller)


async def back(keeper: Keeper, *, starts: int = 2) -> None:
    await until(lambda: keeper.writer.process_id != 0 and keeper.writer.process_starts >= starts)


async def sequences(keeper: Keeper) -> list[int]:
    return [event.sequence for event in await keeper.events()]


async def test_a_call_is_carried_out_in_the_other_process(keeper: Keeper) -> None:
    answer = await keeper.keep(asking("x"), tell_process)

    assert answer.plan.unit == str(keeper.writer.process_id)
    assert keeper.log.position.sequence == 1


async def test_failing_calls_do_not_fail_their_neighbours_there(keeper: Keeper) -> None:
    rules = [refuse_too_late, stumble, take_taken_unit, take_taken_unit_in_silence, ask_nonsense, tell_too_much]
    expected = [Aborted, ZeroDivisionError, IntegrityError, IntegrityError, DBAPIError, ValueError]

    results = await asyncio.gather(
        keeper.keep(asking("a")),
        *(keeper.keep(asking("bad"), rule) for rule in rules),
        keeper.keep(asking("b")),
        return_exceptions=True,
    )

    failed = zip(results[1:-1], expected, strict=True)
    assert [isinstance(result, error) for result, error in failed] == [True] * len(expected)
    assert await keeper.units() == ["a", "b"]
    assert await sequences(keeper) == [1, 2]


async def test_a_failure_comes_back_without_the_values_it_was_about(keeper: Keeper) -> None:
    await keeper.keep(asking("a"))

    with pytest.raises(IntegrityError) as caught:
        await keeper.keep(asking("secret"), take_taken_unit)

    assert caught.value.params is None


async def test_calls_and_effects_take_turns_and_leave_no_gap(keeper: Keeper) -> None:
    """The pen goes to and fro, and with it the place where the log ends."""

    async def calls(name: str) -> None:
        for number in range(20):
            await keeper.keep(asking(f"{name} {number}"))

    async def effects() -> None:
        for _ in range(20):
            await keeper.tell(10, 20)

    await asyncio.gather(calls("a"), calls("b"), effects(), calls("c"), effects())

    assert await sequences(keeper) == list(range(1, 3 * 20 + 2 * 40 + 1))
    assert keeper.log.position.sequence == 140


async def test_an_effect_that_fails_leaves_the_pen_to_the_next(keeper: Keeper) -> None:
    def fail(transaction: Transaction) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await keeper.writer.run(fail)
    await keeper.keep(asking("a"))
    await keeper.tell(1)

    assert await sequences(keeper) == [1, 2]


async def test_a_process_that_is_killed_comes_back_and_every_call_happened_once(keeper: Keeper) -> None:
    """A caller who was told UNAVAILABLE repeats with the same id; whoever had an answer finds the record."""
    told: list[str] = []
    reasons: set[str] = set()

    async def insist(request: SubmitPersonaRequest) -> None:
        while True:
            try:
                told.append((await keeper.keep(request)).plan.unit)
            except Unavailable as error:
                reasons.add(error.reason)
                await asyncio.sleep(0.01)
            else:
                return

    async def record(caller: int) -> None:
        for number in range(20):
            await insist(asking(f"{caller:02} {number:02}"))

    async def kill() -> None:
        await until(lambda: len(told) >= 50)
        os.kill(keeper.writer.process_id, signal.SIGKILL)

    await asyncio.gather(kill(), *map(record, range(20)))

    units = [f"{caller:02} {number:02}" for caller in range(20) for number in range(20)]
    assert reasons == {"STORAGE_UNAVAILABLE"}
    assert keeper.writer.process_starts == 2
    assert sorted(told) == units
    assert await keeper.units() == units
    assert sorted(await keeper.told()) == units
    assert await sequences(keeper) == list(range(1, 401))


@pytest.mark.parametrize(("place", "kept"), [(Place.BEFORE_COMMIT, []), (Place.AFTER_COMMIT, ["a"])])
async def test_a_death_around_the_commit_is_found_out_by_a_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, kept: list[str]
) -> None:
    monkeypatch.setenv(VARIABLE, place)
    request = asking("a")
    async with keeping(tmp_path / "keeper.db", process=True) as keeper:
        monkeypatch.delenv(VARIABLE)

        with pytest.raises(Unavailable):
            await keeper.keep(request)
        assert await keeper.units() == kept
        await back(keeper)
        answer = await keeper.keep(request)
        await keeper.tell(1)

        assert answer.plan.unit == "a"
        assert await sequences(keeper) == [1, 2]


async def test_effects_go_on_while_the_process_is_away(keeper: Keeper) -> None:
    """Whoever dies with the pen in hand, or while it is asked for, does not take it along."""
    await keeper.keep(asking("a"))
    os.kill(keeper.writer.process_id, signal.SIGSTOP)
    waiting = asyncio.ensure_future(keeper.tell(1))
    await asyncio.sleep(0)
    os.kill(keeper.writer.process_id, signal.SIGKILL)

    await waiting
    await keeper.tell(1)
    await back(keeper)
    await keeper.keep(asking("b"))

    assert await sequences(keeper) == [1, 2, 3, 4]


async def test_the_process_leaves_to_its_service_when_to_end(keeper: Keeper) -> None:
    """Ctrl-C and a supervisor's SIGTERM reach every process of the group; the service drains first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(keeper.writer.process_id, number)

    await keeper.keep(asking("a"))

    assert keeper.writer.process_starts == 1


async def test_a_stopped_writer_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    async with keeping(tmp_path / "keeper.db", process=True) as keeper:
        pid = keeper.writer.process_id
        waiting = [asyncio.ensure_future(keeper.keep(asking(str(number)))) for number in range(50)]
        await asyncio.sleep(0)

    assert not psutil.pid_exists(pid)
    assert len(await asyncio.gather(*waiting)) == 50
    await asyncio.to_thread(lambda: Database.open(tmp_path / "keeper.db", owner=OWNER, schema=SCHEMA).close())


SERVICE = """
import asyncio, sys
from pathlib import Path
from tests.chassis.keeper import asking, keeping

async def main():
    async with keeping(Path(sys.argv[1]), process=True) as keeper:
        print(keeper.writer.process_id, flush=True)
        for number in range(1_000_000):
            await keeper.keep(asking(f"{number:07}"))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_a_killed_service_takes_its_writer_along_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "keeper.db"

    def run_and_kill() -> tuple[int, int]:
        with subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as service:
            assert service.stdout is not None
            writer = psutil.Process(int(service.stdout.readline()))
            for line in service.stdout:
                if int(line) == 50:
                    break
            service.kill()
            acknowledged = [int(line) for line in service.stdout if line.endswith("\n")]
            psutil.wait_procs([writer], timeout=10)
            assert not writer.is_running()
            return writer.pid, max([50, *acknowledged])

    _, acknowledged = await asyncio.to_thread(run_and_kill)
    async with keeping(path) as keeper:
        units = await keeper.units()

    assert units[: acknowledged + 1] == [f"{number:07}" for number in range(acknowledged + 1)]
    assert len(units) <= acknowledged + 2


@on(SQLITE)
async def test_the_database_stays_locked_until_the_writers_process_is_gone(keeper: Keeper, tmp_path: Path) -> None:
    """A service started anew must not read where the log ends while the old writer may still commit."""
    files = [Path(f"/proc/{keeper.writer.process_id}/fd/{handle}") for handle in keeper.database.handles]
    held = {await asyncio.to_thread(file.resolve) for file in files}

    assert held == {tmp_path / "keeper.db.lock"}
    with pytest.raises(DatabaseInUseError):
        await asyncio.to_thread(Database.open, tmp_path / "keeper.db", owner=OWNER, schema=SCHEMA)


async def test_rules_that_cannot_be_carried_there_are_refused(tmp_path: Path) -> None:
    async with keeping(tmp_path / "keeper.db") as keeper:
        start = Start(
            shared=keeper.database.shared, owner=OWNER, recipe=lambda _database, _clock: pytest.fail("never called")
        )

        with pytest.raises(TypeError, match="cannot be carried"):
            await keeper.writer.move_calls(start, key=by_reference)


def fail_to_make(_database: object, _clock: object) -> None:
    raise LookupError


async def test_a_process_that_does_not_come_up_is_an_error_at_the_start(tmp_path: Path) -> None:
    async with keeping(tmp_path / "keeper.db") as keeper:
        start = Start(shared=keeper.database.shared, owner=OWNER, recipe=fail_to_make)  # type: ignore[arg-type]

        with pytest.raises(RuntimeError, match="does not start"):
            await keeper.writer.move_calls(start, key=by_reference)


async def test_a_process_of_another_agencys_database_is_refused(tmp_path: Path) -> None:
    """A mistake in the wiring would let one agency's rules write into another's book."""
    async with keeping(tmp_path / "keeper.db") as keeper:
        other = OWNER.__class__(agency="agencies/jp-13", service="keeper")

        with pytest.raises(RuntimeError, match="does not start"):
            await keeper.writer.move_calls(
                Start(shared=keeper.database.shared, owner=other, recipe=fail_to_make),  # type: ignore[arg-type]
                key=by_reference,
            )


async def test_the_clock_is_the_services_own(keeper: Keeper) -> None:
    keeper.clock.advance(3600)
    await keeper.keep(asking("a"))
    keeper.clock.advance(-60)

    with pytest.raises(RenkeiError) as caught:
        await keeper.keep(asking("b"))

    assert caught.value.reason == "CLOCK_JUMPED"
    assert (await keeper.events())[0].time.ToMicroseconds() == keeper.clock.now_us() + 60_000_000
