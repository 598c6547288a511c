from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims
from renkei_node.demo.proxy import Mode, Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SOON = 5.0
A_WHILE = 0.2  # long enough for loopback to bring what it would bring


@asynccontextmanager
async def cable() -> AsyncIterator[Proxy]:
    """Lay a cable to a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    claims = await asyncio.to_thread(PortClaims)
    near, far = await asyncio.to_thread(claims.claim_many, 2)
    server = await asyncio.start_server(echo, "127.0.0.1", far)
    proxy = Proxy(port=near, target=far)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
        server.close()
        await asyncio.to_thread(claims.close)


async def say(proxy: Proxy, content: bytes) -> bytes:
    """Send over a new connection, say farewell, and give all that comes back."""
    async with asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(content)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


async def test_a_cable_brings_everything_in_both_directions_to_the_last_byte() -> None:
    content = bytes(range(256)) * 4096

    async with cable() as proxy:
        assert await say(proxy, content) == content


async def test_a_cut_cable_resets_what_is_open_and_refuses_what_is_new() -> None:
    async with cable() as proxy, asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"

        await proxy.set_mode(Mode.CUT)

        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.close()


async def test_a_cable_that_is_put_back_works_on_the_same_port() -> None:
    async with cable() as proxy:
        await proxy.set_mode(Mode.CUT)
        await proxy.set_mode(Mode.PASS)

        assert await say(proxy, b"again") == b"again"


async def test_a_black_hole_keeps_both_sides_believing_and_gives_back_what_it_swallowed() -> None:
    async with cable() as proxy, asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.set_mode(Mode.BLACKHOLE)
        writer.write(b"swallowed")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), A_WHILE)

        await proxy.set_mode(Mode.PASS)

        assert await reader.readexactly(9) == b"swallowed"
        writer.close()


async def test_a_one_way_cable_brings_what_is_said_and_no_answer_until_it_ends() -> None:
    async with cable() as proxy, asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.set_mode(Mode.ONE_WAY)
        writer.write(b"heard")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), A_WHILE)

        await proxy.set_mode(Mode.PASS)

        assert await reader.readexactly(5) == b"heard"
        writer.close()


async def test_two_hands_may_put_back_one_cable() -> None:
    async with cable() as proxy:
        await proxy.set_mode(Mode.CUT)

        await asyncio.gather(proxy.set_mode(Mode.PASS), proxy.set_mode(Mode.PASS))

        assert await say(proxy, b"once") == b"once"


async def test_a_slow_cable_brings_it_later() -> None:
    async with cable() as proxy:
        await proxy.set_mode(Mode.DELAY, delay_seconds=A_WHILE)
        began = asyncio.get_running_loop().time()

        assert await say(proxy, b"slow") == b"slow"

        assert asyncio.get_running_loop().time() - began >= 2 * A_WHILE  # there and back


async def test_a_server_that_is_down_ends_the_connection() -> None:
    claims = await asyncio.to_thread(PortClaims)
    near, nobody = await asyncio.to_thread(claims.claim_many, 2)
    proxy = Proxy(port=near, target=nobody)
    await proxy.start()

    with pytest.raises(ConnectionResetError):
        await say(proxy, b"anybody there?")

    await proxy.close()
    await asyncio.to_thread(claims.close)


@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_that_comes_while_the_cable_is_taken_away_is_ended_too(turns: int) -> None:
    """However far the loop has come with it: one that was forgotten would be told of when it is collected."""
    async with cable() as proxy:
        comers = [socket.socket() for _ in range(8)]
        for comer in comers:
            comer.settimeout(0)
            comer.connect_ex(("127.0.0.1", proxy.port))
        for _ in range(turns):
            await asyncio.sleep(0)
        await proxy.close()
    for comer in comers:
        comer.close()

    gc.collect()  # a warning about a connection that is still open fails the test
