"""Record what became of an arrest, and what follows on that: each once, and as a new version.

What is wrong in it is corrected as the record is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest, Disposition
from renkei.arrests.v1.events_pb2 import DispositionRecorded

from renkei_chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from renkei.arrests.v1.arrests_pb2 import RecordDispositionRequest

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.rules import Rules


_OPEN_STILL: Final = frozenset(
    {Disposition.KIND_INDICTED, Disposition.KIND_NOT_INDICTED, Disposition.KIND_FAMILY_COURT}
)
FOLLOWING: Final = {
    Disposition.KIND_RELEASED_PENDING: _OPEN_STILL,
    Disposition.KIND_RELEASED: _OPEN_STILL,
    Disposition.KIND_FAMILY_COURT: frozenset({Disposition.KIND_INDICTED}),
    Disposition.KIND_NOT_INDICTED: frozenset({Disposition.KIND_INDICTED}),
    Disposition.KIND_INDICTED: frozenset({Disposition.KIND_ACQUITTED}),
}
"""What can follow on a disposition: after a release the prosecutor still decides (処分保留釈放), the family court may
send a case back (逆送), a prosecutor may take one up again (再起), a court may acquit (無罪)."""


def record_disposition(
    rules: Rules, transaction: Transaction, request: RecordDispositionRequest, caller: Principal
) -> Written:
    """Record it, or raise DISPOSED where it does not follow on what is recorded; and whatever every change raises."""
    check_disposition(request.disposition, "disposition")
    current = rules.current(transaction, request.name, etag=request.etag)
    last = current.record.disposition.kind
    if current.record.state == Arrest.STATE_DISPOSED and request.disposition.kind not in FOLLOWING.get(last, ()):
        raise FailedPrecondition("DISPOSED", "the disposition is recorded already; correct the record instead")

    def dispose(arrest: Arrest) -> None:
        if arrest.HasField("disposition"):
            arrest.earlier_dispositions.append(arrest.disposition)
        arrest.disposition.CopyFrom(request.disposition)

    return rules.revise(transaction, current, dispose, reason="", caller=caller, event=DispositionRecorded)


def check_disposition(disposition: Disposition, path: str) -> None:
    """Raise FIELD_INVALID where what or when is not said, or a ground that only a decision not to indict has.

    `path` is where it stands in the request.
    """
    given = {f"{path}.kind": disposition.kind != 0, f"{path}.time": disposition.HasField("time")}
    broken = [FieldViolation(field=field, description="must be set") for field, there in given.items() if not there]
    if disposition.ground and disposition.kind != Disposition.KIND_NOT_INDICTED:
        broken.append(FieldViolation(field=f"{path}.ground", description="is only of KIND_NOT_INDICTED"))
    if broken:
        first = broken[0]
        raise InvalidArgument("FIELD_INVALID", f"{first.field}: {first.description}", violations=broken)


def take_back(arrest: Arrest) -> None:
    """Where a correction took out the last disposition, put the one before in its place."""
    if arrest.earlier_dispositions and not arrest.HasField("disposition"):
        arrest.disposition.CopyFrom(arrest.earlier_dispositions.pop())
