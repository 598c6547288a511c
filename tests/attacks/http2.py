"""A raw HTTP/2 client that does what no library would: frames of its own making, at its own pace."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_HEADERS: Final = 4
_READ: Final = 64 * 1024
_FRAME: Final = 16_000


def message(raw: bytes, *, compressed: bool = False) -> bytes:
    """Frame a message as gRPC does."""
    return bytes([compressed]) + len(raw).to_bytes(4, "big") + raw


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """Make a frame of HTTP/2, whatever the rules say about it."""
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def literal(name: str, value: str) -> bytes:
    """Write a header that touches no table."""
    return b"\x00" + _length(name) + name.encode() + _length(value) + value.encode()


def _length(text: str) -> bytes:
    length = len(text)
    if length < 127:
        return bytes([length])
    length -= 127
    made = bytearray([127])
    while length >> 7:
        made.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*made, length])


class Answer:
    """What came back on one stream."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.data = bytearray()
        self.reset: int | None = None
        self.ended = asyncio.Event()

    def everything(self) -> str:
        """Give all that was told, the details decoded."""
        text = self.headers.get("grpc-status-details-bin", "")
        details = base64.b64decode(text + "=" * (-len(text) % 4))
        return " ".join([*self.headers.values(), repr(details), repr(bytes(self.data))])

    @property
    def status(self) -> int | None:
        """The gRPC status; None where none came."""
        text = self.headers.get("grpc-status")
        return None if text is None else int(text)

    @property
    def reason(self) -> str:
        """Our reason for a refusal; empty where the transport refused."""
        text = self.headers.get("grpc-status-details-bin", "")
        info = ErrorInfo()
        for detail in Status.FromString(base64.b64decode(text + "=" * (-len(text) % 4))).details:
            detail.Unpack(info)
        return info.reason


class Raw:
    """One connection. Reads and answers settings and pings as it should, unless told not to read."""

    def __init__(self, address: str, token: str = "", *, window: int | None = None) -> None:
        self.address = address
        self.token = token
        self.answers: dict[int, Answer] = {}
        self.gone = asyncio.Event()
        self.goaway: int | None = None
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.on_answer: Callable[[Answer], None] = lambda _: None
        self._window = window
        self._moved = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        host, _, port = self.address.rpartition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))
        self.h2.initiate_connection()
        # No block of headers leans on one before it, so that what h2 made can be thrown away for something of ours.
        self.h2.encoder.header_table_size = 0
        if self._window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: self._window})
        await self.flush()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def flush(self) -> None:
        """Send what h2 has to send."""
        with suppress(OSError):
            self.writer.write(self.h2.data_to_send())
            await self.writer.drain()

    async def open(self, path: str, *more: tuple[str, str], end: bool = False) -> int:
        """Begin a call; returns its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = Answer()
        self.on_answer(self.answers[stream])
        self.h2.send_headers(stream, [*self.call_headers(path), *more], end_stream=end)
        await self.flush()
        return stream

    async def burst(self, path: str, more: Iterable[tuple[str, str]], count: int, *, then: bytes = b"") -> list[int]:
        """Begin many calls at once, with headers past all rules, and some bytes of a request for each."""
        block = self.block(path, *more)
        parts = [block[first : first + _FRAME] for first in range(0, len(block), _FRAME)]
        streams = []
        for _ in range(count):
            stream = self.h2.get_next_available_stream_id()
            self.answers[stream] = Answer()
            self.on_answer(self.answers[stream])
            self.h2.send_headers(stream, self.call_headers(path))
            self.h2.clear_outbound_data_buffer()
            for index, part in enumerate(parts):
                flags = END_HEADERS if index == len(parts) - 1 else 0
                self.writer.write(frame(CONTINUATION if index else HEADERS, flags, stream, part))
            if then:
                self.writer.write(frame(DATA, 0, stream, then))
            streams.append(stream)
            if not len(streams) % 20:
                await self.writer.drain()
        await self.writer.drain()
        return streams

    def block(self, path: str, *more: tuple[str, str]) -> bytes:
        """Write the headers of a call, for frames of one's own."""
        return b"".join(literal(name, value) for name, value in (*self.call_headers(path), *more))

    def call_headers(self, path: str) -> list[tuple[str, str]]:
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", f"/{path}"),
            (":authority", self.address),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        return [*headers, ("authorization", f"Bearer {self.token}")] if self.token else headers

    async def send(self, stream: int, raw: bytes, *, end: bool = False) -> None:
        """Send bytes as fast as the other side lets us."""
        view = memoryview(raw)
        while view and not self.gone.is_set() and not self.answers[stream].ended.is_set():
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(view))
            if room == 0:
                self._moved.clear()
                await self._moved.wait()
                continue
            self.h2.send_data(stream, bytes(view[:room]))
            view = view[room:]
            await self.flush()
        if end and not self.answers[stream].ended.is_set() and not self.gone.is_set():
            self.h2.end_stream(stream)
            await self.flush()

    async def call(self, path: str, raw: bytes, *more: tuple[str, str], compressed: bool = False) -> Answer:
        """Call a method once and wait for what comes of it."""
        stream = await self.open(path, *more)
        await self.send(stream, message(raw, compressed=compressed), end=True)
        return await self.answer(stream)

    async def answer(self, stream: int) -> Answer:
        """Wait until a stream, or the whole connection, has ended."""
        answer = self.answers[stream]
        await answer.ended.wait()
        return answer

    async def raw(self, frames: Iterable[bytes]) -> None:
        """Write bytes past all rules, until the other side hangs up."""
        with suppress(OSError):
            for frame in frames:
                self.writer.write(frame)
                await self.writer.drain()

    def stop_reading(self) -> None:
        """Leave what the other side sends in the kernel's buffers."""
        assert self._reading is not None
        self._reading.cancel()

    async def _read(self) -> None:
        try:
            while data := await self.reader.read(_READ):
                for event in self.h2.receive_data(data):
                    self._take(event)
                await self.flush()
                self._moved.set()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        self._end()

    def _end(self) -> None:
        self.gone.set()
        self._moved.set()
        for answer in self.answers.values():
            answer.ended.set()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                if (answer := self.answers.get(event.stream_id)) is not None:
                    answer.headers.update((str(name), str(value)) for name, value in event.headers)
            case h2.events.DataReceived():
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if (answer := self.answers.get(event.stream_id)) is not None:
                    answer.data += event.data
            case h2.events.StreamEnded() | h2.events.StreamReset():
                if (answer := self.answers.get(event.stream_id)) is not None:
                    if isinstance(event, h2.events.StreamReset):
                        answer.reset = int(event.error_code)
                    answer.ended.set()
            case h2.events.ConnectionTerminated():
                self.goaway = int(event.error_code or 0)
                self._end()
            case _:
                pass
