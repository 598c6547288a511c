"""Sealed blocks: people apart from arrest records, in no event, and opened only with a reason that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from renkei.arrests.v1 import sealed_pb2
from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.arrests.v1.sealed_pb2 import PersonBlock, SealedBlock, SealedContent, SealedOpening
from sqlalchemy import and_, select

from renkei_arrests.record import ARRESTS
from renkei_arrests.store import OPENINGS, SEALED
from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument
from renkei_chassis.ids import uuid7
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE
from renkei_chassis.records.rules import denied, foreign_originator
from renkei_chassis.records.times import set_us
from renkei_chassis.resource_names import AGENCY, Pattern
from renkei_chassis.rpc.methods import ReadMethod

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row, Select

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.rpc.methods import Call, Method
    from renkei_chassis.rpc.page_tokens import PageTokens

SERVICE: Final = "renkei.arrests.v1.SealedBlocksService"
_BLOCK: Final = Pattern("agencies/{agency}/arrests/{arrest}/sealedBlocks/{block}")
# By the numbers of the contract's fields.
_BLOCKS: Final = {field.name: field.number for field in SealedContent.DESCRIPTOR.fields}
_NAMES: Final = {number: name for name, number in _BLOCKS.items()}
_MOVED: Final = ("display_name", "kana")
"""Fields of `Arrest.person` that stand in the block of the person and never in a record."""


class SealedBlocks:
    """The sealed blocks of own arrests."""

    def __init__(self, rules: Rules, *, agency: str, database: Database, tokens: PageTokens) -> None:
        """Take the rules for records, and where the rows are."""
        self._rules = rules
        self._agency = agency
        self._database = database
        self._tokens = tokens

    def methods(self) -> Mapping[str, Method]:
        """Give the methods of SealedBlocksService."""
        return {
            "SetSealedBlock": WriteMethod(rule=self._set, rebuild=_known),
            "GetSealedBlock": ReadMethod(answer=self._get),
            "RevealSealedBlock": WriteMethod(rule=self._reveal, rebuild=_never_again),
            "ListSealedOpenings": ReadMethod(answer=self._openings),
        }

    def _set(self, transaction: Transaction, request: sealed_pb2.SetSealedBlockRequest, caller: Principal) -> Written:
        record_id, block = self._current(transaction, request.name)
        held = request.content.WhichOneof("block")
        if held is not None and held != _NAMES[block]:
            what = "must be the block of that name"
            raise InvalidArgument(
                "FIELD_INVALID", f"content: {what}", violations=[FieldViolation(field="content", description=what)]
            )
        content = getattr(request.content, held) if held is not None else None
        _keep(transaction, record_id, block, content, caller)
        answer = _known(transaction, request.name, 0)
        assert answer is not None  # noqa: S101 (the arrest is there)
        return Written(answer=answer, resource=request.name)

    async def _get(self, request: sealed_pb2.GetSealedBlockRequest, _call: Call) -> SealedBlock:
        agency, record_id, block = _parse(request.name)
        if agency != self._agency:
            raise foreign_originator(agency)

        def look(connection: Connection) -> SealedBlock:
            records = ARRESTS.tables.records
            if connection.execute(select(records.c.id).where(records.c.id == record_id.bytes)).first() is None:
                raise denied(ARRESTS)
            return _shown(request.name, connection.execute(_asked(record_id.bytes, block)).first())

        return await self._database.look(look)

    def _reveal(
        self, transaction: Transaction, request: sealed_pb2.RevealSealedBlockRequest, caller: Principal
    ) -> Written:
        """Open a block. The row that says so is committed with the request, before anything is answered."""
        record_id, block = self._current(transaction, request.name)
        row = transaction.first(_asked(record_id, block))
        if row is None:
            raise FailedPrecondition("BLOCK_NOT_RECORDED", "nobody recorded this block")
        transaction.insert(
            OPENINGS,
            {
                "id": uuid7().bytes,
                "record_id": record_id,
                "block": block,
                "caller": caller.subject,
                "time_us": transaction.now_us,
                "reason": request.reason,
            },
        )
        answer = SealedContent()
        getattr(answer, _NAMES[block]).MergeFromString(row.content)
        return Written(answer=answer, resource=request.name)

    async def _openings(
        self, request: sealed_pb2.ListSealedOpeningsRequest, _call: Call
    ) -> sealed_pb2.ListSealedOpeningsResponse:
        if request.parent != self._agency:
            AGENCY.parse(request.parent, field="parent")
            raise foreign_originator(request.parent)
        asked = select(OPENINGS).order_by(OPENINGS.c.id.desc())
        if request.arrest:
            agency, record_id = ARRESTS.parse(request.arrest, field="arrest")
            if agency != self._agency:
                raise foreign_originator(agency)
            asked = asked.where(OPENINGS.c.record_id == record_id.bytes)
        position = self._tokens.decode("ListSealedOpenings", request, request.page_token)
        if position is not None:
            asked = asked.where(OPENINGS.c.id < bytes.fromhex(position[0]))
        limit = page_size(request.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        rows = await self._database.read(lambda connection: connection.execute(asked.limit(limit + 1)).all())
        shown = rows[:limit]
        token = ""
        if len(rows) > limit:
            token = self._tokens.encode("ListSealedOpenings", request, [bytes(shown[-1].id).hex()])
        return sealed_pb2.ListSealedOpeningsResponse(
            openings=[self._opening(row) for row in shown], next_page_token=token
        )

    def _opening(self, row: Row[tuple[object, ...]]) -> SealedOpening:
        arrest = f"{self._agency}/arrests/{UUID(bytes=bytes(row.record_id))}"
        name = f"{arrest}/sealedBlocks/{_NAMES[row.block]}"
        opening = SealedOpening(name=name, caller=row.caller, reason=row.reason)
        set_us(opening.time, row.time_us)
        return opening

    def _current(self, transaction: Transaction, name: str) -> tuple[bytes, int]:
        """Name the arrest of a block, which has to be an own one and not deleted."""
        agency, record_id, block = _parse(name)
        self._rules.current(transaction, f"{agency}/arrests/{record_id}")
        return record_id.bytes, block


def without_names(arrest: Arrest) -> Arrest:
    """Give a record as it is to be stored: what belongs into the block of the person is not in it."""
    if not any(getattr(arrest.person, field) for field in _MOVED):
        return arrest
    # A copy: a batch that is redone reads the request again.
    record = Arrest()
    record.CopyFrom(arrest)
    for field in _MOVED:
        record.person.ClearField(field)
    return record


def keep_names(transaction: Transaction, name: str, arrest: Arrest, caller: Principal) -> None:
    """Record the block of the person with what a new record says of the name."""
    if any(getattr(arrest.person, field) for field in _MOVED):
        block = PersonBlock(display_name=arrest.person.display_name, kana=arrest.person.kana)
        _insert(transaction, ARRESTS.parse(name)[1].bytes, _BLOCKS["person"], block, caller)


def correct_names(transaction: Transaction, arrest: Arrest, paths: Collection[str], caller: Principal) -> None:
    """Correct in the block of the person what a correction of the record names of it."""
    named = [field for field in _MOVED if "person" in paths or f"person.{field}" in paths]
    if not named:
        return
    _, record_id = ARRESTS.parse(arrest.name)
    row = transaction.first(_asked(record_id.bytes, _BLOCKS["person"]))
    block = PersonBlock() if row is None else PersonBlock.FromString(row.content)
    for field in named:
        setattr(block, field, getattr(arrest.person, field))
    _keep(transaction, record_id.bytes, _BLOCKS["person"], block, caller)


def blot_reasons(transaction: Transaction, arrest: Arrest) -> None:
    """Blot out why blocks of an arrest were opened that is about to be purged; who and when stays."""
    _, record_id = ARRESTS.parse(arrest.name)
    transaction.execute(OPENINGS.update().where(OPENINGS.c.record_id == record_id.bytes).values(reason=""))


def _keep(transaction: Transaction, record_id: bytes, block: int, content: Message | None, caller: Principal) -> None:
    """Put a block in the place of what is recorded, which is wiped from the files."""
    transaction.execute(SEALED.delete().where(and_(SEALED.c.record_id == record_id, SEALED.c.block == block)))
    transaction.scrub()
    if content is not None and content.ByteSize():
        _insert(transaction, record_id, block, content, caller)


def _insert(transaction: Transaction, record_id: bytes, block: int, content: Message, caller: Principal) -> None:
    transaction.insert(
        SEALED,
        {
            "record_id": record_id,
            "block": block,
            "recorder": caller.subject,
            "update_time_us": transaction.now_us,
            "content": content.SerializeToString(),
        },
    )


def _parse(name: str) -> tuple[str, UUID, int]:
    """Take a name apart: whose, of which arrest, which block."""
    ids = _BLOCK.parse(name)
    agency, record_id = ARRESTS.parse(f"agencies/{ids['agency']}/arrests/{ids['arrest']}")
    block = _BLOCKS.get(ids["block"])
    if block is None:
        what = f"must end in one of {', '.join(_BLOCKS)}"
        raise InvalidArgument(
            "FIELD_INVALID", f"name: {what}", violations=[FieldViolation(field="name", description=what)]
        )
    return agency, record_id, block


def _asked(record_id: bytes, block: int) -> Select[tuple[object, ...]]:
    return select(SEALED).where(and_(SEALED.c.record_id == record_id, SEALED.c.block == block))


def _shown(name: str, row: Row[tuple[object, ...]] | None) -> SealedBlock:
    if row is None:
        return SealedBlock(name=name)
    block = SealedBlock(name=name, known=True, recorder=row.recorder)
    set_us(block.update_time, row.update_time_us)
    return block


def _known(transaction: Transaction, resource: str, _version: int) -> SealedBlock | None:
    """Say what is known now: that is all that a repeat needs, and more than that it must not get."""
    _, record_id, block = _parse(resource)
    return _shown(resource, transaction.first(_asked(record_id.bytes, block)))


def _never_again(_transaction: Transaction, _resource: str, _version: int) -> Message | None:
    """Answer no repeat: it would be an opening of which nothing is kept."""
    return None
