"""A client that is not ours: grpc-js under Node.js, driven line by line. What it does stands in grpc_js/client.js."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = Path(__file__).parent / "grpc_js"
MODULES: Final = ROOT / ".cache" / "grpc_js" / "node_modules"
REQUIRED: Final = "RENKEI_REQUIRE_NODE"
_LINE_BYTES: Final = 8 * 1024 * 1024


def require_node() -> str:
    """Give the path of Node.js, skip the test where it or its packages are missing, and fail where CI promised them."""
    node = shutil.which("node")
    if node is not None and (MODULES / "@grpc" / "grpc-js").is_dir():
        return node
    missing = "Node.js is not installed" if node is None else "the packages of tests/system/grpc_js are not installed"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{missing}, and {REQUIRED} is set")
    pytest.skip(f"{missing}; `make venv` installs the packages where it finds node and npm")


class Refused(Exception):  # noqa: N818 (a refusal is an answer)
    """What the client reports of a call that the node refused."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told["message"])
        self.code: str = told["code"]
        self.reason: str = told["reason"]
        self.metadata: Mapping[str, str] = told["metadata"]
        self.violations: Sequence[Mapping[str, str]] = told["violations"]
        self.everything = json.dumps(told, ensure_ascii=False)


@dataclass(slots=True, kw_only=True)
class GrpcJs:
    """The running client. `used` holds every method that gave an answer, as `service/method`."""

    process: asyncio.subprocess.Process
    used: set[str] = field(default_factory=set)
    _waiting: dict[int, asyncio.Queue[dict[str, Any] | None]] = field(default_factory=dict)
    _ids: Any = field(default_factory=itertools.count)

    async def call(self, address: str, path: str, request: Mapping[str, Any], **options: Any) -> Any:  # noqa: ANN401
        """Call a method once; raises Refused. Options: token, seconds, tries."""
        return await self._only(address, path, "call", {"request": request, "options": options})

    async def bytes(self, address: str, path: str, raw: bytes, **options: Any) -> bytes:  # noqa: ANN401
        """Send bytes as they are."""
        sent = base64.b64encode(raw).decode()
        return base64.b64decode(await self._only(address, path, "bytes", {"bytes": sent, "options": options}))

    def pages(
        self,
        address: str,
        path: str,
        request: Mapping[str, Any],
        **options: Any,  # noqa: ANN401
    ) -> AsyncGenerator[Any]:
        """Give the pages of a listing."""
        return self._many(address, path, "pages", {"request": request, "options": options})

    def watch(
        self,
        address: str,
        path: str,
        request: Mapping[str, Any],
        **options: Any,  # noqa: ANN401
    ) -> AsyncGenerator[Any]:
        """Give the answers of a watch, until it is closed."""
        return self._many(address, path, "watch", {"request": request, "options": options})

    def load(
        self,
        address: str,
        path: str,
        request: Mapping[str, Any],
        **options: Any,  # noqa: ANN401
    ) -> AsyncGenerator[Any]:
        """Load rows; gives what came of each."""
        return self._many(address, path, "load", {"request": request, "options": options})

    async def _only(self, address: str, path: str, op: str, more: Mapping[str, Any]) -> Any:  # noqa: ANN401
        async with aclosing(self._many(address, path, op, more)) as answers:
            async for answer in answers:
                return answer
        raise AssertionError("it ended without an answer")

    async def _many(self, address: str, path: str, op: str, more: Mapping[str, Any]) -> AsyncGenerator[Any]:
        service, method = path.split("/")
        number = next(self._ids)
        answers = self._waiting[number] = asyncio.Queue()
        ended = False
        await self._send({"id": number, "op": op, "address": address, "service": service, "method": method, **more})
        try:
            while True:
                answer = await answers.get()
                if answer is None:
                    ended = True
                    raise AssertionError(f"the client ended with status {await self.process.wait()}")
                if "item" not in answer:
                    ended = True
                    if "error" in answer:
                        raise Refused(answer["error"])
                    return
                self.used.add(path)
                yield answer["item"]
        finally:
            if not ended:
                await self._send({"op": "cancel", "target": number})
            del self._waiting[number]

    async def _send(self, command: Mapping[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        await self.process.stdin.drain()

    async def listen(self) -> None:
        """Hand every line to whom it is for."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            answer = json.loads(line)
            if (queue := self._waiting.get(answer["id"])) is not None:
                queue.put_nowait(answer)
        for queue in self._waiting.values():
            queue.put_nowait(None)


@asynccontextmanager
async def grpc_js() -> AsyncIterator[GrpcJs]:
    """Run the client."""
    node = await asyncio.to_thread(require_node)
    process = await asyncio.create_subprocess_exec(
        node,
        str(FOLDER / "bridge.js"),
        str(ROOT / "proto"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(MODULES)},
        limit=_LINE_BYTES,
    )
    client = GrpcJs(process=process)
    listening = asyncio.create_task(client.listen())
    try:
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening
