"""Record what became of an arrest: once, and as a new version. What is wrong in it is corrected as the record is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.arrests.v1.events_pb2 import DispositionRecorded

from renkei_chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from renkei.arrests.v1.arrests_pb2 import Disposition, RecordDispositionRequest

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.rules import Rules


def record_disposition(
    rules: Rules, transaction: Transaction, request: RecordDispositionRequest, caller: Principal
) -> Written:
    """Record it, or raise DISPOSED where one is recorded already; and whatever every change raises."""
    check_disposition(request.disposition, "disposition")
    current = rules.current(transaction, request.name, etag=request.etag)
    if current.record.state == Arrest.STATE_DISPOSED:
        raise FailedPrecondition("DISPOSED", "the disposition is recorded already; correct the record instead")

    def dispose(arrest: Arrest) -> None:
        arrest.disposition.CopyFrom(request.disposition)

    return rules.revise(transaction, current, dispose, reason="", caller=caller, event=DispositionRecorded)


def check_disposition(disposition: Disposition, path: str) -> None:
    """Raise FIELD_INVALID where what or when is not said; `path` is where it stands in the request."""
    given = {f"{path}.kind": disposition.kind != 0, f"{path}.time": disposition.HasField("time")}
    broken = [FieldViolation(field=field, description="must be set") for field, there in given.items() if not there]
    if broken:
        raise InvalidArgument("FIELD_INVALID", f"{broken[0].field}: must be set", violations=broken)
