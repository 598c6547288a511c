"""A floor: the least that a grpc.aio server can do. It gives back the bytes that came."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any, Final

import grpc

SERVICE: Final = "bench.Echo"
PATH: Final = f"/{SERVICE}/Echo"


async def echo(request: bytes, _context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
    """Give back what came."""
    return request


async def main(port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await stop.wait()
    await server.stop(1)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
