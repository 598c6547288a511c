"""Record every refused call, durable before the caller is told: who, which method, why, and at most a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from renkei_chassis.contract import message_type, methods
from renkei_chassis.errors import InvalidArgument
from renkei_chassis.resource_names import agency_of
from renkei_personas.store import records, tables

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.errors import RenkeiError
    from renkei_chassis.identity import Principal

_OWN: Final = "/renkei.personas.v1."
_NO_REFUSALS: Final = frozenset({"INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"})
_REQUESTS: Final = {
    path: message_type(method.input_type.full_name) for path, method, _ in methods() if path.startswith(_OWN)
}
_NAMES: Final = ("name", "parent", "contact")
_LONGEST: Final = 200


class Refusals:
    """Writes refusals of this service's own methods."""

    def __init__(self, writer: Writer) -> None:
        """Take where they are written."""
        self._writer = writer

    async def record(self, path: str, caller: Principal, raw: bytes, error: RenkeiError) -> None:
        """Record a refusal. A fault of the server itself is none."""
        if path not in _REQUESTS or error.code.name in _NO_REFUSALS:
            return
        row = {
            "caller": caller.subject,
            "method": path.rpartition("/")[2],
            "reason": error.reason[:64],
            "resource": _resource(path, raw),
        }

        def effect(transaction: Transaction) -> None:
            records.insert(transaction, tables.refusals, {**row, "record_us": transaction.now_us})

        await self._writer.run(effect)


def _resource(path: str, raw: bytes) -> str:
    """Find the name that was called with. Anything that is no name might be anything, and is not kept."""
    request = _parsed(path, raw)
    for field in _NAMES:
        text = getattr(request, field, "")
        if isinstance(text, str) and 0 < len(text) <= _LONGEST:
            try:
                agency_of(text)
            except InvalidArgument:
                continue
            return text
    return ""


def _parsed(path: str, raw: bytes) -> Message | None:
    kind = _REQUESTS.get(path)
    try:
        return kind.FromString(raw) if kind is not None else None
    except DecodeError:
        return None
