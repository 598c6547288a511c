"""Arrest records over a real connection: what is checked, what is computed, what becomes of them."""

from __future__ import annotations

import uuid
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from renkei.arrests.v1 import arrests_pb2
from renkei.identifiers.v1 import identifiers_pb2

from renkei_arrests.settings import Settings
from renkei_arrests.wiring import blueprint
from renkei_chassis.clock import ManualClock, WallClock, from_us
from renkei_chassis.errors import (
    Aborted,
    FailedPrecondition,
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    Unavailable,
)
from tests.agency import AGENCY, HASTY, MEMBERS, TOKYO, Agency, request_id, run_agency
from tests.arrests.calls import (
    RESTRAINT,
    Arrests,
    a_device,
    a_disposition,
    an_arrest,
    an_occurrence,
    japan,
    stamp,
)
from tests.identifiers import EVERY_TYPE, SPANNED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from renkei_chassis.ports import PortClaims

TO_PROSECUTOR = arrests_pb2.Clock.KIND_TO_PROSECUTOR
DETENTION_REQUEST = arrests_pb2.Clock.KIND_DETENTION_REQUEST


def a_person(birth_date: str = "2004-10-05") -> arrests_pb2.Person:
    return arrests_pb2.Person(display_name="(演習データ) 髙﨑 一郎", kana="(演習)", birth_date=birth_date)


async def test_an_auditor_records_no_arrest(agency: Agency) -> None:
    with pytest.raises(NotAllowed) as refused:
        await Arrests(agency.client("AUDITOR")).create()

    assert refused.value.reason == "ROLE_MISSING"


async def test_what_callers_cannot_write_is_set_by_the_service(arrests: Arrests) -> None:
    record = an_arrest(
        name="mine",
        state=arrests_pb2.Arrest.STATE_DISPOSED,
        version=9,
        disposition=a_disposition(),
        clocks=[arrests_pb2.Clock(overdue=True)] * 3,
        person=a_person(""),
    )
    record.person.juvenile_class = arrests_pb2.Person.JUVENILE_CLASS_ADULT

    made = await arrests.create(record)

    assert made.name.startswith(f"{AGENCY}/arrests/")
    assert (made.state, made.version) == (arrests_pb2.Arrest.STATE_OPEN, 1)
    assert not made.HasField("disposition")
    assert made.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_UNSPECIFIED
    assert [clock.kind for clock in made.clocks] == [TO_PROSECUTOR]
    assert made.contact_desk.startswith("(演習データ)")
    assert await arrests.get(made.name) == made


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("2004-10-01", arrests_pb2.Person.JUVENILE_CLASS_ADULT),
        ("2004-10-02", arrests_pb2.Person.JUVENILE_CLASS_SPECIFIED_18_19),
        ("2006-10-02", arrests_pb2.Person.JUVENILE_CLASS_14_17),
        ("2010-10-02", arrests_pb2.Person.JUVENILE_CLASS_UNDER_14),
        ("", arrests_pb2.Person.JUVENILE_CLASS_UNSPECIFIED),
    ],
)
async def test_the_juvenile_class_is_the_one_at_restraint(
    arrests: Arrests, birth_date: str, expected: arrests_pb2.Person.JuvenileClass.ValueType
) -> None:
    made = await arrests.create(an_arrest(person=a_person(birth_date)))

    assert made.person.juvenile_class == expected


async def test_a_corrected_birth_date_or_restraint_gives_another_class(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest(person=a_person("2004-10-05")))
    change = arrests_pb2.Arrest(name=made.name, etag=made.etag, restraint_time=stamp(japan(5)))

    later = await arrests.update(change, "restraint_time")
    change = arrests_pb2.Arrest(name=made.name, etag=later.etag, person=a_person("2004-10-06"))
    corrected = await arrests.update(change, "person.birth_date")

    assert made.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_SPECIFIED_18_19
    assert later.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_ADULT
    assert corrected.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_SPECIFIED_18_19


