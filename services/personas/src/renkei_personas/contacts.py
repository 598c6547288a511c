"""ContactsService, but for disclosures: requests, contacts and incidents in one chain, and their review."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.personas.v1 import contacts_pb2

from renkei_chassis.clock import from_us
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_personas.acts import Acts, act_of
from renkei_personas.domain.contacts import chained, sounds_like_taking_part
from renkei_personas.store import records, tables
from renkei_personas.views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_personas.reading import Reading
    from renkei_personas.store.cases import Loaded

_ACTIONS: Final = {
    contacts_pb2.Contact.KIND_REQUEST: "LOG_REQUEST",
    contacts_pb2.Contact.KIND_CONTACT: "LOG_CONTACT",
    contacts_pb2.Contact.KIND_INCIDENT: "REPORT_INCIDENT",
}


class Contacts:
    """The methods about contacts."""

    def __init__(self, *, acts: Acts, reading: Reading) -> None:
        """Take what carries acts out, and who sees what."""
        self._acts = acts
        self._names = acts.names
        self._views = Views(acts.names)
        self._reading = reading

    def methods(self) -> Mapping[str, WriteMethod | ReadMethod]:
        """Give the methods."""
        return {
            "LogRequest": self._log(contacts_pb2.Contact.KIND_REQUEST),
            "LogContact": self._log(contacts_pb2.Contact.KIND_CONTACT),
            "ReportIncident": self._log(contacts_pb2.Contact.KIND_INCIDENT),
            "ReviewContacts": WriteMethod(rule=self._review, rebuild=_reviewed),
            "ListContacts": ReadMethod(answer=self._list),
        }

    def _log(self, kind: contacts_pb2.Contact.Kind.ValueType) -> WriteMethod:
        def rule(transaction: Transaction, request: Any, caller: Principal) -> Written:  # noqa: ANN401 (one of three)
            before = self._load(transaction, request.parent, caller)
            return self._append(transaction, before, request.contact, caller, kind=kind)

        return WriteMethod(rule=rule, rebuild=self._rebuild)

    def _append(
        self,
        transaction: Transaction,
        before: Loaded,
        asked: contacts_pb2.Contact,
        caller: Principal,
        *,
        kind: contacts_pb2.Contact.Kind.ValueType,
    ) -> Written:
        _require(asked, kind)
        number = before.case.contacts + 1
        name = self._names.part(before.row.id, "contacts", number)
        observed = asked.conduct == contacts_pb2.Contact.CONDUCT_OBSERVED
        clean = asked.of_offender_only or not sounds_like_taking_part(asked.text)
        act = act_of(
            _ACTIONS[kind],
            caller,
            transaction,
            time=from_us(asked.occur_time.ToMicroseconds()),
            account=asked.counterpart,
            observed_only=observed and clean,
        )
        content = self._content(transaction, asked, name=name, number=number, kind=kind, recorder=caller.subject)
        head = chained(before.row.contact_head, content)
        row = {
            "persona": before.row.id,
            "number": number,
            "kind": kind,
            "account": asked.counterpart,
            "content": content,
            "head": head,
            "record_us": transaction.now_us,
            "answered": False,
            "review_us": 0,
            "reviewer": "",
        }
        self._acts.carry_out(transaction, before, act, changes={"contact_head": head}, subject=name)
        records.insert(transaction, tables.contacts, row)
        stored = records.one(transaction, tables.contacts, before.row.id, number)
        return Written(answer=self._views.contact(stored), resource=name, version=number)

    def _content(
        self,
        transaction: Transaction,
        asked: contacts_pb2.Contact,
        *,
        name: str,
        number: int,
        kind: contacts_pb2.Contact.Kind.ValueType,
        recorder: str,
    ) -> bytes:
        """Make the bytes that the chain is over: what was asked, and what the service adds."""
        contact = contacts_pb2.Contact(
            name=name,
            number=number,
            kind=kind,
            occur_time=asked.occur_time,
            recorder=recorder,
            counterpart=asked.counterpart,
            channel=asked.channel,
            text=asked.text,
            conduct=asked.conduct,
            of_offender_only=asked.of_offender_only,
        )
        contact.record_time.FromMicroseconds(transaction.now_us)
        return contact.SerializeToString(deterministic=True)

    def _review(
        self, transaction: Transaction, request: contacts_pb2.ReviewContactsRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request.parent, caller)
        waits = records.waiting(transaction, before.row.id)
        left = [row for row in waits if row.number > request.through_number]
        incidents = [row for row in waits if row.kind == contacts_pb2.Contact.KIND_INCIDENT and row not in left]
        act = act_of(
            "REVIEW_CONTACTS",
            caller,
            transaction,
            number=request.through_number,
            still_waiting=from_us(left[0].record_us) if left else None,
            incident_left=any(row.kind == contacts_pb2.Contact.KIND_INCIDENT for row in left),
            reporters=frozenset(contacts_pb2.Contact.FromString(row.content).recorder for row in incidents),
        )
        subject = self._names.part(before.row.id, "contacts", request.through_number)
        self._acts.carry_out(transaction, before, act, reason=request.note, subject=subject)
        count = records.review(transaction, before.row.id, through=request.through_number, reviewer=caller.subject)
        answer = contacts_pb2.ReviewContactsResponse(reviewed=count)
        return Written(answer=answer, resource=request.parent, version=count)

    def _load(self, transaction: Transaction, parent: str, caller: Principal) -> Loaded:
        return self._acts.load(transaction, self._names.read_persona(parent, field="parent"), caller)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        row = records.one(transaction, tables.contacts, *self._names.read_numbered(resource, "contacts"))
        return None if row is None else self._views.contact(row)

    async def _list(self, request: contacts_pb2.ListContactsRequest, call: Call) -> Message:
        persona = (await self._reading.seen(request.parent, call, field="parent")).row.id
        rows, token = await self._reading.numbered(_contacts, request, persona, "contacts")
        return contacts_pb2.ListContactsResponse(
            contacts=[self._views.contact(row) for row in rows], next_page_token=token
        )


def _require(asked: contacts_pb2.Contact, kind: contacts_pb2.Contact.Kind.ValueType) -> None:
    given = {
        "contact.occur_time": asked.HasField("occur_time"),
        "contact.text": bool(asked.text.strip()),
        "contact.conduct": asked.conduct != contacts_pb2.Contact.CONDUCT_UNSPECIFIED,
        "contact.counterpart": bool(asked.counterpart) or kind == contacts_pb2.Contact.KIND_INCIDENT,
    }
    missing = [field for field, is_given in given.items() if not is_given]
    if missing:
        violations = [FieldViolation(field=field, description="must be given") for field in missing]
        raise InvalidArgument("FIELD_INVALID", f"{missing[0]}: must be given", violations=violations)


def _contacts(connection: Connection, *, persona: bytes, number: int, limit: int) -> Sequence[Any]:
    return records.after(connection, tables.contacts, persona, number=number, limit=limit)


def _reviewed(transaction: Transaction, resource: str, version: int) -> Message:
    del transaction, resource
    return contacts_pb2.ReviewContactsResponse(reviewed=version)
