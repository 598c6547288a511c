"""Check every claim from the outside, in the databases and files of every node: nothing lost, nothing leaked.

The journal says what was acknowledged. Each record must be at its origin, once at each agency that is to
hold it, at its grade, and nowhere else. Its text marker may be in no byte of a node that never was to have
it in full, its home marker and the numbers of address books in no byte of any other node at all. A marker
that SQLite happens to split between two pages is not seen; there are thousands of others.
"""

from __future__ import annotations

import re
import sqlite3
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.markers import PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from renkei_node.demo.federation import Member
    from renkei_node.demo.journal import Entry, Journal

# Numbers of address books have a stretch of their own (identifiers.py); written as normal form or by hand.
_ADDRESS_BOOK: Final = re.compile(rb"(?:\+81|0)2049\d{6}|020-49\d{2}-\d{4}")
_MESSAGES: Final[Mapping[str, type[Tip | Arrest]]] = {"tips": Tip, "arrests": Arrest}
_WORDS: Final = {"tips": "tip", "arrests": "arrest"}


@dataclass(slots=True)
class Findings:
    """What is wrong, one line each; empty is good."""

    lost: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)


def check(members: Mapping[str, Member], journal: Journal) -> Findings:
    """Look at every node. Blocks, and reads every file of every node once."""
    findings = Findings()
    for code, member in members.items():
        for collection in _MESSAGES:
            _check_records(code, member, journal, collection, findings)
        _check_bytes(code, member, journal, findings)
    return findings


def _check_records(code: str, member: Member, journal: Journal, collection: str, findings: Findings) -> None:
    entries = [entry for entry in journal if entry.collection == collection]
    own = {entry.name for entry in entries if entry.origin == code}
    expected = {entry.name: entry.audience[code] for entry in entries if code in entry.audience and not entry.deleted}
    database = member.directory.data / f"{collection}.db"
    kept, copies = _read(database, member.agency.name, collection)
    findings.lost += [f"{name} is not at its origin" for name in own - set(kept)]
    findings.lost += [f"{name} is {kept.count(name)} times at its origin" for name in own if kept.count(name) > 1]
    for name, grade in expected.items():
        grades = [held for held_name, held in copies if held_name == name]
        if len(grades) != 1:
            findings.lost.append(f"{code} holds {name} {len(grades)} times")
        elif grades[0] != grade:
            (findings.leaked if grades[0] > grade else findings.lost).append(
                f"{code} holds {name} at grade {grades[0]}"
            )
    findings.leaked += [f"{code} holds {name}" for name, _ in copies if name not in expected]


def _read(database: Path, agency: str, collection: str) -> tuple[list[str], list[tuple[str, int]]]:
    """Read own names, and (name, grade) of copies, out of a database file that is in use."""
    word, message = _WORDS[collection], _MESSAGES[collection]
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        own = [
            f"{agency}/{collection}/{uuid.UUID(bytes=number)}"
            for (number,) in connection.execute(f"SELECT id FROM {word}")  # noqa: S608 (one of two words)
        ]
        copies = [
            (record.name, int(record.received_grade))
            for (content,) in connection.execute(f"SELECT content FROM {word}_copy")  # noqa: S608 (the same)
            for record in (message.FromString(content),)
        ]
    finally:
        connection.close()
    return own, copies


def _check_bytes(code: str, member: Member, journal: Journal, findings: Findings) -> None:
    owners = _owners(journal)
    for place, content in _everything(member):
        for found in set(PATTERN.findall(content)):
            entry, at_home_only = owners[found]
            entitled = code == entry.origin or (not at_home_only and code in entry.ever)
            if not entitled:
                findings.leaked.append(f"{entry.name} is in {place} of {code}")
        for number in set(_ADDRESS_BOOK.findall(content)):
            owner = journal.address_books.get(_digits(number))
            if owner is not None and owner != code:
                findings.leaked.append(f"a number of an address book of {owner} is in {place} of {code}")


def _owners(journal: Journal) -> dict[bytes, tuple[Entry, bool]]:
    owners: dict[bytes, tuple[Entry, bool]] = {}
    for entry in journal:
        owners[entry.markers.text.encode()] = (entry, False)
        owners[entry.markers.home.encode()] = (entry, True)
    return owners


def _digits(number: bytes) -> str:
    """Give the last nine digits, in which every spelling of a number agrees."""
    return "".join(character for character in number.decode() if character.isdigit())[-9:]


def _everything(member: Member) -> Iterator[tuple[str, bytes]]:
    """Give every file of a node, what it shows to a scrape, and its command lines."""
    for path in sorted(member.directory.path.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(member.directory.path)), path.read_bytes()
    with urllib.request.urlopen(f"http://127.0.0.1:{member.ports.metrics}/metrics", timeout=10) as answer:
        yield "metrics", answer.read()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if str(member.directory.path).encode() in command:
            yield "a command line", command