@pytest.mark.parametrize("birth_date", ["2004-02-30", "2024-10-02", "0000-00-00"])
async def test_a_birth_date_that_cannot_be_is_refused(arrests: Arrests, birth_date: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(person=a_person(birth_date)))

    assert refused.value.reason == "BIRTH_DATE_INVALID"
    assert refused.value.violations[0].field == "arrest.person.birth_date"
    assert birth_date not in refused.value.message


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: an_arrest(restraint=None), "arrest.restraint_time"),
        (lambda: an_arrest(kind=99), "arrest.kind"),
        (lambda: an_arrest(role=-1), "arrest.role"),
        (lambda: an_arrest(offence="x" * 100_000), "arrest.offence"),
        (lambda: an_arrest(case_reference="a\0b"), "arrest.case_reference"),
        (lambda: an_arrest(text="x" * 20_001), "arrest.text"),
        (lambda: an_arrest(person=arrests_pb2.Person(birth_date="R6.10.1")), "arrest.person.birth_date"),
        (lambda: an_arrest(person=arrests_pb2.Person(display_name="a\x1bb")), "arrest.person.display_name"),
        (lambda: an_arrest(prosecutor_receipt_time={"seconds": 10**17}), "arrest.prosecutor_receipt_time"),
        (
            lambda: an_arrest(seized_items=[a_device(an_occurrence()), a_device(an_occurrence(provenance=99))]),
            "arrest.seized_items[1].identifiers[0].provenance",
        ),
        (
            lambda: an_arrest(seized_items=[a_device(identifiers_pb2.Occurrence())]),
            "arrest.seized_items[0].identifiers[0].identifier.type",
        ),
    ],
)
async def test_a_broken_field_is_named(arrests: Arrests, make: Callable[[], arrests_pb2.Arrest], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(make())

    assert refused.value.reason == "FIELD_INVALID"
    assert refused.value.violations[0].field == field
    assert not (await arrests.page()).arrests


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prosecutor_receipt_time": stamp(japan(1, 3, 14))}, "arrest.prosecutor_receipt_time"),
        ({"detention_request_time": stamp(japan(1))}, "arrest.detention_request_time"),
        (
            {"prosecutor_receipt_time": stamp(japan(2)), "detention_request_time": stamp(japan(1, 23))},
            "arrest.detention_request_time",
        ),
    ],
)
async def test_times_out_of_the_order_of_the_law_are_refused(
    arrests: Arrests, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(**changes))

    assert refused.value.reason == "TIMES_OUT_OF_ORDER"
    assert refused.value.metadata["field"] == field


async def test_the_clocks_are_shown_with_each_reading_and_never_stored(arrests: Arrests, agency: Agency) -> None:
    made = await arrests.create(an_arrest(prosecutor_receipt_time=stamp(japan(2, 10))))

    first, second = made.clocks
    assert (first.kind, first.start_time, first.due_time) == (TO_PROSECUTOR, stamp(RESTRAINT), stamp(japan(3, 3, 15)))
    assert (first.met_time, first.overdue) == (stamp(japan(2, 10)), False)
    assert (second.kind, second.start_time, second.due_time) == (
        DETENTION_REQUEST,
        stamp(japan(2, 10)),
        stamp(japan(3, 10)),
    )
    assert (second.HasField("met_time"), second.overdue) == (False, True)
    (event,) = await agency.events()
    payload = arrests_pb2.Arrest()
    payload.ParseFromString(event.data.value[event.data.value.index(made.name.encode()) - 2 :])
    assert not payload.clocks
    for shown in (await arrests.page()).arrests:
        assert list(shown.clocks) == [first, second]


