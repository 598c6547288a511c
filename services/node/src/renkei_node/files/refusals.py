"""Turn a refusal of the service into lines of a report, with the columns as the file calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from renkei_files import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.rpc.status_pb2 import Status

    from renkei_node.files.plan import Plan


def of_status(status: Status, plan: Plan) -> list[Refusal]:
    """Read the service's refusal of a row."""
    reason, violations = "UNKNOWN", []
    for detail in status.details:
        found, broken = ErrorInfo(), BadRequest()
        if detail.Unpack(found):
            reason = found.reason
        elif detail.Unpack(broken):
            violations = [(each.field, each.description) for each in broken.field_violations]
    return of_fields(reason, violations, status.message, plan)


def of_fields(reason: str, violations: Sequence[tuple[str, str]], message: str, plan: Plan) -> list[Refusal]:
    """Name the columns of broken fields as the file does, where a column is the field's own."""
    named = []
    for path, what in violations:
        column = path.removeprefix(f"{plan.kind.word}.").replace("seized_items[0]", "seized_item")
        named.append(Refusal(column=plan.headers.get(column, column), code=reason, words=what))
    return named or [Refusal(column="", code=reason, words=message)]
