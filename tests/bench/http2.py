"""A raw HTTP/2 client connection for unary gRPC: pre-encoded headers, one write for many calls, nothing else.

A Python gRPC client costs more than the server it calls, and so hides it.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

import hpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
_HEAD_BYTES: Final = 9
_MAX_FRAME: Final = 16_384
_LARGEST_FRAME: Final = 1 << 20  # that we take: counting what comes must not cost more than sending it
_MAX_WINDOW: Final = (1 << 31) - 1
_FIRST_WINDOW: Final = 65_535
_TOP_UP: Final = 1 << 29
_READ_BYTES: Final = 1 << 20
_INDEXED: Final = 0x80  # a header field that stands in the table has this bit, and changes nothing


class Http2Error(Exception):
    """The server ended the connection or said what we do not understand."""


class Connection:
    """One connection; `call` collects calls, `flush` sends them, `receive` gives what was answered."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        path: str,
        headers: Mapping[str, str],
        take: Callable[[int, bytes], None] | None = None,
    ) -> None:
        """Connect. `take` gets what the server sends, stream by stream and frame by frame."""
        self._take = take
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._first_block, self._block = _header_blocks(f"{host}:{port}", path, headers)
        self._next_stream = 1
        self._window = _FIRST_WINDOW
        self._out: list[bytes] = [
            _PREFACE,
            _frame(
                _SETTINGS,
                0,
                0,
                b"\0\x02\0\0\0\0"
                b"\0\x04" + _MAX_WINDOW.to_bytes(4, "big") + b"\0\x05" + _LARGEST_FRAME.to_bytes(4, "big"),
            ),
            _frame(_WINDOW_UPDATE, 0, 0, (_MAX_WINDOW - _FIRST_WINDOW).to_bytes(4, "big")),
        ]
        self._waiting: list[bytes] = []  # frames that the server's window does not hold yet
        self._taken = 0
        self._buffer = b""
        self._decoder = hpack.Decoder()
        self._known: dict[bytes, str] = {}  # trailers of indexed fields only, while the table stays as it is
        self.failures: list[str] = []

    def call(self, message: bytes) -> int:
        """Collect a call; returns its stream's number."""
        stream = self._next_stream
        self._next_stream += 2
        block = self._block if stream > 1 else self._first_block
        number = stream.to_bytes(4, "big")
        size = len(message)
        if size + 5 > _MAX_FRAME:
            raise ValueError("the message does not fit into one frame")
        frames = b"".join(
            (
                len(block).to_bytes(3, "big"), b"\x01\x04", number, block,
                (size + 5).to_bytes(3, "big"), b"\0\x01", number, b"\0", size.to_bytes(4, "big"), message,
            )
        )  # fmt: skip
        if self._waiting or self._window < size + 5:
            self._waiting.append(frames)
        else:
            self._window -= size + 5
            self._out.append(frames)
        return stream

    def flush(self) -> None:
        """Send what was collected."""
        if self._out:
            self.socket.sendall(b"".join(self._out))
            self._out.clear()

    def receive(self) -> Sequence[int]:
        """Read what is there, and give the streams that ended; `failures` tells how those ended that failed."""
        fresh = self.socket.recv(_READ_BYTES)
        if not fresh:
            raise Http2Error("the server closed the connection")
        self._taken += len(fresh)
        if self._taken > _TOP_UP:
            self._out.append(_frame(_WINDOW_UPDATE, 0, 0, self._taken.to_bytes(4, "big")))
            self._taken = 0
        ended: list[int] = []
        for kind, flags, stream, payload in self._frames(fresh):
            if kind == _HEADERS:
                status = self._status(payload, flags)
                if flags & _END_STREAM:
                    if status != "0":
                        self.failures.append(status)
                    ended.append(stream)
            elif kind == _DATA:
                if self._take is not None:
                    self._take(stream, payload)
            else:
                self._control(kind, flags, stream, payload, ended)
        return ended

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def _frames(self, fresh: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        buffer = self._buffer + fresh
        start, end = 0, len(buffer)
        while end - start >= _HEAD_BYTES:
            size = int.from_bytes(buffer[start : start + 3], "big")
            stop = start + _HEAD_BYTES + size
            if stop > end:
                break
            stream = int.from_bytes(buffer[start + 5 : start + 9], "big")
            yield buffer[start + 3], buffer[start + 4], stream, buffer[start + _HEAD_BYTES : stop]
            start = stop
        self._buffer = buffer[start:]

    def _status(self, block: bytes, flags: int) -> str:
        """Tell the gRPC status that a block of headers ends with; the table takes what it brings."""
        if flags & (_PADDED | _PRIORITY) or not flags & _END_HEADERS:
            raise Http2Error("headers of a form that we do not read")
        known = self._known.get(block)
        if known is not None:
            return known
        pure = min(block) >= _INDEXED
        if not pure:
            self._known.clear()
        found = dict(self._decoder.decode(block, raw=True))
        status = found.get(b"grpc-status", b"").decode()
        if status not in {"", "0"}:
            status = f"{status} {found.get(b'grpc-message', b'').decode()}"
        if pure:
            self._known[block] = status
        return status

    def _control(self, kind: int, flags: int, stream: int, payload: bytes, ended: list[int]) -> None:
        if kind == _SETTINGS and not flags & _ACK:
            self._out.append(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._out.append(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload, "big")
            self._send_waiting()
        elif kind == _RST_STREAM:
            self.failures.append(f"reset {int.from_bytes(payload, 'big')}")
            ended.append(stream)
        elif kind == _GOAWAY:
            raise Http2Error(f"the server said go away: {payload[8:]!r}")

    def _send_waiting(self) -> None:
        while self._waiting:
            frames = self._waiting[0]
            size = len(frames) - 2 * _HEAD_BYTES - len(self._block)
            if size > self._window:
                return
            self._window -= size
            self._out.append(self._waiting.pop(0))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _header_blocks(authority: str, path: str, headers: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Encode the headers of the first call, which go into the server's table, and of all that follow."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *headers.items(),
    ]
    encoder = hpack.Encoder()
    first = encoder.encode(fields)
    later = encoder.encode(fields)
    if encoder.encode(fields) != later or min(later) < _INDEXED:
        raise Http2Error("the headers do not fit into the table")
    return first, later
