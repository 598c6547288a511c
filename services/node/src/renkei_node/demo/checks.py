"""Check every claim from the outside, in the databases of every node: nothing lost, nothing where it must not be.

The journal says what was acknowledged. Each record must be at its origin, once at each agency that is to
hold it, at its grade, and nowhere else. What is in the bytes of files is the subject of `leaks`.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.expected import expected_leads
from renkei_node.demo.leaks import check_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from renkei_node.demo.federation import Member
    from renkei_node.demo.journal import Journal

_MESSAGES: Final[Mapping[str, type[Tip | Arrest]]] = {"tips": Tip, "arrests": Arrest}
_WORDS: Final = {"tips": "tip", "arrests": "arrest"}


@dataclass(slots=True)
class Findings:
    """What is wrong, one line each; empty is good. Records are named, never shown."""

    lost: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)


def check(members: Mapping[str, Member], journal: Journal) -> Findings:
    """Look at every node. Blocks, and reads every file of every node once."""
    findings = Findings()
    for code, member in members.items():
        for collection in _MESSAGES:
            _check_records(code, member, journal, collection, findings)
        _check_clocks(code, member, journal, findings)
        lost, leaked = check_bytes(code, member, journal)
        findings.lost += lost
        findings.leaked += leaked
    return findings


def check_leads(journal: Journal, shown: Mapping[str, Iterable[frozenset[str]]]) -> list[str]:
    """Compare the leads that each agency shows, as sets of records, with those that it must show."""
    wrong = []
    for code, leads in shown.items():
        there, expected = set(leads), expected_leads(journal, code)
        wrong += [f"{code} lacks the lead of {_words(records)}" for records in expected - there]
        wrong += [f"{code} shows a lead of {_words(records)}" for records in there - expected]
    return sorted(wrong)


def _words(records: frozenset[str]) -> str:
    return " and ".join(sorted(records))


def _check_records(code: str, member: Member, journal: Journal, collection: str, findings: Findings) -> None:
    entries = [entry for entry in journal if entry.collection == collection]
    own = {entry.name for entry in entries if entry.origin == code}
    expected = {entry.name: entry.audience[code] for entry in entries if code in entry.audience}
    kept, copies = _read(member.directory.data / f"{collection}.db", member.agency.name, collection)
    for name in sorted(own):
        if kept[name] != 1:
            findings.lost.append(f"{name} is {kept[name]} times at its origin")
    findings.leaked += [f"{code} holds {name} as its own" for name in sorted(kept.keys() - own)]
    for name, grade in expected.items():
        grades = copies.get(name, [])
        if len(grades) != 1:
            findings.lost.append(f"{code} holds {name} {len(grades)} times")
        elif grades[0] != grade:
            where = findings.leaked if grades[0] > grade else findings.lost
            where.append(f"{code} holds {name} at grade {grades[0]}")
    findings.leaked += [f"{code} holds {name}" for name in sorted(copies.keys() - expected.keys())]


def _check_clocks(code: str, member: Member, journal: Journal, findings: Findings) -> None:
    """Look for every acknowledged warning in the board of the arrest's own agency, and for its clocks nowhere else."""
    connection = sqlite3.connect(f"file:{member.directory.data / 'arrests.db'}?mode=ro", uri=True)
    try:
        for clock in journal.clocks:
            key = uuid.UUID(clock.arrest.rpartition("/")[2]).bytes
            rows = connection.execute("SELECT kind, level, acknowledger FROM arrest_clock WHERE record_id = ?", [key])
            found = rows.fetchall()
            if clock.arrest.startswith(f"{member.agency.name}/"):
                if (clock.kind, clock.level, clock.acknowledger) not in found:
                    findings.lost.append(f"{code} lacks the acknowledged warning of {clock.arrest}")
            elif found:
                findings.leaked.append(f"{code} holds a clock of {clock.arrest}")
    finally:
        connection.close()


def _read(database: Path, agency: str, collection: str) -> tuple[Counter[str], dict[str, list[int]]]:
    """Read own names, and the grades of copies by name, out of a database file that is in use."""
    word, message = _WORDS[collection], _MESSAGES[collection]
    copies: dict[str, list[int]] = {}
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        own = Counter(
            f"{agency}/{collection}/{uuid.UUID(bytes=number)}"
            for (number,) in connection.execute(f"SELECT id FROM {word}")  # noqa: S608 (one of two words)
        )
        for (content,) in connection.execute(f"SELECT content FROM {word}_copy"):  # noqa: S608 (the same)
            record = message.FromString(content)
            copies.setdefault(record.name, []).append(int(record.received_grade))
    finally:
        connection.close()
    return own, copies
