"""The rows of a durable create, made without any guard: what the floors put in, on either kind of database."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from renkei_chassis.database.engine import Database, Owner
from renkei_tips.store import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from renkei_chassis.database.postgresql.url import PostgresUrl

    Rows = Sequence[tuple[object, ...]]

_STATEMENTS: Final = (
    "INSERT INTO tip (id, version, state, category, case_reference, create_time_us, content) VALUES (?,1,1,2,'x',?,?)",
    "INSERT INTO tip_identifier (record_id, ordinal, type, search_key) VALUES (?,0,3,'renkei_demo_01')",
    "INSERT INTO renkei_request (request_id, hash, resource, version, time_us) VALUES (?,?,?,1,?)",
    """INSERT INTO renkei_event (sequence, event_id, origin_agency, time_us, type, resource, digest, erased, envelope)
    VALUES (?,?,'',?,'renkei.tips.v1.TipRecorded',?,?,?,?)""",
    "INSERT INTO renkei_payload (sequence, salt, data) VALUES (?,?,?)",
    "INSERT INTO renkei_pack (number, first_sequence, last_sequence) VALUES (?,?,?)",
)


def make_tables(where: Path | PostgresUrl) -> None:
    """Make the tables that the service has."""
    Database.open(where, owner=Owner(agency="agencies/jp-12", service="tips"), schema=SCHEMA).close()


class Groups:
    """Gives the rows of group after group, numbered as a log is."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self._sequence = self._pack = 0

    def rows(self, requests: Sequence[bytes]) -> list[tuple[str, Rows]]:
        """Give a statement for each table, and its rows: one of each for a request, one pack for all."""
        now = time.time_ns() // 1000
        first = self._sequence + 1
        self._sequence += len(requests)
        self._pack += 1
        ids = [os.urandom(16) for _ in requests]
        names = [f"agencies/jp-12/tips/{each.hex()}" for each in ids]
        numbers = range(first, self._sequence + 1)
        rows: list[Rows] = [
            [(key, now, request) for key, request in zip(ids, requests, strict=True)],
            [(key,) for key in ids],
            [(key, key + key, name, now) for key, name in zip(ids, names, strict=True)],
            [
                (number, key, now, name, key + key, False, b"")
                for number, key, name in zip(numbers, ids, names, strict=True)
            ],
            [(number, key, request) for number, key, request in zip(numbers, ids, requests, strict=True)],
            [(self._pack, first, self._sequence)],
        ]
        return list(zip(_STATEMENTS, rows, strict=True))
