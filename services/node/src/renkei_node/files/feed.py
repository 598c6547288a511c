"""Hand batches to one connection after another, and keep those that are not answered: the next one sends them again."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from renkei_files import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

    from renkei_node.files.reading import Batch

# So many messages may be on their way: the service works on one while the next ones are read.
_WINDOW: Final = 4


class Feed:
    """The batches of a file. gRPC draws requests in threads of its own; a connection that is gone draws no more."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        """Take the batches in the order of the file."""
        self._batches = batches
        self._drawing = threading.Lock()
        self._changed = threading.Condition()
        self._flight: deque[Batch] = deque()
        self._connection = 0
        self._at_end = False
        self.error: FileError | None = None
        """Why the file could not be read to its end; what came before it was given."""

    def connect(self) -> Iterator[Message]:
        """Give the requests of a new connection, first those that were never answered."""
        with self._drawing, self._changed:
            self._connection += 1
            connection = self._connection
            again = [batch.request for batch in self._flight if batch.request is not None]
            self._changed.notify_all()
        return self._requests(connection, again)

    def close(self) -> None:
        """Let no connection draw any more, and wait until the last one has: the file may be closed then."""
        with self._changed:
            self._connection += 1
            self._changed.notify_all()
        with self._drawing:
            return

    def answered(self) -> Iterator[Batch]:
        """Give the batches that are dealt with when the next answer comes: those without a request, and one with."""
        while True:
            with self._changed:
                batch = self._flight.popleft()
                self._changed.notify_all()
            yield batch
            if batch.request is not None:
                return

    def rest(self) -> Iterator[Batch]:
        """Give what is left behind the last answer. It holds no request, or answers are missing."""
        while self._flight and self._flight[0].request is None:
            yield self._flight.popleft()

    @property
    def is_done(self) -> bool:
        """Whether the whole file was drawn and every request answered."""
        return self._at_end and not self._flight

    def _requests(self, connection: int, again: list[Message]) -> Iterator[Message]:
        yield from again
        while (batch := self._draw(connection)) is not None:
            if batch.request is not None:
                yield batch.request

    def _draw(self, connection: int) -> Batch | None:
        with self._changed:
            self._changed.wait_for(lambda: self._connection != connection or len(self._flight) < _WINDOW)
        with self._drawing:
            if self._connection != connection or self._at_end:
                return None
            try:
                batch = next(self._batches, None)
            except FileError as error:
                self.error, batch = error, None
            with self._changed:
                if batch is None:
                    self._at_end = True
                else:
                    self._flight.append(batch)
            return batch
