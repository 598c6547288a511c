"""A database server that is stopped, killed, hangs or is taken by another process: what was acknowledged stands."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from renkei_chassis.database.engine import Database, DatabaseInUseError, DatabaseUnreachableError
from renkei_chassis.database.failures import is_lost, is_storage_failure
from renkei_chassis.database.postgresql import place as place_module
from renkei_chassis.database.postgresql.url import PostgresUrl
from renkei_chassis.errors import RenkeiError, Unavailable
from renkei_chassis.log.append import erase
from tests.chassis.keeper import OWNER, PLANS, SCHEMA, Keeper, asking, keeping
from tests.databases import POSTGRESQL, name_of, on, place, running

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import PoolProxiedConnection

pytestmark = on(POSTGRESQL)

FULL_DISK: Final = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON renkei_payload EXECUTE FUNCTION full_disk()
"""
ROOM_AGAIN: Final = "DROP TRIGGER full_disk ON renkei_payload; DROP FUNCTION full_disk"


def restart() -> None:
    running().stop()
    running().start()


def kill_and_start() -> None:
    running().kill()
    running().start()


async def test_a_server_that_was_started_anew_costs_no_caller_an_error(keeper: Keeper) -> None:
    await keeper.keep(asking("a"))
    await keeper.units()
    await asyncio.to_thread(restart)

    await keeper.keep(asking("b"))
    assert await keeper.units() == ["a", "b"]

    await asyncio.to_thread(kill_and_start)
    assert await keeper.units() == ["a", "b"]
    await asyncio.gather(*(keeper.keep(asking(unit)) for unit in "cdef"))

    assert await keeper.told() == list("abcdef")
    assert [event.sequence for event in await keeper.events()] == [1, 2, 3, 4, 5, 6]


