"""ReportsService: the NPA's desk, its acknowledgements, and a year's counts."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from renkei.personas.v1 import enums_pb2, events_pb2, personas_pb2, reports_pb2
from renkei.policy.v1.policy_pb2 import GRADE_INDEX_ONLY

from renkei_chassis.clock import from_us
from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_personas.acts import error_of
from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.statistics import Fact, count
from renkei_personas.names import PLAN, denied
from renkei_personas.places import pass_with
from renkei_personas.store import cases, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.rpc.page_tokens import PageTokens
    from renkei_personas.names import Names

_KIND: Final = "reports"


class Reports:
    """The methods of ReportsService. Every node serves them; reports come in at the NPA's alone."""

    def __init__(self, *, names: Names, npa: str, database: Database, tokens: PageTokens) -> None:
        """Take the agency's names and which agency is the NPA."""
        self._names = names
        self._npa = npa
        self._database = database
        self._tokens = tokens

    def methods(self) -> Mapping[str, WriteMethod | ReadMethod]:
        """Give the methods."""
        return {
            "ListReports": ReadMethod(answer=self._list),
            "AcknowledgeReport": WriteMethod(rule=self._acknowledge, rebuild=self._rebuild),
            "GetStatistics": ReadMethod(answer=self._statistics),
        }

    def _acknowledge(
        self, transaction: Transaction, request: reports_pb2.AcknowledgeReportRequest, caller: Principal
    ) -> Written:
        if self._names.agency != self._npa:
            raise error_of(Refused("NOT_THE_NPA"))
        PLAN.parse(request.name)
        row = records.report(transaction, request.name)
        if row is None:
            raise denied()
        if row.version != request.version or row.acknowledged_version >= row.version:
            raise error_of(Refused("REPORT_VERSION_MISMATCH", version=str(row.version)))
        report = reports_pb2.Report.FromString(row.content)
        report.acknowledger = caller.subject
        report.acknowledge_time.FromMicroseconds(transaction.now_us)
        changed = {
            "name": row.name,
            "acknowledged_version": row.version,
            "content": report.SerializeToString(deterministic=True),
        }
        records.write_report(transaction, changed, is_new=False)
        told = events_pb2.PersonaReportAcknowledged(plan=row.name, agency=row.agency, version=row.version)
        transaction.emit(NewEvent(payload=told, resource=row.name, audience={row.agency: GRADE_INDEX_ONLY}))
        pass_with(transaction, "personas.ACKNOWLEDGE_REPORT")
        return Written(answer=report, resource=row.name, version=row.version)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        row = records.report(transaction, resource)
        return None if row is None else reports_pb2.Report.FromString(row.content)

    async def _list(self, request: reports_pb2.ListReportsRequest, call: Call) -> Message:
        del call
        self._names.own(request.parent)
        size = page_size(request.page_size, default=50, largest=100)
        position = self._tokens.decode(_KIND, request, request.page_token)
        before = (int(position[0]), str(position[1])) if position is not None else None
        rows = await self._database.read(
            partial(records.reports, before=before, only_open=request.only_open, limit=size + 1)
        )
        answer = reports_pb2.ListReportsResponse(
            reports=[reports_pb2.Report.FromString(row.content) for row in rows[:size]]
        )
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = self._tokens.encode(_KIND, request, (last.receive_us, last.name))
        return answer

    async def _statistics(self, request: reports_pb2.GetStatisticsRequest, call: Call) -> Message:
        del call
        self._names.own(request.parent)
        question = _received if self._names.agency == self._npa else partial(_own, agency=self._names.agency)
        year = count(await self._database.read(question), year=request.year)
        answer = reports_pb2.Statistics(
            year=request.year,
            investigations=year.investigations,
            documents_issued=year.documents_issued,
            agencies=year.agencies,
        )
        for (crime, outcome), number in year.rows.items():
            answer.rows.add(
                crime_code=personas_pb2.Plan.CrimeCode.ValueType(crime),
                outcome=enums_pb2.Outcome.ValueType(outcome),
                investigations=number,
            )
        return answer


def _received(connection: Connection) -> Sequence[Fact]:
    return [_fact(row) for row in records.all_reports(connection)]


def _fact(row: Any) -> Fact:  # noqa: ANN401 (a row of the table)
    report = reports_pb2.Report.FromString(row.content)
    return Fact(
        agency=row.agency,
        crime=report.crime_code,
        start=from_us(report.period_start.ToMicroseconds()),
        outcome=report.outcome,
        documents_issued=report.documents_issued,
    )


def _own(connection: Connection, *, agency: str) -> Sequence[Fact]:
    facts = []
    for row in cases.all_reported(connection):
        case = cases.case_of(connection, row)
        ended = int(case.outcome or 0)
        facts.append(
            Fact(
                agency=agency,
                crime=case.plan.crime,
                start=case.plan.start,
                outcome=ended,
                documents_issued=case.issued if ended else 0,
            )
        )
    return facts


def plan_id_of(name: str) -> bytes | None:
    """Read the id out of a plan's name; None where it is none of ours."""
    try:
        return uuid.UUID(name.rpartition("/")[2]).bytes
    except ValueError:
        return None
