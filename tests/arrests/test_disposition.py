"""What became of an arrest: recorded once, corrected by its originator, and told to whoever has the record."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from renkei.arrests.v1 import arrests_pb2

from renkei_chassis.errors import (
    Aborted,
    FailedPrecondition,
    InvalidArgument,
    NotFoundOrDenied,
)
from tests.agency import AGENCY, TOKYO, Agency, request_id
from tests.arrests.calls import (
    RESTRAINT,
    Arrests,
    a_disposition,
    an_arrest,
    japan,
    stamp,
)


async def test_a_disposition_is_recorded_once_as_a_new_version(arrests: Arrests, agency: Agency) -> None:
    made = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    request = request_id()

    disposed = await arrests.dispose(made, request=request)
    again = await arrests.dispose(made, request=request)

    assert again == disposed
    assert (disposed.state, disposed.version) == (arrests_pb2.Arrest.STATE_DISPOSED, 2)
    assert disposed.disposition == a_disposition()
    events = await agency.events()
    assert [event.type.rpartition(".")[2] for event in events] == ["ArrestRecorded", "DispositionRecorded"]
    assert [entry.agency for entry in events[1].audience] == [TOKYO]
    with pytest.raises(FailedPrecondition) as refused:
        await arrests.dispose(disposed)
    assert refused.value.reason == "DISPOSED"


async def test_a_disposition_needs_the_etag_that_was_read(arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(Aborted) as refused:
        await arrests.dispose(made, etag="stale")

    assert refused.value.reason == "ETAG_MISMATCH"


async def test_a_disposition_before_the_restraint_is_refused(arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(InvalidArgument) as refused:
        await arrests.dispose(made, a_disposition(RESTRAINT - timedelta(minutes=1)))

    assert refused.value.reason == "TIMES_OUT_OF_ORDER"
    assert refused.value.metadata["field"] == "arrest.disposition.time"


async def test_an_incomplete_disposition_is_refused(arrests: Arrests) -> None:
    made = await arrests.create()

    with pytest.raises(InvalidArgument) as refused:
        await arrests.dispose(made, arrests_pb2.Disposition(reason="x"))

    assert [violation.field for violation in refused.value.violations] == ["disposition.kind", "disposition.time"]


async def test_a_disposition_of_a_missing_or_foreign_arrest_is_refused(arrests: Arrests) -> None:
    missing = an_arrest(name=f"{AGENCY}/arrests/{uuid.uuid4()}", etag="any")
    foreign = an_arrest(name=f"{TOKYO}/arrests/{uuid.uuid4()}", etag="any")

    with pytest.raises(NotFoundOrDenied):
        await arrests.dispose(missing)
    with pytest.raises(FailedPrecondition) as refused:
        await arrests.dispose(foreign)

    assert (refused.value.reason, refused.value.metadata["agency"]) == ("FOREIGN_ORIGINATOR", TOKYO)


async def test_a_correction_cannot_move_the_restraint_behind_the_disposition(arrests: Arrests) -> None:
    disposed = await arrests.dispose(await arrests.create(), a_disposition(japan(2)))
    change = arrests_pb2.Arrest(name=disposed.name, etag=disposed.etag, restraint_time=stamp(japan(3)))

    with pytest.raises(InvalidArgument) as refused:
        await arrests.update(change, "restraint_time")

    assert refused.value.reason == "TIMES_OUT_OF_ORDER"


async def test_a_wrong_disposition_is_corrected_by_its_originator_as_a_new_version(
    arrests: Arrests, agency: Agency
) -> None:
    disposed = await arrests.dispose(await arrests.create(an_arrest(releasable_to=[TOKYO])))
    right = arrests_pb2.Disposition(
        kind=arrests_pb2.Disposition.KIND_NOT_INDICTED, time=stamp(japan(12)), reason="(演習データ) 訂正"
    )
    change = arrests_pb2.Arrest(name=disposed.name, etag=disposed.etag, disposition=right)
    request = request_id()

    corrected = await arrests.update(change, "disposition", request=request)
    again = await arrests.update(change, "disposition", request=request)

    assert again == corrected
    assert (corrected.version, corrected.state) == (3, arrests_pb2.Arrest.STATE_DISPOSED)
    assert corrected.disposition == right
    assert corrected.correction_reason
    assert (await arrests.get(disposed.name, version=2)).disposition == disposed.disposition, "what was said is kept"
    told = (await agency.events())[-1]
    assert told.type.rpartition(".")[2] == "ArrestRevised"
    assert [entry.agency for entry in told.audience] == [TOKYO]


async def test_one_field_of_a_disposition_is_corrected_alone(arrests: Arrests) -> None:
    disposed = await arrests.dispose(await arrests.create())
    change = arrests_pb2.Arrest(name=disposed.name, etag=disposed.etag)
    change.disposition.kind = arrests_pb2.Disposition.KIND_FAMILY_COURT

    corrected = await arrests.update(change, "disposition.kind")

    assert corrected.disposition.kind == arrests_pb2.Disposition.KIND_FAMILY_COURT
    assert corrected.disposition.time == disposed.disposition.time


async def test_a_disposition_of_the_wrong_record_is_taken_back_and_can_be_recorded_anew(arrests: Arrests) -> None:
    disposed = await arrests.dispose(await arrests.create())

    opened = await arrests.update(arrests_pb2.Arrest(name=disposed.name, etag=disposed.etag), "disposition")
    anew = await arrests.dispose(opened)

    assert (opened.version, opened.state) == (3, arrests_pb2.Arrest.STATE_OPEN)
    assert not opened.HasField("disposition")
    assert (anew.version, anew.state) == (4, arrests_pb2.Arrest.STATE_DISPOSED)


@pytest.mark.parametrize("path", ["disposition", "disposition.kind"])
async def test_a_disposition_that_was_never_recorded_cannot_be_corrected(arrests: Arrests, path: str) -> None:
    made = await arrests.create()
    change = arrests_pb2.Arrest(name=made.name, etag=made.etag, disposition=a_disposition())

    with pytest.raises(FailedPrecondition) as refused:
        await arrests.update(change, path)

    assert refused.value.reason == "NOT_DISPOSED"
    assert await arrests.get(made.name) == made


@pytest.mark.parametrize(
    ("disposition", "path", "reason", "field"),
    [
        (arrests_pb2.Disposition(time=stamp(japan(9))), "disposition", "FIELD_INVALID", "arrest.disposition.kind"),
        (arrests_pb2.Disposition(), "disposition.time", "FIELD_INVALID", "arrest.disposition.time"),
        (a_disposition(japan(1)), "disposition", "TIMES_OUT_OF_ORDER", "arrest.disposition.time"),
    ],
)
async def test_a_correction_leaves_no_disposition_that_could_not_be_recorded(
    arrests: Arrests, disposition: arrests_pb2.Disposition, path: str, reason: str, field: str
) -> None:
    disposed = await arrests.dispose(await arrests.create())
    change = arrests_pb2.Arrest(name=disposed.name, etag=disposed.etag, disposition=disposition)

    with pytest.raises(InvalidArgument) as refused:
        await arrests.update(change, path)

    assert refused.value.reason == reason
    assert refused.value.violations[0].field == field
    assert await arrests.get(disposed.name) == disposed


async def test_clocks_state_and_juvenile_class_are_not_corrected_by_a_mask(arrests: Arrests) -> None:
    made = await arrests.create()
    change = an_arrest(name=made.name, etag=made.etag)

    with pytest.raises(InvalidArgument) as refused:
        await arrests.update(change, "clocks", "state", "person.juvenile_class")

    assert refused.value.reason == "INVALID_UPDATE_MASK"
