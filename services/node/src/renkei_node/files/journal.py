"""Remember how far an import came, in a file beside its report, so that the same command goes on from there.

The journal is only ever behind: a row that it does not know is sent again under the same id, and recorded once.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self, TextIO

from renkei_files import REPORT_ENCODING, Report, ReportForm, Summary

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_VERSION: Final = 1
_SYNC_SECONDS: Final = 1.0
_MODE: Final = 0o600
# How a report begins in either form.
_FRONTS: Final = ("\ufeff行,列,".encode(), b'{"row": ', b'{"outcome": ')


class JournalError(Exception):
    """An import that cannot begin or go on with this report. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What has to be the same for an import to go on."""

    file: str
    collection: str
    agency: str
    profile: str
    form: ReportForm

    def line(self) -> dict[str, Any]:
        """Give the journal's first line."""
        return {
            "version": _VERSION,
            "file": self.file,
            "collection": self.collection,
            "agency": self.agency,
            "profile": self.profile,
            "form": self.form.value,
        }


class Journal:
    """A journal and its report, held by one process at a time. Use as a context manager."""

    def __init__(self, report: Path, identity: Identity) -> None:
        """Open both, or begin them. Raises JournalError where they belong to another file or another process."""
        self.path = report.with_name(f"{report.name}.journal")
        self._identity = identity
        self.through = 0
        """The last row that was dealt with."""
        self.done = False
        """Whether nothing is left to be sent."""
        self._synced = time.monotonic()
        self._file = self._begin(report)
        try:
            at, summary = self._read(report)
            self._report: BinaryIO = self._open(report)
        except BaseException:
            self._file.close()
            raise
        self._report.truncate(at)
        self._report.seek(at)
        encoding = REPORT_ENCODING if not at and identity.form is ReportForm.CSV else "utf-8"
        self._text: TextIO = io.TextIOWrapper(self._report, encoding=encoding, newline="")
        self.report = Report(self._text, identity.form, summary=summary if at else None)

    def told(self, through: int, *, done: bool = False) -> None:
        """Remember that every row up to this one is dealt with and stands in the report."""
        self._text.flush()
        self.through, self.done = through, done
        summary = self.report.summary
        line = {
            "row": through,
            "at": self._report.tell(),
            "rows": summary.rows,
            "taken": summary.taken,
            "refused": summary.refused,
            "problems": dict(summary.problems),
            "marks": dict(summary.marks),
            "done": done,
        }
        self._append(line)
        if done or time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._report.fileno())
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def __enter__(self) -> Self:
        """Give the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both files; what is in them stays."""
        self._text.close()
        self._file.close()

    def _begin(self, report: Path) -> BinaryIO:
        """Open the journal and hold it; only whoever holds it may say that the report is none of its own."""
        try:
            file = self._open(self.path, os.O_EXCL)
            is_new = True
        except FileExistsError:
            file, is_new = self._open(self.path), False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise JournalError(f"{self.path}: another import of this report is running") from None
        try:
            self._refuse_foreign(report, is_new=is_new, is_empty=not os.fstat(file.fileno()).st_size)
        except BaseException:
            file.close()
            raise
        return file

    def _refuse_foreign(self, report: Path, *, is_new: bool, is_empty: bool) -> None:
        if is_new and report.exists():
            self.path.unlink()
            raise _foreign(report)
        if is_empty:  # somebody else made it a moment ago, or was killed there
            refuse_foreign(report)

    @staticmethod
    def _open(path: Path, more: int = 0) -> BinaryIO:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | more, _MODE), "r+b")

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()

    def _read(self, report: Path) -> tuple[int, Summary]:
        """Find the last line whose report is there, and forget what stands behind it."""
        size = report.stat().st_size if report.exists() else 0
        first = self._file.readline()
        if not first.endswith(b"\n"):  # new, or killed before it was begun
            self._file.seek(0)
            self._file.truncate()
            self._append(self._identity.line())
            return 0, Summary()
        if _parsed(first) != self._identity.line():
            raise JournalError(
                f"{report} belongs to another file, profile or agency: name another report with --report"
            )
        good, last = self._file.tell(), None
        while (line := self._file.readline()).endswith(b"\n"):
            found = _parsed(line)
            if found is None or found["at"] > size:
                break
            good, last = self._file.tell(), found
        self._file.seek(good)
        self._file.truncate()
        if last is None:
            return 0, Summary()
        self.through, self.done = last["row"], last["done"]
        return last["at"], Summary(
            rows=last["rows"],
            taken=last["taken"],
            refused=last["refused"],
            problems=Counter(last["problems"]),
            marks=Counter(last["marks"]),
        )


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Read a line; None where a power cut left something else in its place."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def refuse_foreign(report: Path) -> None:
    """Raise JournalError where a file of that name is no report: a check writes its report anew."""
    try:
        with report.open("rb") as file:
            front = file.read(16)
    except FileNotFoundError:
        return
    if front and not front.startswith(_FRONTS):
        raise _foreign(report)


def _foreign(report: Path) -> JournalError:
    return JournalError(f"{report} exists and is no report of an import; name another with --report")
