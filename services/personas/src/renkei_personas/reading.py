"""PersonasService, the reading half: investigations, entries, tasks, dangers, legal bases, refusals."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from renkei.personas.v1 import personas_pb2

from renkei_chassis.database.pages import page_size
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_personas.acts import Acts, may_read
from renkei_personas.names import denied
from renkei_personas.store import cases, records, tables
from renkei_personas.store.cases import Loaded
from renkei_personas.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Table

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.rpc.page_tokens import PageTokens

_DEFAULT: Final = 50
_LARGEST: Final = 100


class Reading:
    """What reads of every service here, and the one place that decides who sees an investigation."""

    def __init__(self, *, acts: Acts, database: Database, tokens: PageTokens, clock: Clock) -> None:
        """Take what a reader needs."""
        self._acts = acts
        self._names = acts.names
        self._views = Views(acts.names)
        self._database = database
        self._tokens = tokens
        self._clock = clock

    def methods(self) -> Mapping[str, ReadMethod]:
        """Give the methods of PersonasService that read."""
        return {
            "GetPersona": ReadMethod(answer=self._get),
            "ListPersonas": ReadMethod(answer=self._list),
            "ListEntries": ReadMethod(answer=self._entries),
            "ListPlanVersions": ReadMethod(answer=self._plans),
            "ListTasks": ReadMethod(answer=self._tasks),
            "ListDangers": ReadMethod(answer=self._dangers),
            "ListLegalBases": ReadMethod(answer=self._bases),
            "ListRefusals": ReadMethod(answer=self._refusals),
        }

    async def seen(self, name: str, call: Call, *, field: str = "name") -> Loaded:
        """Read an investigation that the caller has a part in; everything else looks missing."""
        persona = self._names.read_persona(name, field=field)
        loaded = await self._database.look(partial(cases.load, persona=persona))
        if loaded is None or not may_read(loaded.case, call.caller):
            raise denied()
        return loaded

    async def numbered(
        self,
        question: Callable[..., Sequence[Any]],
        request: Any,  # noqa: ANN401 (one of several)
        persona: bytes,
        kind: str,
    ) -> tuple[Sequence[Any], str]:
        """Read a page of what is numbered in an investigation; returns the rows and the token of the next page."""
        position = self._tokens.decode(kind, request, request.page_token)
        size = page_size(request.page_size, default=_DEFAULT, largest=_LARGEST)
        after = int(position[0]) if position is not None else 0
        rows = await self._database.read(partial(question, persona=persona, number=after, limit=size + 1))
        token = self._tokens.encode(kind, request, (rows[size - 1].number,)) if len(rows) > size else ""
        return rows[:size], token

    async def keyed(
        self,
        question: Callable[..., Sequence[Any]],
        request: Any,  # noqa: ANN401 (one of several)
        kind: str,
        *,
        default: int = _DEFAULT,
        largest: int = _LARGEST,
    ) -> tuple[Sequence[Any], str]:
        """Read a page of what has an id, before or after the last one; returns the rows and the next page's token."""
        position = self._tokens.decode(kind, request, request.page_token)
        size = page_size(request.page_size, default=default, largest=largest)
        last = bytes.fromhex(position[0]) if position is not None else None
        rows = await self._database.read(partial(question, last, limit=size + 1))
        token = self._tokens.encode(kind, request, (bytes(rows[size - 1].id).hex(),)) if len(rows) > size else ""
        return rows[:size], token

    async def _get(self, request: personas_pb2.GetPersonaRequest, call: Call) -> Message:
        return await self._persona(await self.seen(request.name, call))

    async def _persona(self, loaded: Loaded) -> personas_pb2.Persona:
        rules = await self._database.look(self._acts.rules)
        return self._views.persona(loaded, rules, self._clock.now_us())

    async def _list(self, request: personas_pb2.ListPersonasRequest, call: Call) -> Message:
        self._names.own(request.parent)
        reader = None if "HQ_CHIEF" in call.caller.roles else call.caller.subject

        def question(connection: Connection, *, before: bytes | None, limit: int) -> Sequence[cases.Stored]:
            return cases.page(connection, reader=reader, before=before, limit=limit)

        rows, token = await self.keyed(_before(question), request, "personas", default=20, largest=40)
        loaded = [Loaded(row=row, case=await self._database.look(partial(cases.case_of, row=row))) for row in rows]
        return personas_pb2.ListPersonasResponse(
            personas=[await self._persona(one) for one in loaded], next_page_token=token
        )

    async def _entries(self, request: personas_pb2.ListEntriesRequest, call: Call) -> Message:
        persona = (await self.seen(request.parent, call, field="parent")).row.id
        rows, token = await self.numbered(_of(tables.entries), request, persona, "entries")
        return personas_pb2.ListEntriesResponse(entries=[self._views.entry(row) for row in rows], next_page_token=token)

    async def _plans(self, request: personas_pb2.ListPlanVersionsRequest, call: Call) -> Message:
        persona = (await self.seen(request.parent, call, field="parent")).row.id
        rows, token = await self.numbered(_of(tables.plans), request, persona, "plans")
        return personas_pb2.ListPlanVersionsResponse(
            plans=[self._views.plan_version(row) for row in rows], next_page_token=token
        )

    async def _tasks(self, request: personas_pb2.ListTasksRequest, call: Call) -> Message:
        persona = (await self.seen(request.parent, call, field="parent")).row.id
        question = _of(tables.tasks) if request.show_completed else _open_tasks
        rows, token = await self.numbered(question, request, persona, "tasks")
        return personas_pb2.ListTasksResponse(tasks=[self._views.task(row) for row in rows], next_page_token=token)

    async def _dangers(self, request: personas_pb2.ListDangersRequest, call: Call) -> Message:
        del call
        self._names.own(request.parent)
        rows, token = await self.keyed(_before(records.dangers), request, "dangers")
        return personas_pb2.ListDangersResponse(
            dangers=[self._views.danger(row) for row in rows], next_page_token=token
        )

    async def _bases(self, request: personas_pb2.ListLegalBasesRequest, call: Call) -> Message:
        del call
        self._names.own(request.parent)
        rows = await self._database.read(records.bases)
        size = page_size(request.page_size, default=_DEFAULT, largest=_LARGEST)
        position = self._tokens.decode("bases", request, request.page_token)
        start = int(position[0]) if position is not None else 0
        more = len(rows) > start + size
        return personas_pb2.ListLegalBasesResponse(
            legal_bases=[self._views.basis(row) for row in rows[start : start + size]],
            next_page_token=self._tokens.encode("bases", request, (start + size,)) if more else "",
        )

    async def _refusals(self, request: personas_pb2.ListRefusalsRequest, call: Call) -> Message:
        del call
        self._names.own(request.parent)
        size = page_size(request.page_size, default=_DEFAULT, largest=_LARGEST)
        position = self._tokens.decode("refusals", request, request.page_token)
        before = int(position[0]) if position is not None else 0
        rows = await self._database.read(partial(records.refusals, before=before, limit=size + 1))
        answer = personas_pb2.ListRefusalsResponse()
        for row in rows[:size]:
            shown = answer.refusals.add(
                number=row.number, caller=row.caller, method=row.method, reason=row.reason, resource=row.resource
            )
            shown.record_time.FromMicroseconds(row.record_us)
        if len(rows) > size:
            answer.next_page_token = self._tokens.encode("refusals", request, (rows[size - 1].number,))
        return answer


def _of(table: Table) -> Callable[..., Sequence[Any]]:
    def question(connection: Connection, *, persona: bytes, number: int, limit: int) -> Sequence[Any]:
        return records.after(connection, table, persona, number=number, limit=limit)

    return question


def _before(question: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
    def asked(last: bytes | None, connection: Connection, *, limit: int) -> Sequence[Any]:
        return question(connection, before=last, limit=limit)

    return asked


def _open_tasks(connection: Connection, *, persona: bytes, number: int, limit: int) -> Sequence[Any]:
    return records.open_tasks(connection, persona, number=number, limit=limit)
