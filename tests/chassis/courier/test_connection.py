"""A connection is tried for ever, sees every loss, and takes nobody else down."""

from __future__ import annotations

import asyncio

import pytest

from renkei_chassis.courier import Connection, generate_user_key
from tests.chassis.courier.servers import BreakableServer, running, until


async def test_a_server_that_starts_late_is_found(idle_server: BreakableServer) -> None:
    async with running(Connection(idle_server.endpoint())) as connection:
        waiting = asyncio.create_task(connection.link())
        await until(lambda: connection.failures > 0)
        assert not waiting.done()

        await idle_server.start()

        async with asyncio.timeout(10):
            await (await waiting).client.flush()


async def test_a_killed_and_restarted_server_is_found_again(server: BreakableServer) -> None:
    seen: list[bool] = []
    connection = Connection(server.endpoint())
    connection.observe(seen.append)
    async with running(connection), asyncio.timeout(20):
        first = await connection.link()

        await server.kill()
        await first.until_lost()
        await server.start()
        second = await connection.link()

        await second.client.flush()
    assert seen == [True, False, True, False]
    assert first.is_lost


@pytest.mark.slow
async def test_a_silent_server_is_given_up(server: BreakableServer) -> None:
    async with running(Connection(server.endpoint())) as connection, asyncio.timeout(30):
        link = await connection.link()

        server.freeze()
        await link.until_lost()
        assert not connection.connected
        server.thaw()

        await (await connection.link()).client.flush()


@pytest.mark.slow
async def test_a_silent_server_is_given_up_even_with_much_still_to_be_written(server: BreakableServer) -> None:
    """nats-py would wait for the socket to take it all."""
    async with running(Connection(server.endpoint())) as connection, asyncio.timeout(30):
        link = await connection.link()
        server.freeze()
        for _ in range(200):
            await link.client.publish("somewhere", bytes(100_000))

        await link.until_lost()
        server.thaw()

        await (await connection.link()).client.flush()


async def test_a_foreign_key_is_refused_and_said_so(server: BreakableServer) -> None:
    async with running(Connection(server.endpoint(generate_user_key()))) as connection:
        # Now and then the refusal is overtaken by the end of the connection.
        await until(lambda: connection.last_error == "AuthorizationError")

    assert not connection.connects


async def test_listeners_hear_of_a_loss_once(server: BreakableServer) -> None:
    heard: list[str] = []
    async with running(Connection(server.endpoint())) as connection, asyncio.timeout(10):
        link = await connection.link()
        link.when_lost(lambda: heard.append("kept"))
        link.when_lost(lambda: heard.append("taken back"))()

        await server.kill()
        await link.until_lost()

    assert heard == ["kept"]