async def test_a_clock_becomes_overdue_as_time_goes_by(tmp_path: Path, ports: PortClaims) -> None:
    now = WallClock().now()
    clock = ManualClock(now)
    async with run_agency(blueprint(Settings(members=MEMBERS)), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        made = await arrests.create(an_arrest(restraint=now))

        clock.advance(48 * 3600)
        in_time = (await arrests.get(made.name)).clocks[0].overdue
        clock.advance(1)
        late = (await arrests.get(made.name)).clocks[0].overdue

        assert (made.clocks[0].overdue, in_time, late) == (False, False, True)


class TurnedClock(ManualClock):
    """A clock that refuses to tell the time once somebody turned it, as the real one does."""

    turned = False

    def now_us(self) -> int:
        if self.turned:
            raise Unavailable("CLOCK_JUMPED", "the wall clock jumped")
        return super().now_us()

    def now(self) -> datetime:
        return from_us(self.now_us())


async def test_a_turned_clock_stops_writes_and_no_reads(tmp_path: Path, ports: PortClaims) -> None:
    clock = TurnedClock(WallClock().now())
    async with run_agency(blueprint(Settings(members=MEMBERS)), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        made = await arrests.create()
        hasty = Arrests(agency.client(patience=HASTY))
        clock.turned = True

        with pytest.raises(Unavailable) as refused:
            await hasty.create()

        assert refused.value.reason == "CLOCK_JUMPED"
        assert await arrests.get(made.name) == made
        assert list((await arrests.page()).arrests) == [made]


async def test_the_facts_of_custody_are_recorded_step_by_step(arrests: Arrests) -> None:
    made = await arrests.create()
    change = arrests_pb2.Arrest(name=made.name, etag=made.etag, prosecutor_receipt_time=stamp(japan(3, 3)))
    received = await arrests.update(change, "prosecutor_receipt_time")
    change = arrests_pb2.Arrest(name=made.name, etag=received.etag, detention_request_time=stamp(japan(4, 3)))

    requested = await arrests.update(change, "detention_request_time")

    assert [clock.overdue for clock in requested.clocks] == [False, False]
    assert requested.clocks[1].due_time == requested.clocks[1].met_time == stamp(japan(4, 3))
    assert requested.version == 3


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


@pytest.mark.parametrize("path", ["kind", "restraint_time", "offence", "handling"])
async def test_a_correction_cannot_empty_what_is_required(arrests: Arrests, path: str) -> None:
    made = await arrests.create()

    with pytest.raises(InvalidArgument) as refused:
        await arrests.update(arrests_pb2.Arrest(name=made.name, etag=made.etag), path)

    assert refused.value.reason in {"FIELD_INVALID", "TIMES_OUT_OF_ORDER"}
    assert (await arrests.get(made.name)).version == 1


async def test_disposition_and_clocks_are_not_corrected_by_a_mask(arrests: Arrests) -> None:
    made = await arrests.create()
    change = an_arrest(name=made.name, etag=made.etag, disposition=a_disposition(), person=a_person())

    with pytest.raises(InvalidArgument) as refused:
        await arrests.update(change, "disposition", "clocks", "state", "person.juvenile_class")

    assert refused.value.reason == "INVALID_UPDATE_MASK"


async def test_identifiers_on_seized_items_are_read_found_and_span_the_restraint(arrests: Arrests) -> None:
    handle = an_occurrence("@renkei_demo (X)")
    handle.identifier.type = identifiers_pb2.IDENTIFIER_TYPE_HANDLE
    made = await arrests.create(
        an_arrest(
            seized_items=[a_device(), a_device(an_occurrence(), handle)], identifiers=[an_occurrence("080-8765-4321")]
        )
    )

    phone, found = made.seized_items[1].identifiers
    assert (phone.identifier.normal_form, found.identifier.normal_form) == ("+819012345678", "x:renkei_demo")
    assert found.valid_from == stamp(RESTRAINT - timedelta(days=90))
    assert found.valid_until == stamp(RESTRAINT + timedelta(days=90))
    for part in ("090-1234", "renkei_demo", "080-8765"):
        assert [arrest.name for arrest in (await arrests.search(part)).arrests] == [made.name]


async def test_a_seized_item_carries_identifiers_of_every_type(arrests: Arrests) -> None:
    written = []
    for kind, each in EVERY_TYPE.items():
        written.append(an_occurrence(each.original))
        written[-1].identifier.type = kind

    made = await arrests.create(an_arrest(seized_items=[a_device(*written)]))

    read = made.seized_items[0].identifiers
    assert [each.identifier.normal_form for each in read] == [each.form for each in EVERY_TYPE.values()]
    assert {each.identifier.type for each in read if each.HasField("valid_from")} == SPANNED
    for each in EVERY_TYPE.values():
        assert [arrest.name for arrest in (await arrests.search(each.parts[0])).arrests] == [made.name], each


async def test_a_phone_full_of_numbers_is_recorded(arrests: Arrests) -> None:
    numbers = [an_occurrence(f"090-1234-{row:04}") for row in range(1000)]

    made = await arrests.create(an_arrest(seized_items=[a_device(*numbers)]))

    assert len({item.identifier.normal_form for item in made.seized_items[0].identifiers}) == 1000
    assert len((await arrests.search("090-1234-0999")).arrests) == 1


async def test_lists_are_filtered_by_kind_state_and_case(arrests: Arrests) -> None:
    urgent = await arrests.create(an_arrest(kind=arrests_pb2.Arrest.KIND_URGENT, case_reference="(演習)1"))
    urgent.kind = arrests_pb2.Arrest.KIND_URGENT
    flagrant = an_arrest(case_reference="(演習)2")
    flagrant.kind = arrests_pb2.Arrest.KIND_FLAGRANT
    disposed = await arrests.dispose(await arrests.create(flagrant))

    by_kind = await arrests.page(kinds=[arrests_pb2.Arrest.KIND_FLAGRANT])
    by_state = await arrests.page(states=[arrests_pb2.Arrest.STATE_DISPOSED])
    by_case = await arrests.page(case_reference="(演習)1")

    assert [arrest.name for arrest in by_kind.arrests] == [disposed.name]
    assert [arrest.name for arrest in by_state.arrests] == [disposed.name]
    assert [arrest.name for arrest in by_case.arrests] == [urgent.name]


async def test_a_walk_through_pages_gives_each_arrest_once(arrests: Arrests) -> None:
    names = [(await arrests.create()).name for _ in range(7)]

    request = arrests_pb2.ListArrestsRequest(parent=AGENCY, page_size=3)
    pages = [list(page.arrests) async for page in arrests.client.pages(arrests.stub.ListArrests, request)]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [arrest.name for page in pages for arrest in page] == names[::-1]


async def test_a_deleted_arrest_is_hidden_and_can_be_brought_back(arrests: Arrests) -> None:
    made = await arrests.create()

    deleted = await arrests.delete(made.name, etag=made.etag)
    back = await arrests.undelete(made.name)

    assert deleted.HasField("delete_time")
    assert list(deleted.clocks) == list(made.clocks)
    assert (back.version, back.HasField("delete_time")) == (2, False)
    assert list((await arrests.page()).arrests) == [back]


async def test_a_load_answers_each_row_and_records_nothing_twice(arrests: Arrests, agency: Agency) -> None:
    load_id = request_id()
    late = an_arrest(prosecutor_receipt_time=stamp(japan(1)))
    rows = [an_arrest(), late, an_arrest(offence="(演習データ) 窃盗")]

    first = await arrests.load(rows, load_id=load_id)
    again = await arrests.load(rows, load_id=load_id)

    info = ErrorInfo()
    assert first[1].error.details[0].Unpack(info)
    assert info.reason == "TIMES_OUT_OF_ORDER"
    assert [result.name for result in again] == [result.name for result in first]
    assert agency.service.log.position.sequence == 2


async def test_a_watch_tells_what_became_of_an_arrest(arrests: Arrests) -> None:
    made = await arrests.create()
    disposed = await arrests.dispose(made)
    request = arrests_pb2.WatchArrestsRequest(from_start=True)
    changes: list[arrests_pb2.ArrestChange] = []

    async with aclosing(arrests.client.watch(arrests.stub.WatchArrests, request)) as answers:
        async for answer in answers:
            changes.extend(answer.changes)
            if len(changes) >= 2:
                break

    assert [change.kind for change in changes] == ["ArrestRecorded", "DispositionRecorded"]
    assert changes[0].arrest == changes[1].arrest == disposed


def test_every_setting_says_what_it_is_and_nothing_is_released_by_default() -> None:
    assert all((field.description or "").strip() for field in Settings.model_fields.values())
    assert Settings().release_without_instrument is False


def test_the_moments_of_the_tests_are_in_japan() -> None:
    assert datetime.fromisoformat("2024-09-30T18:15:00+00:00") == RESTRAINT
