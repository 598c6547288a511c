"""ExhibitsService: translate, call, translate back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1 import exhibits_pb2

from renkei_arrests.exhibits.names import format_name, id_of
from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.records.loading import load, row_request_id
from renkei_chassis.rpc.methods import DuplexMethod, ReadMethod, StreamMethod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from google.protobuf.message import Message

    from renkei_arrests.exhibits.reads import ExhibitReads
    from renkei_arrests.exhibits.rules import ExhibitRules
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.rpc.methods import Call, Method

SERVICE: Final = "renkei.arrests.v1.ExhibitsService"
_CREATE_PATH: Final = f"/{SERVICE}/CreateExhibit"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    word: str = "exhibit"
    create_request: type[Message] = exhibits_pb2.CreateExhibitRequest


class ExhibitsApi:
    """The methods of ExhibitsService for one agency."""

    def __init__(self, *, rules: ExhibitRules, reads: ExhibitReads, writer: Writer) -> None:
        self._rules = rules
        self._reads = reads
        self._writer = writer
        self._create = WriteMethod(rule=rules.create, rebuild=rules.rebuild)

    def methods(self) -> Mapping[str, Method]:
        """Give every method of the contract."""
        return {
            "CreateExhibit": self._create,
            "LoadExhibits": DuplexMethod(answers=self.load, validated=False),
            "GetExhibit": ReadMethod(answer=self._reads.get),
            "ListExhibits": ReadMethod(answer=self._reads.page),
            "ReadExhibits": StreamMethod(answers=self._reads.all),
            "UpdateExhibit": WriteMethod(rule=self._rules.update, rebuild=self._rules.rebuild),
            "DeleteExhibit": WriteMethod(rule=self._rules.delete, rebuild=self._rules.rebuild_deleted),
        }

    async def load(
        self, requests: AsyncIterator[exhibits_pb2.LoadExhibitsRequest], call: Call
    ) -> AsyncIterator[exhibits_pb2.LoadExhibitsResponse]:
        def place(
            create: exhibits_pb2.CreateExhibitRequest,
            row: exhibits_pb2.ExhibitRow,
            request: exhibits_pb2.LoadExhibitsRequest,
        ) -> None:
            if row.within_row:
                holder = id_of(call.caller, row_request_id(request.load_id, row.within_row))
                create.exhibit.within = format_name(request.parent, holder)

        batches = load(
            requests,
            call,
            kind=_Rows(),
            create=self._create,
            create_path=_CREATE_PATH,
            writer=self._writer,
            place=place,
        )
        async for outcomes in batches:
            results = [
                exhibits_pb2.ExhibitRowResult(row=row, name=outcome)
                if isinstance(outcome, str)
                else exhibits_pb2.ExhibitRowResult(row=row, error=outcome)
                for row, outcome in outcomes
            ]
            yield exhibits_pb2.LoadExhibitsResponse(results=results)
