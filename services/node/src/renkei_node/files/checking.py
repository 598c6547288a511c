"""Judge a file before it is imported: every row as its reader and the contract's rules see it, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from renkei.identifiers.v1.identifiers_pb2 import IdentifierType

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.rpc.validation import validate
from renkei_files import REPORT_ENCODING, FileError, Mark, Report, ReportForm
from renkei_node.files.importing import Done
from renkei_node.files.journal import refuse_foreign
from renkei_node.files.reading import opened
from renkei_node.files.refusals import of_fields
from renkei_normalform import IdentifierType as Kind
from renkei_normalform import NotAnIdentifier, normalize

if TYPE_CHECKING:
    from renkei_files import MappedRow
    from renkei_node.files.importing import Import
    from renkei_node.files.plan import Plan
    from renkei_node.files.reading import ReadRow

# Any id will do: nothing is sent.
_NOBODYS_REQUEST: Final = "00000000-0000-8000-8000-000000000000"


def check(wanted: Import) -> Done:
    """Read a file and judge every row as the service would, and send nothing. Writes the report anew. Blocks."""
    refuse_foreign(wanted.report)
    encoding = REPORT_ENCODING if wanted.form is ReportForm.CSV else "utf-8"
    with opened(wanted.path) as file, wanted.report.open("w", encoding=encoding, newline="") as written:
        wanted.report.chmod(0o600)
        report = Report(written, wanted.form)
        if wanted.begin is not None:
            wanted.begin(file.count(wanted.plan), 0)
        through = 0
        try:
            for each in file.rows(wanted.plan, wanted.agencies):
                _judge(each, report, wanted.plan, wanted.agency)
                through = each.row.number
                wanted.tell(1)
        except FileError as error:
            report.stop(error)
        return Done(summary=report.summary, through=through, resumed_after=0, finished=not report.summary.stopped)


def _judge(each: ReadRow, report: Report, plan: Plan, agency: str) -> None:
    if each.record is None:
        report.note(each.row)
        return
    # Any id will do: nothing is sent.
    request = plan.kind.create_request(
        request_id="00000000-0000-8000-8000-000000000000", parent=agency, **{plan.kind.word: each.record}
    )
    try:
        validate(request)
    except InvalidArgument as error:
        violations = [(violation.field, violation.description) for violation in error.violations]
        report.note(each.row, refusals=of_fields(error.reason, violations, error.message, plan))
        return
    report.note(_with_unreadable(each.row, each.record, plan))


def _with_unreadable(row: MappedRow, record: Any, plan: Plan) -> MappedRow:  # noqa: ANN401 (a Tip or an Arrest)
    """Mark identifiers that have no normal form: they are kept, but nothing will ever link by them."""
    marks = []
    items = getattr(record, "seized_items", ())
    for occurrence in [*record.identifiers, *(each for item in items for each in item.identifiers)]:
        identifier = occurrence.identifier
        try:
            normalize(Kind(IdentifierType.Name(identifier.type).removeprefix("IDENTIFIER_TYPE_")), identifier.original)
        except NotAnIdentifier:
            fields = [slot.field for slot in plan.slots if slot.type == identifier.type]
            marks.append((plan.headers[fields[0]], Mark.NO_FORM))
    return replace(row, marks=(*row.marks, *dict.fromkeys(marks))) if marks else row
