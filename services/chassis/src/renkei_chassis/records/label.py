"""Whether a handling label may stand on a record of this agency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from renkei.policy.v1.handling_pb2 import Handling

    from renkei_chassis.records.kind import Policy


def check_label(handling: Handling, policy: Policy, *, field: str) -> None:
    """Return if the label may stand, whether it is new or stood on the version before.

    Raises INSTRUMENT_UNSUPPORTED, RELEASE_WITHOUT_INSTRUMENT, or UNKNOWN_AGENCY with the agency.
    """
    if handling.instrument:
        raise FailedPrecondition(
            "INSTRUMENT_UNSUPPORTED",
            "this version does not know instruments; leave the field empty",
            metadata={"field": f"{field}.instrument"},
        )
    if not handling.releasable_to:
        return
    if not policy.release_without_instrument:
        raise FailedPrecondition(
            "RELEASE_WITHOUT_INSTRUMENT",
            "the label releases the record, and this node does not release without an instrument",
            metadata={"field": f"{field}.releasable_to"},
        )
    for index, agency in enumerate(handling.releasable_to):
        if agency == policy.agency or agency not in policy.members:
            what = "names the owner itself" if agency == policy.agency else "is not in the federation"
            path = f"{field}.releasable_to[{index}]"
            raise InvalidArgument(
                "UNKNOWN_AGENCY",
                f"an agency in {field}.releasable_to {what}",
                metadata={"agency": agency, "field": path},
                violations=[FieldViolation(field=path, description=what)],
            )
