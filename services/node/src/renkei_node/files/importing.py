"""Import a file: over the bulk path, once each row, and going on where an earlier try ended."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from renkei_chassis.errors import (
    Cancelled,
    DeadlineExceeded,
    RenkeiError,
    ResourceExhausted,
    Unavailable,
)
from renkei_chassis.ids import uuid8_of
from renkei_chassis.rpc.calling import Patience
from renkei_files import Outcome, ReportForm
from renkei_node.files.feed import Feed
from renkei_node.files.journal import Identity, Journal
from renkei_node.files.reading import batches, opened
from renkei_node.files.refusals import of_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from renkei_chassis.rpc.sync_client import SyncClient
    from renkei_files import Summary
    from renkei_node.files.plan import Plan
    from renkei_node.files.reading import Batch, ReadRow

TAG: Final = b"renkei-import-v1"
# What is no fault of a row and may pass: the connection is made anew, and what was not answered sent again.
_PASSING: Final = (Unavailable, DeadlineExceeded, Cancelled, ResourceExhausted)


def _nobody(_row: int, _record: Any, _name: str) -> None:  # noqa: ANN401 (a Tip or an Arrest)
    """Hear of a recorded row, and do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What is to be imported, and how."""

    path: Path
    report: Path
    plan: Plan
    agency: str
    agencies: Mapping[str, str]
    """The name of an agency for each word by which a file may call it."""
    form: ReportForm = ReportForm.CSV
    hurry_seconds: float = 60.0
    """How long a service may be away before the import gives up."""
    tell: Callable[[int], None] = lambda _rows: None
    """Hears of so many further rows that are dealt with."""
    begin: Callable[[int, int], None] | None = None
    """Hears about how many rows there are, and how many an earlier try had dealt with; they are counted only for it."""
    recorded: Callable[[int, Any, str], None] = field(default=_nobody)
    """Hears of each row that is a record now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How an import ended."""

    summary: Summary
    through: int
    """The last row that was dealt with; the same command goes on behind it."""
    resumed_after: int
    """The last row that an earlier try had dealt with; 0 where there was none."""
    finished: bool
    """Whether nothing is left to be sent. Rows may have been refused all the same."""


def load_id_of(agency: str, collection: str, digest: str) -> str:
    """Name the load of a file: whoever sends its rows again, from whatever folder, records nothing twice."""
    return str(uuid8_of(TAG, f"{agency}/{collection}/{digest}"))


def run(wanted: Import, client: SyncClient) -> Done:
    """Import a file, or go on importing it. Blocks.

    Every row that is no record, or that the service refuses, is in the report, and the others are taken. Where it ends
    early (the file breaks, the service refuses the caller or stays away) the report says where, and `finished` is
    false. Raises JournalError and OSError before anything is sent. An interrupt may come at any time.
    """
    kind = wanted.plan.kind
    with opened(wanted.path) as file:
        identity = Identity(
            file=file.digest,
            collection=kind.collection,
            agency=wanted.agency,
            profile=hashlib.sha256(wanted.plan.profile.model_dump_json().encode()).hexdigest(),
            form=wanted.form,
        )
        with Journal(wanted.report, identity) as journal:
            began = journal.through
            if journal.done:
                return _done(journal, began)
            if wanted.begin is not None:
                wanted.begin(file.count(wanted.plan), journal.report.summary.rows)
            load_id = load_id_of(wanted.agency, kind.collection, file.digest)
            rows = _behind(file.rows(wanted.plan, wanted.agencies), began)
            feed = Feed(batches(rows, wanted.plan, load_id=load_id, parent=wanted.agency))
            try:
                error = _send(feed, journal, wanted, client)
            except BaseException as failure:
                interrupted = isinstance(failure, KeyboardInterrupt)
                journal.report.stop_for("INTERRUPTED" if interrupted else "FAILED", "the import ended before the file")
                raise
            finally:
                feed.close()
            if error is not None:
                journal.report.stop_for(error.reason, str(error))
            elif feed.error is not None:
                journal.report.stop(feed.error)
            else:
                journal.told(journal.through, done=True)
            return _done(journal, began)


def _behind(rows: Iterator[ReadRow], through: int) -> Iterator[ReadRow]:
    """Skip what was dealt with. It is read all the same, since a later row may repeat the key of an earlier one."""
    for each in rows:
        if each.row.number > through:
            yield each


def _send(feed: Feed, journal: Journal, wanted: Import, client: SyncClient) -> RenkeiError | None:
    """Send until everything is answered; return what ended it early."""
    method = getattr(client.stub(wanted.plan.kind.stub), wanted.plan.kind.load)
    patience, failures, heard = Patience(), 0, time.monotonic()
    while True:
        error: RenkeiError = Unavailable("STREAM_ENDED", "the service ended the load before its last answer")
        try:
            for answer in client.duplex(method, feed.connect()):
                for batch in feed.answered():
                    _settle(batch, answer.results, journal, wanted)
                failures, heard = 0, time.monotonic()
        except _PASSING as passing:
            error = passing
        except RenkeiError as refusal:
            return refusal
        for batch in feed.rest():
            _settle(batch, (), journal, wanted)
        if feed.is_done:
            return None
        if time.monotonic() - heard > wanted.hurry_seconds:
            return error
        time.sleep(patience.pause(failures, random.random))
        failures += 1


def _settle(batch: Batch, results: Sequence[Any], journal: Journal, wanted: Import) -> None:
    """Write down what came of a batch: first the report, then the journal."""
    found = {result.row: result for result in results}
    for row in batch.rows:
        result = found.get(row.number)
        if result is None:
            journal.report.note(row)  # it was never sent, and has its problems
        elif result.WhichOneof("result") == "error":
            journal.report.note(row, refusals=of_status(result.error, wanted.plan))
        else:
            journal.report.note(row, Outcome.RECORDED, name=result.name)
            wanted.recorded(row.number, batch.records[row.number], result.name)
    journal.told(batch.rows[-1].number)
    wanted.tell(len(batch.rows))


def _done(journal: Journal, began: int) -> Done:
    return Done(summary=journal.report.summary, through=journal.through, resumed_after=began, finished=journal.done)
