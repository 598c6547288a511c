"""Targets for records: what is decided of one that passed validation, and what of it may leave."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.money_pb2 import MoneyPlace
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1 import tips_pb2

from renkei_arrests.record import ARRESTS
from renkei_chassis import contract
from renkei_chassis.errors import RenkeiError
from renkei_chassis.records.kind import Policy
from renkei_chassis.records.label import check_label
from renkei_chassis.records.occurrences import read_occurrences
from renkei_chassis.records.times import check_times
from renkei_chassis.release import NotReleasableError, strip
from renkei_chassis.rpc.validation import validate
from renkei_tips.record import TIPS

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLICY: Final = Policy(
    agency="agencies/jp-12",
    members=frozenset({"agencies/jp-12", "agencies/jp-09"}),
    release_without_instrument=True,
    contact_desk="desk",
    handle_span=timedelta(days=90),
    undelete=timedelta(days=30),
)
_NOW_US: Final = 1_700_000_000_000_000
_KINDS: Final = (TIPS, ARRESTS)
_EVENTS: Final = sorted(name for name in contract.MESSAGE_TYPES if contract.is_known(name))
_REQUEST_ID: Final = str(uuid.UUID(int=0x4000_8000_0000_0000_0000, version=4))


def decide(data: bytes) -> None:
    """Do with a record what the rule of a Create does, up to the database."""
    if not data:
        return
    kind = _KINDS[data[0] % len(_KINDS)]
    request = kind.create_request(request_id=_REQUEST_ID, parent=_POLICY.agency)
    try:
        getattr(request, kind.word).ParseFromString(data[1:])
    except DecodeError:
        return
    record = getattr(request, kind.word)
    try:
        validate(request)
        check_times(record, kind.word)
        check_label(record.handling, _POLICY, field="handling")
        rows = read_occurrences(kind, record, policy=_POLICY, now_us=_NOW_US)
        kind.complete(record)
    except RenkeiError:
        return
    assert all(isinstance(value, int | str | bytes | None) for row in rows for value in row.values())


def seeds() -> Iterator[bytes]:
    tip = _tip()
    yield b"\x00" + tip.SerializeToString()
    yield b"\x01" + _arrest().SerializeToString()


def _tip() -> tips_pb2.Tip:
    tip = tips_pb2.Tip(source=tips_pb2.Tip.SOURCE_OTHER, text="演習データ", display_name="x", case_reference="c-1")
    tip.grading.reliability = tips_pb2.Grading.RELIABILITY_B
    tip.grading.accuracy = tips_pb2.Grading.ACCURACY_2
    tip.handling.purpose_code = "organised-robbery"
    tip.handling.releasable_to.append("agencies/jp-09")
    for kind, original in ((1, "090-1234-5678"), (2, "普通 1234567"), (3, "@renkei_demo"), (4, "品川 300 あ 12-34")):
        found = tip.identifiers.add(provenance="PROVENANCE_TIP", relation="RELATION_MENTIONED")
        found.identifier.type, found.identifier.original = kind, original  # type: ignore[assignment]  # its number
    return tip


def _arrest() -> arrests_pb2.Arrest:
    arrest = arrests_pb2.Arrest(kind=arrests_pb2.Arrest.KIND_WARRANT, offence="(演習データ) 強盗")
    arrest.restraint_time.FromSeconds(1_690_000_000)
    arrest.prosecutor_receipt_time.FromSeconds(1_690_100_000)
    arrest.handling.purpose_code = "organised-robbery"
    arrest.person.birth_date = "2004-02-29"
    moved = arrest.money.movements.add(amount_yen=1_000_000)
    moved.source.kind, moved.destination.kind = MoneyPlace.KIND_VICTIM, MoneyPlace.KIND_ACCOUNT
    arrest.seized_items.add(description="携帯").identifiers.add().CopyFrom(_tip().identifiers[0])
    return arrest


def requests(name: str) -> Iterator[bytes]:
    """Give an input for a request of this name, where one is worth it."""
    made: dict[str, Message] = {
        "renkei.tips.v1.CreateTipRequest": tips_pb2.CreateTipRequest(
            request_id=_REQUEST_ID, parent="agencies/jp-12", tip=_tip()
        ),
        "renkei.arrests.v1.CreateArrestRequest": arrests_pb2.CreateArrestRequest(
            request_id=_REQUEST_ID, parent="agencies/jp-12", arrest=_arrest()
        ),
        "renkei.tips.v1.LoadTipsRequest": tips_pb2.LoadTipsRequest(
            load_id=_REQUEST_ID, parent="agencies/jp-12", rows=[tips_pb2.TipRow(row=1, tip=_tip())]
        ),
    }
    if name in made:
        yield made[name].SerializeToString()


def release(data: bytes) -> None:
    """Strip an event for each grade; what is left holds nothing that the first stripping took away."""
    if not data:
        return
    kind = contract.message_type(_EVENTS[data[0] % len(_EVENTS)])
    try:
        message = kind.FromString(data[1:])
    except DecodeError:
        return
    for grade in (GRADE_FULL, GRADE_INDEX_ONLY):
        try:
            stripped = strip(message, grade)
        except NotReleasableError:
            continue
        assert strip(stripped, grade) == stripped


def events() -> Iterator[bytes]:
    for index, name in enumerate(_EVENTS):
        message = contract.message_type(name)()
        for word, record in (("tip", _tip()), ("arrest", _arrest())):
            if word in message.DESCRIPTOR.fields_by_name and hasattr(getattr(message, word), "CopyFrom"):
                getattr(message, word).CopyFrom(record)
        yield bytes([index]) + message.SerializeToString()


def statuses() -> Iterator[bytes]:
    status = Status(code=3, message="x")
    status.details.add().Pack(ErrorInfo(reason="FIELD_INVALID", domain="renkei", metadata={"a": "b"}))
    violation = BadRequest.FieldViolation(field="tip.text", description="must not be empty")
    status.details.add().Pack(BadRequest(field_violations=[violation]))
    yield b"\x03" + status.SerializeToString()
    yield b"\x07" + Status(code=7, message="(or it does not exist)").SerializeToString()
