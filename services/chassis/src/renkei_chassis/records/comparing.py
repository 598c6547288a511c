"""Read two versions of an own record and give their differences in pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from renkei.policy.v1.differences_pb2 import FieldDifference, VersionNote

from renkei_chassis.database.pages import page_size
from renkei_chassis.records import own
from renkei_chassis.records.differences import Reading, compare
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE, no_such_version
from renkei_chassis.records.rules import denied, foreign_originator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.database.engine import Database
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.rpc.page_tokens import PageTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A page of differences, and the versions that differ."""

    differences: Sequence[FieldDifference]
    next_page_token: str
    earlier: VersionNote
    later: VersionNote


class Comparing:
    """Compares versions of own records of one kind."""

    def __init__(
        self, kind: RecordKind, reading: Reading, *, agency: str, database: Database, tokens: PageTokens
    ) -> None:
        """Take the kind, how its versions are read, whose records are own ones, and where they are."""
        self._kind = kind
        self._reading = reading
        self._agency = agency
        self._database = database
        self._tokens = tokens

    async def page(self, method: str, request: Message) -> Compared:
        """Compare as the request asks, which has `name`, `from_version`, `to_version` and a page.

        Raises DENIED, FOREIGN_ORIGINATOR for a copy, and NO_SUCH_VERSION. The token of a page holds the two versions,
        so that a correction between two pages leads nobody astray.
        """
        asked: Any = request
        agency, record_id = self._kind.parse(asked.name)
        if agency != self._agency:
            raise foreign_originator(agency)
        position = self._tokens.decode(method, request, asked.page_token)
        versions, start = (asked.from_version, asked.to_version), 0
        if position is not None:
            earlier, later, start = map(int, position)
            versions = earlier, later
        limit = page_size(asked.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        found, before, after = await self._database.read(partial(self._compare, record_id, *versions))
        end = start + limit
        token = ""
        if end < len(found):
            token = self._tokens.encode(method, request, [before.version, after.version, end])
        return Compared(differences=found[start:end], next_page_token=token, earlier=_note(before), later=_note(after))

    def _compare(
        self, record_id: UUID, earlier: int, later: int, connection: Connection
    ) -> tuple[list[FieldDifference], Record, Record]:
        row = own.find(connection, self._kind.tables, record_id)
        if row is None:
            raise denied(self._kind)
        later = later or row.version
        both = [self._version(connection, record_id, version, row.version) for version in (earlier or later - 1, later)]
        return list(compare(both[0], both[1], self._reading)), both[0], both[1]

    def _version(self, connection: Connection, record_id: UUID, version: int, last: int) -> Record:
        content = own.find_version(connection, self._kind.tables, record_id, version)
        if content is None:
            raise no_such_version(last)
        return self._kind.message.FromString(content)


def _note(record: Record) -> VersionNote:
    return VersionNote(
        version=record.version, time=record.update_time, recorder=record.recorder, reason=record.correction_reason
    )