async def test_while_the_server_is_away_reads_and_writes_are_refused_as_such(keeper: Keeper) -> None:
    await keeper.keep(asking("a"))
    await asyncio.to_thread(running().stop)
    try:
        for ask in (keeper.keep(asking("b")), keeper.units(), keeper.database.look(lambda connection: None)):
            with pytest.raises(Unavailable) as caught:
                await ask
            assert caught.value.reason == "STORAGE_UNAVAILABLE"
    finally:
        await asyncio.to_thread(running().start)

    await keeper.keep(asking("c"))
    assert await keeper.told() == ["a", "c"]


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_without_an_answer_is_looked_up_before_anybody_is_answered(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    """The server dies between the commit and its answer, or between the question and the commit."""
    await keeper.keep(asking("before"))
    dialect = keeper.database.writing.dialect
    commit = dialect.do_commit

    def die(connection: PoolProxiedConnection) -> None:
        monkeypatch.undo()
        if committed:
            commit(connection)
        kill_and_start()
        connection.cursor().execute("SELECT 1")
        raise AssertionError

    monkeypatch.setattr(dialect, "do_commit", die)

    results = await asyncio.gather(*(keeper.keep(asking(unit)) for unit in "abc"), return_exceptions=True)

    refused = [result for result in results if isinstance(result, RenkeiError)]
    assert [error.reason for error in refused] == [] if committed else ["STORAGE_UNAVAILABLE"] * 3
    assert await keeper.told() == (["before", "a", "b", "c"] if committed else ["before"])
    await keeper.keep(asking("after"))
    assert [event.sequence for event in await keeper.events()] == list(range(1, 6 if committed else 3))


async def test_who_waits_for_an_outcome_is_told_when_the_writer_stops_that_it_is_not_known(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = keeper.database.writing.dialect
    gone = threading.Event()

    def die(connection: PoolProxiedConnection) -> None:
        monkeypatch.undo()
        running().kill()
        gone.set()
        connection.cursor().execute("SELECT 1")

    monkeypatch.setattr(dialect, "do_commit", die)
    waiting = asyncio.ensure_future(keeper.keep(asking("a")))
    try:
        await asyncio.to_thread(gone.wait)
        await keeper.writer.stop()
        with pytest.raises(Unavailable, match="repeat the request with the same request_id"):
            await waiting
    finally:
        await asyncio.to_thread(running().start)


async def test_kills_in_the_middle_of_traffic_lose_and_double_nothing(keeper: Keeper) -> None:
    """Each caller repeats under the same request_id until it is answered, as a client does."""
    chance = random.Random(7)
    done = threading.Event()

    def kill_now_and_then() -> int:
        kills = 0
        while not done.wait(chance.uniform(0.02, 0.2)):
            kill_and_start()
            kills += 1
        return kills

    async def insist(unit: str) -> None:
        request = asking(unit)
        while True:
            with suppress(Unavailable):
                await keeper.keep(request)
                return
            await asyncio.sleep(0.01)

    async def caller(number: int) -> None:
        for step in range(40):
            await insist(f"{number} {step}")
            await asyncio.sleep(0.01)

    killing = asyncio.ensure_future(asyncio.to_thread(kill_now_and_then))
    try:
        await asyncio.gather(*map(caller, range(8)))
    finally:
        done.set()
        kills = await killing

    assert kills >= 3
    expected = sorted(f"{number} {step}" for number in range(8) for step in range(40))
    assert sorted(await keeper.told()) == sorted(await keeper.units()) == expected
    assert [event.sequence for event in await keeper.events()] == list(range(1, 321))


async def test_a_server_that_hangs_holds_up_no_loop_and_is_given_up(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keeper.keep(asking("a"))
    monkeypatch.setattr(place_module, "WAIT_SECONDS", 0.5)
    await asyncio.to_thread(restart)  # so that new connections are made, which wait no longer
    await keeper.keep(asking("b"))
    await asyncio.to_thread(running().pause)
    try:
        asked = [asyncio.ensure_future(ask) for ask in (keeper.keep(asking("c")), keeper.units())]
        slowest, last = 0.0, time.monotonic()
        while not all(each.done() for each in asked):
            await asyncio.sleep(0.01)
            slowest, last = max(slowest, time.monotonic() - last), time.monotonic()
    finally:
        await asyncio.to_thread(running().resume)

    for each in asked:
        assert isinstance(each.exception(), Unavailable)
    assert slowest < 0.4
    await keeper.keep(asking("d"))
    assert await keeper.told() == ["a", "b", "d"]


async def test_a_writer_whose_database_was_taken_over_never_writes_again(keeper: Keeper, tmp_path: Path) -> None:
    """It missed what the other one wrote: its own idea of where everything stands is wrong for ever."""
    await keeper.keep(asking("a"))
    path = tmp_path / "keeper.db"
    end_sessions = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'renkei keeper writer'"
    )
    await asyncio.to_thread(running().run, end_sessions)

    async with keeping(path) as other:
        await other.keep(asking("b"))
        with pytest.raises(Unavailable) as while_held:
            await keeper.keep(asking("c"))
    with pytest.raises(Unavailable) as afterwards:
        await keeper.keep(asking("d"))

    assert {while_held.value.reason, afterwards.value.reason} == {"STORAGE_UNAVAILABLE"}
    assert "another process has written" in str(afterwards.value.__cause__)
    assert await keeper.units() == ["a", "b"]


async def test_a_writer_that_finds_anothers_mark_stops_though_it_has_the_lock(keeper: Keeper, tmp_path: Path) -> None:
    """A pooler between the two may lose the lock and keep the session."""
    forge = "UPDATE renkei_fact SET value = 'x' WHERE key = 'writer'"
    await asyncio.to_thread(running().run, forge, database=name_of(tmp_path / "keeper.db"))

    with pytest.raises(Unavailable) as caught:
        await keeper.keep(asking("a"))

    assert "another process has written" in str(caught.value.__cause__)
    assert await keeper.units() == []


async def test_a_writer_whose_server_fell_back_to_an_older_state_stops(keeper: Keeper, tmp_path: Path) -> None:
    """A standby that lacked commits took over, or a backup was restored under it: what was told of is gone."""
    database = name_of(tmp_path / "keeper.db")
    await keeper.keep(asking("a"))
    mark = "SELECT encode(value, 'hex') FROM renkei_fact WHERE key = 'writer'"
    older = await asyncio.to_thread(running().run, mark, database=database)
    await keeper.keep(asking("b"))
    fall_back = f"UPDATE renkei_fact SET value = decode('{older}', 'hex') WHERE key = 'writer'"  # noqa: S608 (the server's own word)
    await asyncio.to_thread(running().run, fall_back, database=database)

    with pytest.raises(Unavailable):
        await keeper.keep(asking("c"))

    assert await keeper.units() == ["a", "b"]


async def test_a_writer_that_lost_its_session_alone_takes_it_up_again(keeper: Keeper) -> None:
    await keeper.keep(asking("a"))
    await asyncio.to_thread(
        running().run,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL",
    )

    await keeper.keep(asking("b"))

    assert await keeper.told() == ["a", "b"]


async def test_a_database_that_is_not_there_or_lets_nobody_in_says_so_and_no_password(kind: str) -> None:
    missing = PostgresUrl.parse(f"postgresql://postgres:MARKERxSECRET@/nowhere?host={running().folder}")
    silent = PostgresUrl.parse("postgresql://postgres:MARKERxSECRET@/x?host=/nowhere")
    for url, what in ((missing, 'database "nowhere" does not exist'), (silent, "No such file")):
        with pytest.raises(DatabaseUnreachableError, match=what) as caught:
            await asyncio.to_thread(Database.open, url, owner=OWNER, schema=SCHEMA)
        assert "MARKERxSECRET" not in repr(caught.value)
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("role", "what"),
    [
        ("LOGIN", "permission denied for schema public"),
        ("LOGIN; ALTER ROLE guest SET search_path = nowhere", "search_path names no schema"),
        ("LOGIN SUPERUSER; ALTER ROLE guest SET default_transaction_read_only = on", "read-only transaction"),
    ],
)
async def test_a_server_that_takes_no_writes_is_told_at_the_start(
    kind: str, tmp_path: Path, role: str, what: str
) -> None:
    """An account that may make no tables, or a standby."""
    where = place(tmp_path / "keeper.db")
    assert isinstance(where, PostgresUrl)
    guest = PostgresUrl.parse(where.dsn.replace("postgres@", "guest@"))
    await asyncio.to_thread(running().run, f"CREATE ROLE guest {role}")
    try:
        with pytest.raises(DatabaseUnreachableError, match=what):
            await asyncio.to_thread(Database.open, guest, owner=OWNER, schema=SCHEMA)
    finally:
        await asyncio.to_thread(running().run, "DROP ROLE guest")


async def test_a_full_disk_refuses_the_group_and_heals_by_itself(tmp_path: Path, keeper: Keeper) -> None:
    """The server says so by the error of a file that cannot grow, raised here by a trigger."""
    database = name_of(tmp_path / "keeper.db")
    await keeper.keep(asking("before"))
    await asyncio.to_thread(running().run, FULL_DISK, database=database)

    refused = await asyncio.gather(*(keeper.keep(asking(unit)) for unit in "ab"), return_exceptions=True)

    assert [error.reason for error in refused if isinstance(error, Unavailable)] == ["STORAGE_UNAVAILABLE"] * 2
    assert await keeper.units() == ["before"]
    await asyncio.to_thread(running().run, ROOM_AGAIN, database=database)
    await keeper.keep(asking("after"))
    assert await keeper.told() == ["before", "after"]


async def test_what_is_erased_is_vacuumed_at_once(keeper: Keeper, tmp_path: Path) -> None:
    """Nobody can ask for it any more, and its room is free to be overwritten."""
    for word in range(5):
        await keeper.tell(word + 1)

    await keeper.writer.run(lambda transaction: erase(transaction, [1, 2]))

    count = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'renkei_payload'"
    database = name_of(tmp_path / "keeper.db")
    async with asyncio.timeout(20):
        while await asyncio.to_thread(running().run, count, database=database) == "0":  # noqa: ASYNC110 (no event)
            await asyncio.sleep(0.05)
    assert [event.erased for event in await keeper.events()] == [True, True, False, False, False]


async def test_two_writers_at_once_are_refused_whichever_came_second(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(DatabaseInUseError, match="in use by another process: stop that one first"):
        await asyncio.to_thread(Database.open, place(tmp_path / "keeper.db"), owner=OWNER, schema=SCHEMA)

    await keeper.keep(asking("a"))
    assert await keeper.database.read(lambda connection: connection.execute(select(PLANS.c.unit)).scalar()) == "a"


async def test_the_session_that_writes_has_its_commits_on_the_disk(keeper: Keeper) -> None:
    """Whatever the server's own default is."""

    def synchronous() -> object:
        with keeper.database.writing.connect() as connection:
            return connection.exec_driver_sql("SHOW synchronous_commit").scalar()

    assert await asyncio.to_thread(synchronous) == "on"


def test_an_error_of_another_kind_is_no_lost_connection(kind: str) -> None:
    assert not is_lost(OperationalError("x", {}, OSError()))
    assert not is_storage_failure(ValueError())
