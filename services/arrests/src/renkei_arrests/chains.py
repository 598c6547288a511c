"""Re-arrests: each follows an earlier arrest of the same person, restrained before. No chain meets itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.arrests.v1.chains_pb2 import ChainedArrest, ListArrestChainRequest, ListArrestChainResponse
from sqlalchemy import and_, null, select

from renkei_arrests.store import CHAINS, TABLES
from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE
from renkei_chassis.records.rules import denied
from renkei_chassis.records.times import to_us
from renkei_chassis.rpc.methods import Call, ReadMethod

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.kind import RecordKind
    from renkei_chassis.rpc.methods import Method
    from renkei_chassis.rpc.page_tokens import PageTokens

    Key = tuple[str, bytes]
    """Agency and id of an arrest."""

_AT_ONCE: Final = 500
_NEVER: Final = null().label("delete_time_us")


def stored(transaction: Transaction, record_id: bytes, arrest: Arrest) -> None:
    """Have the link say what this version says.

    Raises EARLIER_ARREST_UNKNOWN for a new link to what is not here, and CHAIN_CONTRADICTORY where this version does
    not fit to its neighbours. A link that stands stays, whatever became of the earlier record.
    """
    wanted = _key(arrest.earlier_arrest) if arrest.earlier_arrest else None
    columns = CHAINS.c
    before = None
    if arrest.version > 1:
        row = transaction.first(select(CHAINS).where(columns.record_id == record_id))
        before = None if row is None else (row.earlier_agency, bytes(row.earlier_id))
        for later in _followers(transaction, _agency(arrest.name), record_id):
            _refuse_contradiction(arrest, later)
    if wanted is not None:
        _check_link(transaction, arrest, wanted, is_new=wanted != before)
    if wanted == before:
        return
    if before is not None:
        transaction.execute(CHAINS.delete().where(CHAINS.c.record_id == record_id))
    if wanted is not None:
        agency, earlier_id = wanted
        transaction.insert(CHAINS, {"record_id": record_id, "earlier_agency": agency, "earlier_id": earlier_id})


def _check_link(transaction: Transaction, arrest: Arrest, wanted: Key, *, is_new: bool) -> None:
    own_agency = _agency(arrest.name)
    earlier = _earlier(transaction, wanted, own_agency=own_agency)
    if earlier is None:
        if is_new:
            raise FailedPrecondition(
                "EARLIER_ARREST_UNKNOWN",
                "arrest.earlier_arrest names nothing that is here and can be read by the caller",
                metadata={"field": "arrest.earlier_arrest"},
            )
    # What another agency corrects later must not keep ours from being corrected, disposed of or brought back.
    elif is_new or wanted[0] == own_agency:
        _refuse_contradiction(earlier, arrest)


def _followers(transaction: Transaction, agency: str, record_id: bytes) -> Iterator[Arrest]:
    columns, records = CHAINS.c, TABLES.records.c
    following = (
        select(records.content)
        .join(CHAINS, columns.record_id == records.id)
        .where(columns.earlier_agency == agency, columns.earlier_id == record_id)
    )
    for row in transaction.execute(following).all():
        yield Arrest.FromString(row.content)


def _earlier(transaction: Transaction, key: Key, *, own_agency: str) -> Arrest | None:
    agency, record_id = key
    if agency == own_agency:
        columns = TABLES.records.c
        asked = select(columns.content).where(columns.id == record_id, columns.delete_time_us.is_(None))
    else:
        copied = TABLES.copies.c
        asked = select(copied.content).where(and_(copied.id == record_id, copied.agency == agency))
    row = transaction.first(asked)
    return None if row is None else Arrest.FromString(row.content)


def _refuse_contradiction(earlier: Arrest, later: Arrest) -> None:
    """Refuse two neighbours of which the second was not restrained after the first, or was born on another day.

    Names are no reason: they are spelled in many ways, and change. Where a copy says neither, nothing can be told.
    """
    wrong = ""
    if earlier.HasField("restraint_time") and to_us(earlier.restraint_time) >= to_us(later.restraint_time):
        wrong = "restraint_time"
    elif earlier.person.birth_date and later.person.birth_date and earlier.person.birth_date != later.person.birth_date:
        wrong = "birth_date"
    if wrong:
        raise FailedPrecondition(
            "CHAIN_CONTRADICTORY",
            f"by {wrong} the two arrests cannot follow on each other",
            metadata={"field": "arrest.earlier_arrest", "contradiction": wrong},
        )


class Chains:
    """The method that lists a chain."""

    def __init__(self, kind: RecordKind, *, agency: str, database: Database, tokens: PageTokens) -> None:
        """Take the kind of arrests, whose records are own ones, and where they are."""
        self._kind = kind
        self._agency = agency
        self._database = database
        self._tokens = tokens

    def methods(self) -> Mapping[str, Method]:
        """Give the method of ArrestsService."""
        return {"ListArrestChain": ReadMethod(answer=self._list)}

    async def _list(self, request: ListArrestChainRequest, call: Call) -> ListArrestChainResponse:
        del call
        agency, record_id = self._kind.parse(request.name)
        position = self._tokens.decode("ListArrestChain", request, request.page_token)
        limit = page_size(request.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        after = None if position is None else (int(position[0]), str(position[1]), bytes.fromhex(position[2]))
        shown, more = await self._database.read(partial(self._page, (agency, record_id.bytes), after, limit))
        token = ""
        if more:
            (last_agency, last_id), depth = _key(shown[-1].name), shown[-1].depth
            token = self._tokens.encode("ListArrestChain", request, [depth, last_agency, last_id.hex()])
        return ListArrestChainResponse(arrests=shown, next_page_token=token)

    def _page(
        self, key: Key, after: tuple[int, str, bytes] | None, limit: int, connection: Connection
    ) -> tuple[list[ChainedArrest], bool]:
        if _content(connection, key, self._agency) is None:
            raise denied(self._kind)
        chain = [
            (depth, agency, record_id, earlier)
            for depth, level in enumerate(self._levels(connection, self._first(connection, key)))
            for (agency, record_id), earlier in sorted(level.items())
        ]
        rest = [entry for entry in chain if after is None or entry[:3] > after]
        shown = [
            _shown(connection, depth, (agency, record_id), earlier, self._agency)
            for depth, agency, record_id, earlier in rest[:limit]
        ]
        return shown, len(rest) > limit

    def _first(self, connection: Connection, key: Key) -> Key:
        """Go back to the first arrest. Each is before the next, so this ends."""
        columns = CHAINS.c
        while key[0] == self._agency:
            row = connection.execute(select(CHAINS).where(columns.record_id == key[1])).first()
            if row is None:
                break
            key = row.earlier_agency, bytes(row.earlier_id)
        return key

    def _levels(self, connection: Connection, first: Key) -> Iterator[dict[Key, Key | None]]:
        """Give the arrests by how many come before them, each with the one that it follows."""
        columns = CHAINS.c
        level: dict[Key, Key | None] = {first: None}
        while level:
            yield level
            keys = list(level)
            level = {}
            for start in range(0, len(keys), _AT_ONCE):
                some = {record_id: (agency, record_id) for agency, record_id in keys[start : start + _AT_ONCE]}
                for row in connection.execute(select(CHAINS).where(columns.earlier_id.in_(list(some)))):
                    earlier = some[bytes(row.earlier_id)]
                    if earlier[0] == row.earlier_agency:
                        level[self._agency, bytes(row.record_id)] = earlier


def _shown(connection: Connection, depth: int, key: Key, earlier: Key | None, own_agency: str) -> ChainedArrest:
    chained = ChainedArrest(name=_name(key), depth=depth, earlier_arrest="" if earlier is None else _name(earlier))
    row = _content(connection, key, own_agency)
    if row is None or row.delete_time_us is not None:
        chained.gone = True
        return chained
    arrest = Arrest.FromString(row.content)
    chained.case_reference = arrest.case_reference
    if arrest.HasField("restraint_time"):
        chained.restraint_time.CopyFrom(arrest.restraint_time)
    return chained


def _content(connection: Connection, key: Key, own_agency: str) -> Row[Any] | None:
    agency, record_id = key
    records, copied = TABLES.records.c, TABLES.copies.c
    asked: Select[Any] = select(records.content, records.delete_time_us).where(records.id == record_id)
    if agency != own_agency:
        asked = select(copied.content, _NEVER).where(and_(copied.id == record_id, copied.agency == agency))
    return connection.execute(asked).first()


def _key(name: str) -> Key:
    parts: Sequence[str] = name.split("/")
    return f"agencies/{parts[1]}", UUID(parts[3]).bytes


def _name(key: Key) -> str:
    agency, record_id = key
    return f"{agency}/arrests/{UUID(bytes=record_id)}"


def _agency(name: str) -> str:
    return _key(name)[0]
