"""DocumentsService: the register, custody, presentation, holds and destruction of documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from renkei.personas.v1 import documents_pb2

from renkei_chassis.clock import from_us
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_personas.acts import Acts, act_of, check_etag, etag_of, may_read
from renkei_personas.names import denied
from renkei_personas.store import cases, records, tables
from renkei_personas.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_personas.collisions import Collisions
    from renkei_personas.reading import Reading
    from renkei_personas.store.cases import Loaded

    Rule = Callable[[Transaction, Any, Principal], Written]

_ACCOUNT = documents_pb2.Document.KIND_FICTITIOUS_ACCOUNT


class Documents:
    """The methods of DocumentsService."""

    def __init__(self, *, acts: Acts, reading: Reading, database: Database, collisions: Collisions) -> None:
        """Take what carries acts out, and what compares invented values with real ones."""
        self._acts = acts
        self._names = acts.names
        self._views = Views(acts.names)
        self._reading = reading
        self._database = database
        self._collisions = collisions

    def methods(self) -> Mapping[str, WriteMethod | ReadMethod]:
        """Give the methods."""
        rules: dict[str, Rule] = {
            "RequestDocument": self._request,
            "IssueDocument": self._issue,
            "CancelDocument": self._simple("CANCEL_DOCUMENT"),
            "HandOutDocument": self._hand_out,
            "ReturnDocument": self._simple("RETURN_DOCUMENT"),
            "PresentDocument": self._present,
            "HoldDocument": self._hold,
            "ReleaseDocument": self._simple("RELEASE_DOCUMENT"),
            "DestroyDocument": self._destroy,
        }
        return {
            **{name: WriteMethod(rule=rule, rebuild=self._rebuild) for name, rule in rules.items()},
            "WitnessDestruction": WriteMethod(rule=self._witness, rebuild=self._rebuild_bare),
            "GetDocument": ReadMethod(answer=self._get),
            "ListDocuments": ReadMethod(answer=self._list),
        }

    def _request(
        self, transaction: Transaction, request: documents_pb2.RequestDocumentRequest, caller: Principal
    ) -> Written:
        persona = self._names.read_persona(request.parent, field="parent")
        before = self._acts.load(transaction, persona, caller)
        asked = request.document
        number = uuid7()
        name = self._names.part(persona, "documents", number.bytes)
        act = act_of(
            "REQUEST_DOCUMENT",
            caller,
            transaction,
            document=number.hex,
            is_account=_is_account(asked.kind, asked.legend),
            collides=self._collisions.hit(transaction, asked.legend),
        )
        records.insert(transaction, tables.documents, _row(persona, number.bytes, asked, caller, transaction.now_us))
        self._acts.carry_out(transaction, before, act, subject=name)
        return self._written(transaction, number.bytes)

    def _issue(
        self, transaction: Transaction, request: documents_pb2.IssueDocumentRequest, caller: Principal
    ) -> Written:
        before, row = self._load(transaction, request, caller)
        return self._do(transaction, "ISSUE_DOCUMENT", before, request, caller, row=row)

    def _hand_out(
        self, transaction: Transaction, request: documents_pb2.HandOutDocumentRequest, caller: Principal
    ) -> Written:
        before, row = self._load(transaction, request, caller)
        return self._do(transaction, "HAND_OUT_DOCUMENT", before, request, caller, row=row, officer=request.holder)

    def _present(
        self, transaction: Transaction, request: documents_pb2.PresentDocumentRequest, caller: Principal
    ) -> Written:
        before, row = self._load(transaction, request, caller)
        is_image = request.form == documents_pb2.PresentDocumentRequest.FORM_IMAGE
        return self._do(
            transaction,
            "PRESENT_DOCUMENT",
            before,
            request,
            caller,
            row=row,
            number=request.request_number,
            account=request.recipient,
            is_image=is_image,
        )

    def _hold(self, transaction: Transaction, request: documents_pb2.HoldDocumentRequest, caller: Principal) -> Written:
        before, _ = self._load(transaction, request, caller)
        when = from_us(request.review_time.ToMicroseconds())
        return self._do(transaction, "HOLD_DOCUMENT", before, request, caller, time=when)

    def _destroy(
        self, transaction: Transaction, request: documents_pb2.DestroyDocumentRequest, caller: Principal
    ) -> Written:
        before, _ = self._load(transaction, request, caller)
        return self._do(
            transaction, "DESTROY_DOCUMENT", before, request, caller, officers=tuple(sorted(request.witnesses))
        )

    def _witness(
        self, transaction: Transaction, request: documents_pb2.WitnessDestructionRequest, caller: Principal
    ) -> Written:
        """Answer without the legend: who sees a destruction need not learn what the document said."""
        before, _ = self._load(transaction, request, caller)
        written = self._do(transaction, "WITNESS_DESTRUCTION", before, request, caller)
        written.answer.ClearField("legend")
        return written

    def _simple(self, action: str) -> Rule:
        """Carry out an action that needs nothing but the document and perhaps a reason."""

        def rule(transaction: Transaction, request: Any, caller: Principal) -> Written:  # noqa: ANN401 (one of several)
            before, _ = self._load(transaction, request, caller)
            return self._do(transaction, action, before, request, caller)

        return rule

    def _do(
        self,
        transaction: Transaction,
        action: str,
        before: Loaded,
        request: Any,  # noqa: ANN401 (one of several)
        caller: Principal,
        *,
        row: Any = None,  # noqa: ANN401 (the document's, where it matters what it says)
        **more: Any,  # noqa: ANN401 (an Act's fields)
    ) -> Written:
        _, document = self._names.read_part(request.name, "documents")
        if row is not None:
            legend = documents_pb2.Legend.FromString(row.legend)
            more["is_account"] = _is_account(row.kind, legend)
            more["collides"] = self._collisions.hit(transaction, legend)
        act = act_of(action, caller, transaction, document=document.hex(), **more)
        reason = getattr(request, "reason", "")
        self._acts.carry_out(transaction, before, act, reason=reason, subject=request.name)
        return self._written(transaction, document)

    def _load(self, transaction: Transaction, request: Any, caller: Principal) -> tuple[Loaded, Any]:  # noqa: ANN401
        """Read a document's investigation and row. A named witness may know of that one document."""
        persona, document = self._names.read_part(request.name, "documents")
        loaded = cases.load(transaction, persona)
        row = records.document(transaction, document)
        if loaded is None or row is None or bytes(row.persona) != persona:
            raise denied()
        if not may_read(loaded.case, caller) and caller.subject not in row.witnesses.split():
            raise denied()
        check_etag(etag_of(row), request.etag)
        return loaded, row

    def _written(self, transaction: Transaction, document: bytes) -> Written:
        row = records.document(transaction, document)
        assert row is not None  # noqa: S101 (it was written in this transaction)
        answer = self._views.document(row)
        return Written(answer=answer, resource=answer.name, version=row.version)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        _, document = self._names.read_part(resource, "documents")
        row = records.document(transaction, document)
        return None if row is None else self._views.document(row)

    def _rebuild_bare(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        answer = self._rebuild(transaction, resource, version)
        if answer is not None:
            answer.ClearField("legend")
        return answer

    async def _get(self, request: documents_pb2.GetDocumentRequest, call: Call) -> Message:
        persona, document = self._names.read_part(request.name, "documents")
        await self._reading.seen(self._names.persona(persona), call)
        row = await self._database.look(partial(records.document, document_id=document))
        if row is None or bytes(row.persona) != persona:
            raise denied()
        return self._views.document(row)

    async def _list(self, request: documents_pb2.ListDocumentsRequest, call: Call) -> Message:
        persona = (await self._reading.seen(request.parent, call, field="parent")).row.id

        def question(last: bytes | None, connection: Connection, *, limit: int) -> Sequence[Any]:
            return records.documents(connection, persona, after=last or b"", limit=limit)

        rows, token = await self._reading.keyed(question, request, "documents")
        return documents_pb2.ListDocumentsResponse(
            documents=[self._views.document(row) for row in rows], next_page_token=token
        )


def _is_account(kind: int, legend: documents_pb2.Legend) -> bool:
    """Tell whether a document is a fictitious account, whatever kind it is called."""
    return kind == _ACCOUNT or bool(legend.account)


def _row(
    persona: bytes, document: bytes, asked: documents_pb2.Document, caller: Principal, now_us: int
) -> dict[str, Any]:
    return {
        "id": document,
        "persona": persona,
        "version": 1,
        "paper": 1,
        "kind": asked.kind,
        "legend": asked.legend.SerializeToString(deterministic=True),
        "issuer": caller.subject,
        "custodian": "",
        "holder": "",
        "presented": 0,
        "witnesses": "",
        "witnessed": "",
        "hold_review_us": 0,
        "hold_told": False,
        "collided": False,
        "check_us": now_us,
        "issue_us": 0,
        "destroy_us": 0,
    }
