"""What the two kinds of records have for files: their fields, and how they are loaded and listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

if TYPE_CHECKING:
    from google.protobuf.message import Message

_HANDLING: Final = (
    "handling.purpose_code",
    "handling.releasable_to",
    "handling.onward",
    "handling.judicial_use",
    "handling.permitted_action",
    "handling.caveat",
    "handling.review_by",
    "handling.purge_by",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """A kind of record. Messages are of generated classes with no class in common."""

    collection: str
    """`tips`; also the name of the service."""
    word: str
    """The record's field in requests: `tip`."""
    message: type[Message]
    create_request: Any
    row: Any
    load_request: Any
    load: str
    """The name of the method that loads."""
    list_request: Any
    list: str
    stub: Any
    fields: tuple[str, ...]
    """What a profile may fill, as paths in the record. `seized_item` is the one item that a row has room for."""
    required: tuple[str, ...]
    """What every record needs, so that a profile without it is refused before a file is read."""
    places: tuple[str, ...]
    """Where identifiers stand: `identifiers`, and on the seized item."""


TIPS: Final = FileKind(
    collection="tips",
    word="tip",
    message=tips_pb2.Tip,
    create_request=tips_pb2.CreateTipRequest,
    row=tips_pb2.TipRow,
    load_request=tips_pb2.LoadTipsRequest,
    load="LoadTips",
    list_request=tips_pb2.ListTipsRequest,
    list="ListTips",
    stub=TipsServiceStub,
    fields=(
        "external_reference",
        "observe_time",
        "source",
        "grading.reliability",
        "grading.accuracy",
        "grading.suspected_false",
        "grading.deliberate_deception",
        "display_name",
        "text",
        "case_reference",
        *_HANDLING,
    ),
    required=("source", "grading.reliability", "grading.accuracy", "text", "handling.purpose_code"),
    places=("identifiers",),
)
ARRESTS: Final = FileKind(
    collection="arrests",
    word="arrest",
    message=arrests_pb2.Arrest,
    create_request=arrests_pb2.CreateArrestRequest,
    row=arrests_pb2.ArrestRow,
    load_request=arrests_pb2.LoadArrestsRequest,
    load="LoadArrests",
    list_request=arrests_pb2.ListArrestsRequest,
    list="ListArrests",
    stub=ArrestsServiceStub,
    fields=(
        "external_reference",
        "kind",
        "restraint_time",
        "offence",
        "text",
        "role",
        "case_reference",
        "person.display_name",
        "person.kana",
        "person.birth_date",
        "prosecutor_receipt_time",
        "detention_request_time",
        "seized_item.description",
        "seized_item.exhibit_number",
        *_HANDLING,
    ),
    required=("kind", "restraint_time", "offence", "handling.purpose_code"),
    places=("identifiers", "seized_item.identifiers"),
)
KINDS: Final = {kind.collection: kind for kind in (TIPS, ARRESTS)}
