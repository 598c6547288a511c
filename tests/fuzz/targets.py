"""What decodes bytes that others made, each as a function that may refuse them and must do nothing else.

A target takes any bytes. It returns, or raises what its decoder says it raises; everything else is a finding, and
so is a broken promise: a refusal that is too large, a token believed that nobody minted, a form that reads as another.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from google.protobuf.message import DecodeError

from renkei_chassis import contract
from renkei_chassis.errors import STATUS_DETAILS_HEADER, InvalidArgument, RenkeiError, from_rpc_error, to_status
from renkei_chassis.records.masks import read_mask
from renkei_chassis.resource_names import AGENCY, LOG, OFFICER, SERVICE, Pattern, agency_of
from renkei_chassis.rpc.page_tokens import PageTokens
from renkei_chassis.rpc.validation import validate
from renkei_chassis.telemetry import tracing
from renkei_files import NotADateError, read_day, read_moment, write_wareki
from renkei_normalform import IdentifierType, NotAnIdentifier, normalize, search_fragment, search_key
from renkei_tips.record import TIPS
from tests.fuzz import files, lanes, records, tables, telling, tokens, undercover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import grpc
    from google.protobuf.descriptor import Descriptor

_MOST_STATUS_BYTES: Final = 6000
_SECRET: Final = bytes(range(32))
_PAGE: Final = PageTokens(_SECRET)
_NAMES: Final = (AGENCY, SERVICE, OFFICER, LOG, Pattern("agencies/{agency}/tips/{tip}"))
_REQUESTS: Final = sorted(
    {method.input_type.full_name for _, method, _ in contract.methods()},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One decoder: how it is run, and inputs to begin with."""

    run: Callable[[bytes], object]
    seeds: Sequence[bytes] = ()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _promised(kept: object) -> None:
    assert kept


def _bounded(error: RenkeiError) -> None:
    """A refusal fits into trailers, has one line, and comes back as it was sent."""
    status = to_status(error)
    assert status.ByteSize() <= _MOST_STATUS_BYTES


def request(data: bytes) -> None:
    """Parse and validate any request of the contract."""
    if not data:
        return
    kind = contract.message_type(_REQUESTS[data[0] % len(_REQUESTS)])
    try:
        message = kind.FromString(data[1:])
    except DecodeError:
        return
    try:
        validate(message, data[1:])
    except InvalidArgument as error:
        _bounded(error)
        return
    for field in ("request_id", "load_id"):
        if field in message.DESCRIPTOR.fields_by_name:
            uuid.UUID(getattr(message, field))  # what passes the rule is one


class _FailedCall(Exception):  # noqa: N818 (grpc has no such name either)
    """Looks like a failed call whose trailers somebody else made."""

    def __init__(self, code: grpc.StatusCode, trailer: bytes) -> None:
        super().__init__()
        self._code, self._trailer = code, trailer

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return _text(self._trailer)

    def trailing_metadata(self) -> list[tuple[str, bytes]]:
        return [(STATUS_DETAILS_HEADER, self._trailer)]


def status_details(data: bytes) -> None:
    """Rebuild an error from what a server sent beside its status."""
    import grpc  # noqa: PLC0415 (only here: the others run without)

    codes = list(grpc.StatusCode)
    failed = _FailedCall(codes[data[0] % len(codes)] if data else codes[0], data[1:])
    _bounded(from_rpc_error(failed))  # type: ignore[arg-type]  # all that the function looks at


def page_token(data: bytes) -> None:
    """Open a page token and a resume token."""
    for kind, reason in (("ListTips", "INVALID_PAGE_TOKEN"), ("watch", "INVALID_RESUME_TOKEN")):
        text = _text(data)
        try:
            position = _PAGE.decode(kind, b"", text, reason=reason)
        except InvalidArgument as error:
            _promised(error.reason == reason)
        else:
            assert position is None or _PAGE.encode(kind, b"", position) == text


def trace_parent(data: bytes) -> None:
    """Read a trace header."""
    text = _text(data)
    found = tracing.parse(text)
    if found is not None:
        assert tracing.parse(found.traceparent()) == found
    extracted = tracing.extract([(tracing.TRACEPARENT, text), (tracing.TRACEPARENT, data)])
    assert not extracted or tracing.parse(extracted) == found


def resource_name(data: bytes) -> None:
    """Take resource names apart."""
    text = _text(data)
    for pattern in _NAMES:
        try:
            parts = pattern.parse(text)
        except InvalidArgument as error:
            _bounded(error)
        else:
            assert pattern.format(**parts) == text
    try:
        agency_of(text)
    except InvalidArgument as error:
        _bounded(error)


