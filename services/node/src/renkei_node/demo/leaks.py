"""Look for planted markers in every byte that a node keeps or shows, whatever file it is in.

A record's text marker may be only where the record was ever to be in full, its home marker and the numbers
of address books only at its origin, its name only where any of it was ever to be. Of plans, neither words
nor name may be anywhere else. Each marker must also be *found* where it belongs: a search that finds
nothing proves nothing.

SQLite may split a text between two pages. Markers are proof against that (see `markers`); names and numbers
stand once, so every table of every database is read row by row as well.
"""

from __future__ import annotations

import http.client
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renkei_node.demo.journal import last_digits
from renkei_node.demo.markers import PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_node.demo.federation import Member
    from renkei_node.demo.journal import Journal

# Numbers of address books have a stretch of their own (identifiers.py); written as normal form or by hand.
_ADDRESS_BOOK: Final = re.compile(rb"(?:\+81|0)2049\d{6}|020-49\d{2}-\d{4}")
_NAME: Final = re.compile(
    rb"agencies/jp-[a-z0-9]{2,8}/(?:tips|arrests|personas)/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_SCRAPE_SECONDS: Final = 10.0
_SQLITE: Final = b"SQLite format 3\0"


def check_bytes(code: str, member: Member, journal: Journal) -> tuple[list[str], list[str]]:
    """Search one node; returns what is lost and what is leaked there, a line each."""
    marks = _Marks(journal)
    leaked: list[str] = []
    found: set[bytes] = set()
    for place, content in _everything(member):
        here = set(PATTERN.findall(content))
        found |= here
        leaked += [f"{what} is in {place} of {code}" for what in sorted(marks.strange(here, code))]
        names = {name.decode() for name in _NAME.findall(content)}
        leaked += [f"the name {name} is in {place} of {code}" for name in sorted(marks.strange_names(names, code))]
        numbers = {last_digits(number.decode()) for number in _ADDRESS_BOOK.findall(content)}
        leaked += [
            f"a number of an address book of {owner} is in {place} of {code}"
            for owner in sorted({journal.address_books.get(number, code) for number in numbers} - {code})
        ]
    return [f"the words of {name} are not at {code}" for name in sorted(marks.missing(found, code))], leaked


class _Marks:
    """Who may hold which marker and which name."""

    def __init__(self, journal: Journal) -> None:
        self._may_hold: dict[bytes, tuple[str, frozenset[str]]] = {}
        self._must_hold: dict[bytes, tuple[str, frozenset[str]]] = {}
        self._may_know: dict[str, frozenset[str]] = {}
        for entry in journal:
            origin = frozenset({entry.origin})
            text, home = entry.markers.text.encode(), entry.markers.home.encode()
            self._may_hold[text] = (entry.name, entry.ever_in_full | origin)
            self._may_hold[home] = (entry.name, origin)
            self._must_hold[text] = (entry.name, entry.ever_in_full | origin)
            self._must_hold[home] = (entry.name, origin)
            self._may_know[entry.name] = entry.ever | origin
        for name, markers in journal.plans.items():
            origin = frozenset({name.split("/")[1]})
            for marker in (markers.text, markers.home):
                self._may_hold[marker.encode()] = (name, origin)
                self._must_hold[marker.encode()] = (name, origin)
            self._may_know[name] = origin

    def strange(self, found: set[bytes], code: str) -> Iterator[str]:
        """Name what may not be here; a marker that nobody noted is strange everywhere."""
        for marker in found:
            name, holders = self._may_hold.get(marker, ("a record that was never acknowledged", frozenset()))
            if code not in holders:
                yield name

    def strange_names(self, names: set[str], code: str) -> Iterator[str]:
        """Name the records that may not even be known here."""
        nobody: frozenset[str] = frozenset()
        return (name for name in names if code not in self._may_know.get(name, nobody))

    def missing(self, found: set[bytes], code: str) -> set[str]:
        """Name the records whose words should be here and are not."""
        return {name for mark, (name, holders) in self._must_hold.items() if code in holders and mark not in found}


def _everything(member: Member) -> Iterator[tuple[str, bytes]]:
    """Give every file of a node, what it shows to a scrape, and its command lines."""
    for path in sorted(member.directory.path.rglob("*")):
        place = str(path.relative_to(member.directory.path))
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # a file of the moment
            continue
        if content.startswith(_SQLITE):
            content = b"\0".join([content, *_rows(path)])
        yield place, content
    yield "metrics", _scrape(member.ports.metrics)
    for process in member.processes():
        try:
            yield "a command line", Path(f"/proc/{process.pid}/cmdline").read_bytes()
        except OSError:  # it ended meanwhile, or this system has no /proc
            yield "a command line", "\0".join(process.info["cmdline"] or ()).encode()


def _rows(path: Path) -> Iterator[bytes]:
    """Give every row of every table, its values as they are written in the file."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f'SELECT * FROM "{table.decode()}"'):  # noqa: S608 (a name out of the schema)
                yield b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in row)


def _scrape(port: int) -> bytes:
    # Not urllib: a variable of the environment must not send this through somebody else's machine.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SCRAPE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ConnectionError(f"metrics answered {answer.status}")
    return content
