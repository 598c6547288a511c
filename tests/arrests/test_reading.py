"""Arrest records in lists, loads and watches, over a real connection."""

from __future__ import annotations

from contextlib import aclosing

from google.rpc.error_details_pb2 import ErrorInfo
from renkei.arrests.v1 import arrests_pb2

from renkei_arrests.settings import Settings
from tests.agency import AGENCY, Agency, request_id
from tests.arrests.calls import (
    Arrests,
    an_arrest,
    japan,
    stamp,
)


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
