"""Agencies without a node: each answers ReadLane with an empty lane, and takes and acknowledges over NATS what comes.

`python -m tests.bench.light_peers FILE`; the file says who they are.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
from renkei.exchange.v1 import exchange_pb2

from renkei_chassis.courier import (
    FEED,
    LANES,
    Connection,
    Endpoint,
    Receiver,
    lane_shape,
    peer_inbox_prefix,
    user_key_from_seed,
)
from renkei_node.demo.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.courier import Message

_SERVICE: Final = "renkei.exchange.v1.ExchangeService"
_EPOCH: Final = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class LightPeer:
    """One of them: its code, its key at the real agency's nats-server, and where it is asked."""

    code: str
    seed: str
    exchange_port: int
    nats_port: int
    """Leads to a nats-server that they share: the streams for the real agency are there, and empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """All of them, around one real agency."""

    nats_url: str
    """The real agency's."""
    shared_nats_port: int
    peers: Sequence[LightPeer]

    def save(self, path: Path) -> None:
        """Write it down; it holds keys."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Neighbourhood:
        """Read what was written."""
        found: dict[str, Any] = json.loads(path.read_text())
        return cls(**{**found, "peers": [LightPeer(**peer) for peer in found["peers"]]})


async def _read_lane(_request: bytes, _context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
    """Have nothing for anybody."""
    return exchange_pb2.ReadLaneResponse(epoch=_EPOCH).SerializeToString()


async def _take(messages: Sequence[Message]) -> int:
    return messages[-1].number


async def _run(peer: LightPeer, nats_url: str) -> None:
    endpoint = Endpoint(
        url=nats_url, key=user_key_from_seed(peer.seed), name=peer.code, inbox_prefix=peer_inbox_prefix(peer.code)
    )
    connection = Connection(endpoint)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(connection.run())
        for lane in LANES:
            stream = lane_shape(peer.code, lane).name
            receiver = Receiver(connection, stream=stream, durable=FEED, on_messages=_take, may_create=False)
            tasks.create_task(receiver.run())


async def main(path: Path) -> None:
    """Be all of them until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    around = await asyncio.to_thread(Neighbourhood.load, path)
    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {"ReadLane": grpc.unary_unary_rpc_method_handler(_read_lane)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    for peer in around.peers:
        server.add_insecure_port(f"127.0.0.1:{peer.exchange_port}")
    async with AsyncExitStack() as running:
        for peer in around.peers:
            proxy = Proxy(port=peer.nats_port, target=around.shared_nats_port)
            await proxy.start()
            running.push_async_callback(proxy.close)
        takers = [asyncio.create_task(_run(peer, around.nats_url)) for peer in around.peers]
        await server.start()
        running.push_async_callback(server.stop, 0)
        await stop.wait()
        for taker in takers:
            taker.cancel()
        await asyncio.gather(*takers, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
