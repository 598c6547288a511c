"""A real nats-server of one agency: its own services in one account, each peer walled off in another."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from renkei_chassis.courier import LANES, agency_token, lane_shape, peer_inbox_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BINARY = Path(sysconfig.get_path("scripts")) / "nats-server"
_CONFIGURATION = """
listen: "127.0.0.1:{port}"
server_name: "{code}"
max_payload: 524288
jetstream {{ store_dir: "{store}", max_memory_store: 16MB, max_file_store: 8GB }}
accounts {{
  LOCAL: {{ jetstream: enabled, users: [ {{ nkey: {key} }} ], exports: [ {exports} ] }}
  {peers}
}}
"""


class NatsServer:
    """One agency's server, to be started, killed and wiped at will."""

    def __init__(self, directory: Path, *, code: str, port: int, key: str, peers: Mapping[str, str]) -> None:
        """Take the public key of the agency's services, and the peers' public keys by their codes."""
        self.directory = directory
        self.port = port
        self._text = _CONFIGURATION.format(
            port=port,
            code=code,
            store=directory / "store",
            key=key,
            exports=", ".join(_exports(peer) for peer in peers),
            peers="\n".join(_account(peer, public) for peer, public in peers.items()),
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        await asyncio.to_thread(self._start)
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, 15)

    async def wipe(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self.directory / "store", ignore_errors=True)

    def _start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "nats.conf"
        path.write_text(self._text, encoding="utf-8")
        with (self.directory / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([_BINARY, "-c", path], stdout=log, stderr=log)


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something to become true, and fail if it does not."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what is waited for is in several processes)
            await asyncio.sleep(0.005)


def _subjects(peer: str) -> list[tuple[str, str]]:
    found = []
    for lane in LANES:
        stream = lane_shape(peer, lane).name
        found.append((f"$JS.API.CONSUMER.MSG.NEXT.{stream}.feed", ", response_type: stream"))
        found.append((f"$JS.ACK.{stream}.feed.>", ""))
    return found


def _exports(peer: str) -> str:
    account = f"P_{agency_token(peer)}"
    return ", ".join(f'{{ service: "{subject}", accounts: [{account}]{kind} }}' for subject, kind in _subjects(peer))


def _account(peer: str, public: str) -> str:
    subjects = [subject for subject, _ in _subjects(peer)]
    allowed = ", ".join(f'"{subject}"' for subject in subjects)
    imports = ", ".join(f'{{ service: {{ account: LOCAL, subject: "{subject}" }} }}' for subject in subjects)
    return f"""P_{agency_token(peer)}: {{
    users: [ {{ nkey: {public}, permissions: {{
      publish: {{ allow: [{allowed}] }}, subscribe: {{ allow: ["{peer_inbox_prefix(peer)}.>"] }} }} }} ]
    imports: [ {imports} ]
  }}"""
