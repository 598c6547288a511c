"""Log lines as JSON that cannot hold contents: closed field names, plain values, no `str()` of anything.

`log_event` takes fields from a closed list and only texts, numbers and truth values; a protobuf message, a list or an
exception is a TypeError. A text that is not printable ASCII is withheld: names and ids are ASCII, people's words are
not. An exception is logged by class and frames, never by its text, which quotes what it choked on. Of a line that a
library logs, only its first line *before* formatting is kept: the arguments might be anything.
"""

from __future__ import annotations

import functools
import json
import logging
import math
import re
import sys
import threading
import time
from collections import deque
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from renkei_chassis.telemetry.fields import FIELDS

if TYPE_CHECKING:
    from types import TracebackType


WITHHELD: Final = "(withheld)"
_MAX_TEXT: Final = 256
_MAX_MESSAGE: Final = 160
_MAX_FRAMES: Final = 20
_MAX_CHAIN: Final = 5
_QUEUED_LINES: Final = 10_000
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")
_MAX_NUMBER: Final = 1 << 63
_GATHER_SECONDS: Final = 0.02
_quote: Final = json.encoder.encode_basestring_ascii

Value = str | int | float | bool


class Lines(Protocol):
    """Where lines go: a stream, or a file that rotates."""

    def write(self, text: str, /) -> int:
        """Take whole lines."""
        ...

    def flush(self) -> None:
        """See that they are out."""
        ...


def log_event(
    logger: logging.Logger,
    message: str,
    *,
    level: int = logging.INFO,
    error: BaseException | None = None,
    **fields: Value,
) -> None:
    """Log one line. `message` is a constant of the source; whatever varies is a field.

    Raise TypeError for a field that is not on the list or not plain: such a line is a mistake in the code, and the
    first test that runs over it should say so.
    """
    if not logger.isEnabledFor(level):
        return
    parts = [f',"{name}":{_value(name, value)}' for name, value in fields.items()]
    told = "".join(parts)
    if _Writer.current is not None:
        _Writer.current.put(_line(time.time(), level, logger.name, message, told=told, error=error))
    else:
        logger.log(level, message, extra={"renkei_fields": told, "renkei_error": error})


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON, from `log_event` or from a library."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        told: str = getattr(record, "renkei_fields", "")
        error: BaseException | None = getattr(record, "renkei_error", None)
        if error is None and record.exc_info is not None:
            error = record.exc_info[1]
        return _line(record.created, record.levelno, record.name, record.msg, told=told, error=error)


class LineWriter(logging.Handler):
    """Hands lines to a thread that writes them, so that a slow disk or a full pipe never stops the event loop.

    The thread gathers for 20 ms before it writes. When it is 10,000 lines behind, lines are dropped and counted.
    """

    def __init__(self, stream: Lines) -> None:
        """Write to an open stream, which is not closed at the end."""
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._lines: deque[str] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Queue a line. Cheap: no lock is taken unless the thread sleeps."""
        if len(self._lines) >= _QUEUED_LINES:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line."""
        self.put(self.format(record))

    def close(self) -> None:
        """Write what is queued, then stop."""
        if _Writer.current is self:
            _Writer.current = None
        logging.getLogger().removeHandler(self)
        self._closing.set()
        self._wake.set()
        self._thread.join()
        super().close()

    def _write(self) -> None:
        while True:
            self._wake.wait()
            self._closing.wait(_GATHER_SECONDS)
            ending = self._closing.is_set()
            self._wake.clear()  # before the lines are taken: one that comes later wakes us again
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if lines:
                try:
                    self._stream.write("\n".join(lines) + "\n")
                    self._stream.flush()
                except (OSError, ValueError):  # a closed pipe: there is nobody left to tell
                    self.dropped += len(lines)
            if ending:
                return


class _Writer:
    """The writer that `configure` made: `log_event` goes to it straight, past the logging module's 20 µs."""

    current: ClassVar[LineWriter | None] = None


def configure(*, stream: Lines | None = None, level: int = logging.INFO) -> LineWriter:
    """Send the whole process's log to one stream (stderr unless told); close the answer at the end.

    Called once, by whoever owns the process. Handlers that are there already are taken off the root.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    writer = LineWriter(sys.stderr if stream is None else stream)
    writer.setFormatter(JsonFormatter())
    root.addHandler(writer)
    root.setLevel(level)
    _Writer.current = writer
    return writer


def _line(moment: float, level: int, logger: str, message: object, *, told: str, error: BaseException | None) -> str:
    failure = f',"error":{json.dumps(_chain(error))}' if error is not None else ""
    return (
        f'{{"time":"{_time(moment)}","level":"{logging.getLevelName(level)}","logger":{_quote(logger)},'
        f'"message":{_quote(_message(message))}{told}{failure}}}'
    )


def _value(name: str, value: Value) -> str:
    """Write a field's value as JSON, or raise TypeError when it is nothing that may be logged."""
    if isinstance(value, str):
        return _text(name, value)
    if name not in FIELDS:
        raise TypeError(f"{name!r} is not a field that may be logged")
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value) if abs(value) < _MAX_NUMBER else _quote(WITHHELD)
    if isinstance(value, float):
        return float.__repr__(value) if math.isfinite(value) else "null"
    raise TypeError(f"the field {name!r} may not be a {type(value).__name__}")


@functools.lru_cache(maxsize=4096)
def _text(name: str, value: str) -> str:
    """Write a text; the same few methods, codes and callers come again and again."""
    if name not in FIELDS:
        raise TypeError(f"{name!r} is not a field that may be logged")
    return _quote(value[:_MAX_TEXT] if _PRINTABLE.fullmatch(value, 0, _MAX_TEXT) else WITHHELD)


def _message(message: object) -> str:
    first = message.split("\n", 1)[0] if isinstance(message, str) else f"({type(message).__name__})"
    return first[:_MAX_MESSAGE] if _PRINTABLE.fullmatch(first, 0, _MAX_MESSAGE) else WITHHELD


def _time(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1e6):06d}Z"


@functools.lru_cache(maxsize=4)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


def _chain(error: BaseException) -> list[dict[str, object]]:
    """Tell an exception and what it came from, outermost first: classes and frames, no texts."""
    chain: list[dict[str, object]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(chain) < _MAX_CHAIN:
        seen.add(id(current))
        kind = type(current)
        told: dict[str, object] = {"class": f"{kind.__module__}.{kind.__qualname__}", "frames": _frames(current)}
        if isinstance(current, BaseExceptionGroup):
            told["members"] = [
                f"{type(one).__module__}.{type(one).__qualname__}" for one in current.exceptions[:_MAX_CHAIN]
            ]
        chain.append(told)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _frames(error: BaseException) -> list[str]:
    """Tell where it was raised, innermost last; a module's path is cut to its last three parts."""
    frames: list[str] = []
    step: TracebackType | None = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        place = "/".join(PurePath(code.co_filename).parts[-3:])
        frames.append(f"{place}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return frames[-_MAX_FRAMES:]
