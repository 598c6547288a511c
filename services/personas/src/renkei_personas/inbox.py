"""What events of others do here: reports come in at the NPA, acknowledgements elsewhere, and real values everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import events_pb2 as arrests
from renkei.personas.v1 import events_pb2, reports_pb2
from renkei.tips.v1 import events_pb2 as tips

from renkei_chassis.errors import RenkeiError, Unavailable
from renkei_chassis.follower.apply import Handler, SetAside
from renkei_personas.domain.case import Act
from renkei_personas.domain.decide import action_on
from renkei_personas.names import PLAN
from renkei_personas.places import pass_with
from renkei_personas.reports import plan_id_of
from renkei_personas.store import cases, records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import Transaction
    from renkei_personas.acts import Acts
    from renkei_personas.collisions import Collisions

FOREIGN_ORIGINATOR: Final = "FOREIGN_ORIGINATOR"
MALFORMED_RECORD: Final = "MALFORMED_RECORD"
_TIPS: Final = (tips.TipRecorded, tips.TipRevised, tips.TipRestored, tips.TipReleased)
_OPINIONS: Final = (tips.OpinionRecorded, tips.OpinionRevised, tips.OpinionRestored, tips.OpinionReleased)
_ARRESTS: Final = (
    arrests.ArrestRecorded,
    arrests.ArrestRevised,
    arrests.ArrestRestored,
    arrests.ArrestReleased,
    arrests.DispositionRecorded,
)
_NPA: Final = frozenset({"NPA"})


class Inbox:
    """Handlers for the logs that this service follows. Each is safe to repeat."""

    def __init__(self, *, acts: Acts, npa: str, collisions: Collisions) -> None:
        """Take which agency is the NPA."""
        self._acts = acts
        self._npa = npa
        self._agency = acts.names.agency
        self._collisions = collisions

    def handlers(self) -> Mapping[str, Mapping[str, Handler]]:
        """Give the handlers of the three logs."""
        of_tips = {
            **{kind.DESCRIPTOR.full_name: self._collisions.learn_tip for kind in _TIPS},
            **{kind.DESCRIPTOR.full_name: self._collisions.learn_opinion for kind in _OPINIONS},
        }
        of_arrests = {kind.DESCRIPTOR.full_name: self._collisions.learn_arrest for kind in _ARRESTS}
        acknowledged: dict[str, Handler] = {
            events_pb2.PersonaReportAcknowledged.DESCRIPTOR.full_name: self._acknowledged
        }
        reported: dict[str, Handler] = {
            events_pb2.PersonaReported.DESCRIPTOR.full_name: self._reported,
            events_pb2.PersonaOutcomeReported.DESCRIPTOR.full_name: self._ended,
        }
        return {
            "tips": of_tips,
            "arrests": of_arrests,
            "exchange": {**of_tips, **of_arrests, **acknowledged, **reported},
        }

    def _reported(self, transaction: Transaction, event: Event, payload: events_pb2.PersonaReported) -> None:
        if not self._is_for_npa(event, payload):
            return
        row = records.report(transaction, payload.plan)
        report = reports_pb2.Report.FromString(row.content) if row is not None else reports_pb2.Report()
        if row is not None and row.version >= payload.version:
            return
        report.name = payload.plan
        report.crime_code = payload.crime_code
        report.period_start.CopyFrom(payload.period_start)
        report.period_end.CopyFrom(payload.period_end)
        report.document_count = payload.document_count
        report.version = payload.version
        report.receive_time.FromMicroseconds(transaction.now_us)
        report.ClearField("acknowledge_time")
        report.ClearField("acknowledger")
        records.write_report(
            transaction,
            {
                "name": payload.plan,
                "agency": payload.agency,
                "receive_us": transaction.now_us,
                "version": payload.version,
                "acknowledged_version": row.acknowledged_version if row is not None else 0,
                "content": report.SerializeToString(deterministic=True),
            },
            is_new=row is None,
        )
        pass_with(transaction, "personas.REPORT_RECEIVED")

    def _ended(self, transaction: Transaction, event: Event, payload: events_pb2.PersonaOutcomeReported) -> None:
        if not self._is_for_npa(event, payload):
            return
        row = records.report(transaction, payload.plan)
        if row is None:
            raise SetAside("REPORT_UNKNOWN")
        report = reports_pb2.Report.FromString(row.content)
        report.outcome = payload.outcome
        report.documents_issued = payload.documents_issued
        report.outcome_time.FromMicroseconds(transaction.now_us)
        changed = {"name": row.name, "content": report.SerializeToString(deterministic=True)}
        records.write_report(transaction, changed, is_new=False)
        pass_with(transaction, "personas.OUTCOME_RECEIVED")

    def _acknowledged(
        self, transaction: Transaction, event: Event, payload: events_pb2.PersonaReportAcknowledged
    ) -> None:
        """Let the acknowledgement of the last reported version do what the table says; any other does nothing."""
        if event.origin.agency != self._npa:
            raise SetAside(FOREIGN_ORIGINATOR)
        plan_id = plan_id_of(payload.plan)
        row = cases.find_by_plan(transaction, plan_id) if plan_id is not None else None
        if row is None or payload.agency != self._agency or payload.version != row.reported_version:
            return
        # What is due strikes first and stays, whether or not the acknowledgement came in time.
        self._acts.let_clocks_strike(transaction, row.id)
        before = cases.load(transaction, row.id)
        assert before is not None  # noqa: S101 (it was found above)
        action = action_on(before.case, "ACKNOWLEDGE")
        act = Act(action=action, who=self._npa, roles=_NPA, now=transaction.now)
        changes: dict[str, Any] = {"acknowledge_us": transaction.now_us}
        if before.case.extension is not None:
            changes["plan"] = before.row.extension_plan
        try:
            self._acts.carry_out(transaction, before, act, changes=changes)
        except Unavailable:
            raise  # a clock that is behind: it is applied when that is put right
        except RenkeiError:
            return  # it came too late: what expired or was closed meanwhile stays so

    def _is_for_npa(self, event: Event, payload: Any) -> bool:  # noqa: ANN401 (one of two events)
        """Tell whether a report is ours to keep; set aside one that speaks for another agency."""
        if self._agency != self._npa:
            return False
        if event.origin.agency != payload.agency:
            raise SetAside(FOREIGN_ORIGINATOR)
        if not PLAN.matches(payload.plan) or not payload.plan.startswith(f"{payload.agency}/plans/"):
            raise SetAside(MALFORMED_RECORD)
        return True
