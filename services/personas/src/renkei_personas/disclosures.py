"""ContactsService, disclosures: what of a contact is told, as a tip or as imminent harm, and what became of it."""

from __future__ import annotations

import unicodedata
import uuid
from typing import TYPE_CHECKING, Any, Final

from renkei.exchange.v1 import exchange_pb2
from renkei.identifiers.v1 import identifiers_pb2
from renkei.personas.v1 import contacts_pb2, documents_pb2
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_personas.acts import Acts, act_of, error_of
from renkei_personas.addresses import ends_in
from renkei_personas.collisions import plain, spellings
from renkei_personas.domain.reasons import Refused
from renkei_personas.names import denied
from renkei_personas.store import records, tables
from renkei_personas.views import Views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_personas.reading import Reading

_PURPOSE: Final = "organised-robbery"
_SHORTEST: Final = 3
_SHORTEST_NAME: Final = 2
"""Shorter words of a legend may be anybody's."""
_NUMBER: Final = 9
"""From so many digits on a number is also looked for without its leading zero: +81 90 … is 090 …"""


class Disclosures:
    """The methods about disclosures."""

    def __init__(self, *, acts: Acts, reading: Reading) -> None:
        """Take what carries acts out, and who sees what."""
        self._acts = acts
        self._names = acts.names
        self._views = Views(acts.names)
        self._reading = reading

    def methods(self) -> Mapping[str, WriteMethod | ReadMethod]:
        """Give the methods."""
        return {
            "PrepareDisclosure": WriteMethod(rule=self._prepare, rebuild=self._prepared),
            "ConfirmDisclosure": WriteMethod(rule=self._confirm, rebuild=self._confirmed),
            "ListDisclosures": ReadMethod(answer=self._disclosures),
        }

    def _prepare(
        self, transaction: Transaction, request: contacts_pb2.PrepareDisclosureRequest, caller: Principal
    ) -> Written:
        persona, number = self._names.read_numbered(request.contact, "contacts", field="contact")
        before = self._acts.load(transaction, persona, caller)
        self._refuse_legend(transaction, request, persona)
        disclosure, once = uuid.uuid4(), uuid.uuid4()
        name = self._names.part(persona, "disclosures", disclosure.bytes)
        act = act_of("DISCLOSE", caller, transaction, number=number)
        self._acts.carry_out(transaction, before, act, subject=name)
        answer = contacts_pb2.Disclosure(name=name, contact=request.contact, preparer=caller.subject)
        answer.create_time.FromMicroseconds(transaction.now_us)
        if request.HasField("harm"):
            asked = exchange_pb2.RaiseImminentHarmRequest(
                request_id=str(once), harm=request.harm, recipients=request.recipients
            )
            answer.harm_request.CopyFrom(asked)
        else:
            answer.tip_request.CopyFrom(_tip(request, agency=self._names.agency, request_id=str(once)))
        row = {
            "persona": persona,
            "id": disclosure.bytes,
            "contact": number,
            "record": "",
            "content": answer.SerializeToString(deterministic=True),
            "preparer": caller.subject,
            "create_us": transaction.now_us,
        }
        records.insert(transaction, tables.disclosures, row)
        return Written(answer=answer, resource=name)

    def _confirm(
        self, transaction: Transaction, request: contacts_pb2.ConfirmDisclosureRequest, caller: Principal
    ) -> Written:
        persona, disclosure = self._names.read_part(request.name, "disclosures")
        before = self._acts.load(transaction, persona, caller)
        row = records.disclosure(transaction, disclosure)
        if row is None or bytes(row.persona) != persona:
            raise denied()
        if row.record not in {"", request.record}:
            raise error_of(Refused("DISCLOSURE_CONFIRMED"))
        act = act_of("DISCLOSE", caller, transaction, number=row.contact)
        self._acts.carry_out(transaction, before, act, reason=request.record, subject=request.name)
        records.confirm_disclosure(transaction, disclosure, request.record)
        confirmed = records.disclosure(transaction, disclosure)
        return Written(answer=self._views.disclosure(confirmed, whole=False), resource=request.name)

    def _refuse_legend(
        self, transaction: Transaction, request: contacts_pb2.PrepareDisclosureRequest, persona: bytes
    ) -> None:
        """Refuse what names the fictitious identity, or the investigation by its id."""
        hidden = [str(uuid.UUID(bytes=persona))]
        names: set[str] = set()
        places: set[str] = set()
        for row in records.legends(transaction, persona):
            legend = documents_pb2.Legend.FromString(row.legend)
            hidden += _words(legend)
            names |= {name for name in spellings(legend.display_name) if len(name) >= _SHORTEST_NAME}
            places |= set(ends_in(legend.address))
        forbidden = names | {word for word in map(plain, hidden) if len(word) >= _SHORTEST}
        forbidden |= {word.removeprefix("0") for word in forbidden if word.isdecimal() and len(word) >= _NUMBER}
        for field, text in _told(request):
            said = plain(text)
            if any(word in said for word in forbidden) or places & set(ends_in(text)):
                raise error_of(Refused("LEGEND_TOLD", fields=[field]))

    def _prepared(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        return self._found(transaction, resource, whole=True)

    def _confirmed(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        return self._found(transaction, resource, whole=False)

    def _found(self, transaction: Transaction, resource: str, *, whole: bool) -> Message | None:
        _, disclosure = self._names.read_part(resource, "disclosures")
        row = records.disclosure(transaction, disclosure)
        return None if row is None else self._views.disclosure(row, whole=whole)

    async def _disclosures(self, request: contacts_pb2.ListDisclosuresRequest, call: Call) -> Message:
        """Show the true link: to the supervisor of one investigation, to an auditor of all."""
        persona: bytes | None = None
        if "AUDITOR" not in call.caller.roles or request.parent != self._names.agency:
            loaded = await self._reading.seen(request.parent, call, field="parent")
            if call.caller.subject != loaded.case.supervisor:
                raise denied()
            persona = loaded.row.id

        def question(last: bytes | None, connection: Connection, *, limit: int) -> Sequence[Any]:
            return records.disclosures(connection, persona, after=last or b"", limit=limit)

        rows, token = await self._reading.keyed(question, request, "disclosures")
        return contacts_pb2.ListDisclosuresResponse(
            disclosures=[self._views.disclosure(row, whole=False) for row in rows], next_page_token=token
        )


def _words(legend: documents_pb2.Legend) -> list[str]:
    """Give the words of a legend but its name, and its telephone number also as it is written abroad and at home."""
    phone = unicodedata.normalize("NFKC", legend.phone).strip()
    at_home = [phone.removeprefix("+81")] if phone.startswith("+81") else []
    return [legend.address, legend.number, legend.phone, *at_home, legend.account]


def _told(request: contacts_pb2.PrepareDisclosureRequest) -> Iterator[tuple[str, str]]:
    """Give every word that would be told, with its field."""
    yield "text", request.text
    yield "purpose_code", request.purpose_code
    yield "harm.place", request.harm.place
    yield "harm.reason", request.harm.reason
    yield "harm.contact_desk", request.harm.contact_desk
    for index, identifier in enumerate(request.identifiers):
        yield f"identifiers[{index}].original", identifier.original


def _tip(request: contacts_pb2.PrepareDisclosureRequest, *, agency: str, request_id: str) -> tips_pb2.CreateTipRequest:
    """Write the tip that identifiers become: source OTHER, provenance withheld, to be asked before use in court."""
    handling = handling_pb2.Handling(
        purpose_code=request.purpose_code or _PURPOSE,
        releasable_to=request.releasable_to,
        onward=handling_pb2.ONWARD_ORCON,
        judicial_use=handling_pb2.JUDICIAL_USE_ASK,
        permitted_action=handling_pb2.PERMITTED_ACTION_COORDINATE_FIRST,
    )
    grading = tips_pb2.Grading(reliability=tips_pb2.Grading.RELIABILITY_X, accuracy=tips_pb2.Grading.ACCURACY_4)
    tip = tips_pb2.Tip(source=tips_pb2.Tip.SOURCE_OTHER, grading=grading, text=request.text, handling=handling)
    for identifier in request.identifiers:
        tip.identifiers.add(
            identifier=identifiers_pb2.Identifier(type=identifier.type, original=identifier.original),
            provenance=identifiers_pb2.PROVENANCE_WITHHELD_ASK_ORIGINATOR,
            relation=identifiers_pb2.RELATION_COMMUNICATED,
        )
    return tips_pb2.CreateTipRequest(request_id=request_id, parent=agency, tip=tip)