def identifier(data: bytes) -> None:
    """Bring an identifier into its normal form, which reads as itself."""
    if not data:
        return
    kinds = list(IdentifierType)
    kind, text = kinds[data[0] % len(kinds)], _text(data[1:])
    try:
        form = normalize(kind, text)
    except NotAnIdentifier:
        return
    assert normalize(kind, form.value) == form
    assert search_key(form.value)


def search(data: bytes) -> None:
    """Make what is searched for of what was typed."""
    try:
        fragment = search_fragment(_text(data))
    except NotAnIdentifier:
        return
    assert fragment


def update_mask(data: bytes) -> None:
    """Read the paths of an update mask."""
    try:
        paths = read_mask(
            cast("Descriptor", TIPS.message.DESCRIPTOR), _text(data).split(","), output_only=TIPS.output_only
        )
    except RenkeiError as error:
        _bounded(error)
    else:
        assert paths is not None


def date(data: bytes) -> None:
    """Read a date or a moment as forces write them."""
    text = _text(data)
    try:
        day = read_day(text).day
    except NotADateError:
        pass
    else:
        with suppress(ValueError):  # an era that is not written
            assert read_day(write_wareki(day)).day == day
    with suppress(NotADateError):
        read_moment(text)


def _of_requests() -> Iterable[bytes]:
    for index, name in enumerate(_REQUESTS):
        yield bytes([index])
        for seed in records.requests(name):
            yield bytes([index]) + seed


TARGETS: Final[dict[str, Target]] = {
    "request": Target(run=request, seeds=[*_of_requests()]),
    "record": Target(run=records.decide, seeds=[*records.seeds()]),
    "released": Target(run=records.release, seeds=[*records.events()]),
    "status_details": Target(run=status_details, seeds=[*records.statuses()]),
    "page_token": Target(
        run=page_token,
        seeds=[
            _PAGE.encode("ListTips", b"", ("x", 1)).encode(),
            _PAGE.encode("watch", b"", ("e", 7)).encode(),
            b"AAAA",
        ],
    ),
    "token": Target(run=tokens.believe, seeds=[*tokens.seeds()]),
    "trace_parent": Target(run=trace_parent, seeds=[b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"01-x-y-00-z"]),
    "resource_name": Target(
        run=resource_name,
        seeds=[b"agencies/jp-12", b"agencies/jp-12/tips/0191a7b2", b"agencies/jp-12/services/tips", b"agencies/-"],
    ),
    "identifier": Target(
        run=identifier,
        seeds=[
            bytes([kind]) + text.encode()
            for kind in range(len(IdentifierType))
            for text in (
                "090-1234-5678",
                "+81 90 1234 5678",
                "https://t.me/renkei_demo_01",
                "品川 300 あ 12-34",
                "普通 1234567",
            )
        ],
    ),
    "search": Target(run=search, seeds=[b"090-1234", b"@renkei", "品川300".encode(), b"+81(0)90"]),
    "update_mask": Target(
        run=update_mask, seeds=[b"text", b"handling.caveat,grading", b"name,identifiers", b"text..x"]
    ),
    "date": Target(
        run=date, seeds=["令和6年10月3日".encode(), b"R6.10.3", b"2024-10-03 12:30", "明治1年1月1日".encode()]
    ),
    "bundle": Target(run=lanes.bundle, seeds=[*lanes.bundles()]),
    "lane_item": Target(run=lanes.item, seeds=[*lanes.items()]),
    "event_batch": Target(run=lanes.batch, seeds=[*lanes.batches()]),
    "courier": Target(run=lanes.courier, seeds=[*lanes.replies()]),
    "node_toml": Target(run=files.node_toml, seeds=files.NODE_TOML),
    "federation_toml": Target(run=files.federation_toml, seeds=files.FEDERATION_TOML),
    "trust_json": Target(run=files.trust_json, seeds=files.TRUST_JSON),
    "import": Target(run=files.imported, seeds=[*files.exports()]),
    "table": Target(run=tables.table, seeds=[*tables.tables()]),
    "profile": Target(run=tables.profile, seeds=tables.PROFILES),
    "metrics_page": Target(run=telling.metrics_page, seeds=telling.METRICS_PAGE),
    "log_line": Target(run=telling.log_line, seeds=telling.LOG_LINE),
    "explained": Target(run=telling.explained, seeds=telling.EXPLAINED),
    "key_file": Target(run=files.key_files, seeds=files.KEYS),
    "legal_basis": Target(run=undercover.basis, seeds=[*undercover.signed()]),
    "refused": Target(run=undercover.refused, seeds=[*undercover.refusals_seeds()]),
    "prepared": Target(run=undercover.prepared, seeds=undercover.PREPARED),
    "greeting": Target(run=undercover.greeting, seeds=undercover.GREETING),
}
"""Every decoder by name. A new decoder of foreign bytes is a line here."""
