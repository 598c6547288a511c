"""Exhibits: recorded by the thousand, read in pages and streams, corrected, deleted, told under their label."""

# ruff: noqa: ANN401 (fields of a message are of many types)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import events_pb2
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from renkei.identifiers.v1.identifiers_pb2 import RELATION_COMMUNICATED
from renkei.policy.v1.handling_pb2 import PERMITTED_ACTION_INDEX_ONLY
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_arrests.exhibits import rules, telling
from renkei_chassis.contract import event_type
from renkei_chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    RenkeiError,
)
from renkei_chassis.follower import state
from renkei_chassis.ids import uuid7
from renkei_chassis.release import strip
from tests.agency import AGENCY, SAPPORO, TOCHIGI, TOKYO, Agency, request_id
from tests.arrests.calls import Arrests, an_arrest, an_occurrence
from tests.arrests.exhibits import BYSTANDER, Exhibits, a_label, a_phone, an_entry, an_exhibit
from tests.tips.test_loading import reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def exhibits(agency: Agency) -> Exhibits:
    return Exhibits(agency.client())


async def told(agency: Agency, after: int = 0) -> list[tuple[str, list[str], list[str]]]:
    """Give the events of exhibits: which, whom, and what of each exhibit."""
    found = []
    for event in await agency.events(after):
        name = event.type.rpartition(".")[2]
        if name.startswith("Exhibits"):
            payload: Any = event_type(event.type).FromString(event.data.value)
            whom = [f"{entry.agency}:{entry.grade}" for entry in event.audience]
            found.append((name, whom, [getattr(each, "name", each) for each in payload.exhibits]))
    return found


async def test_a_phone_is_recorded_with_its_accounts_and_what_they_hold(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    arrest = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    request = request_id()

    phone = await exhibits.create(arrest.name, a_phone(exhibit_number="(演習)符号7"), request=request)
    again = await exhibits.create(arrest.name, a_phone(exhibit_number="(演習)符号7"), request=request)
    account = await exhibits.create(
        arrest.name, an_exhibit(an_occurrence("090-8888-7777"), kind=Exhibit.KIND_ACCOUNT, within=phone.name)
    )
    entries = [
        await exhibits.create(arrest.name, Exhibit(kind=Exhibit.KIND_ENTRY, within=account.name)) for _ in range(3)
    ]

    assert again == phone == await exhibits.get(phone.name)
    assert (phone.number, phone.version, phone.recorder) == (1, 1, f"{AGENCY}/officers/sato")
    assert account.identifiers[0].identifier.normal_form == "+819088887777"
    assert [each.number for each in await exhibits.all(arrest.name)] == [1, 2, 3, 4, 5]
    assert list((await exhibits.page(arrest.name, within=account.name)).exhibits) == entries
    assert list((await exhibits.page(arrest.name, within=phone.name)).exhibits) == [account]
    first = await exhibits.page(arrest.name, page_size=2)
    second = await exhibits.page(arrest.name, page_size=3, page_token=first.next_page_token)
    assert [each.number for each in (*first.exhibits, *second.exhibits)] == [1, 2, 3, 4, 5]
    assert (bool(first.next_page_token), second.next_page_token) == (True, "")
    assert [each.number for each in await exhibits.all(arrest.name, after=3)] == [4, 5]
    assert [each.name for each in (await arrests.search("8888-7777")).arrests] == [arrest.name]
    assert [whom for _, whom, _ in await told(agency)] == [[f"{TOKYO}:{GRADE_FULL}"]] * 5


async def test_thousands_are_loaded_once_and_told_in_few_events_that_every_courier_holds(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    arrest = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    rows = [(a_phone(), 0), *((an_entry(row, RELATION_COMMUNICATED), 1) for row in range(1500))]
    rows += [(an_exhibit(an_occurrence("#9110")), 1), (Exhibit(), 1), (an_entry(1), 1503), (an_entry(2), 9999)]
    load_id = request_id()

    broken_off = await exhibits.load(arrest.name, rows[:700], load_id=load_id)
    results = await exhibits.load(arrest.name, rows, load_id=load_id)

    names = [result.name for result in results]
    refused = {result.row: reason_of(result.error) for result in results if not result.name}
    assert names[:700] == [result.name for result in broken_off]
    assert len(set(names[:1501])) == 1501
    assert refused == {
        1502: "PROTECTED_IDENTIFIER",
        1503: "FIELD_INVALID",
        1504: "EXHIBIT_WITHIN_UNKNOWN",
        1505: "EXHIBIT_WITHIN_UNKNOWN",
    }
    events = await told(agency)
    assert len(events) < 20
    assert sorted(name for _, _, those in events for name in those) == sorted(names[:1501])
    assert max(len(event.data.value) for event in await agency.events()) < 256 * 1024
    found = await exhibits.all(arrest.name)
    assert [each.name for each in found] == names[:1501]
    assert {each.within for each in found[1:]} == {names[0]}


async def test_what_stands_in_an_address_book_alone_is_told_nobody_and_links_nothing(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    arrest = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    called = an_entry(1, RELATION_COMMUNICATED)
    called.identifiers.append(an_entry(2).identifiers[0])
    await exhibits.create(arrest.name, an_entry(7))
    mixed = await exhibits.create(arrest.name, called)

    (event,) = [event for event in await agency.events() if event.type.endswith("ExhibitsRecorded")]
    payload = events_pb2.ExhibitsRecorded.FromString(event.data.value)
    full, index = strip(payload, GRADE_FULL), strip(payload, GRADE_INDEX_ONLY)

    assert [each.name for each in payload.exhibits] == [mixed.name]
    assert [len(each.exhibits[0].identifiers) for each in (full, index)] == [1, 1]
    assert index.exhibits[0].identifiers[0].identifier.original == ""
    assert full.exhibits[0].number == full.exhibits[0].recorder.__len__() == 0
    # It is found here at home: whoever searches for a bystander's number has a reason to.
    assert [each.name for each in (await arrests.search("1234-0007")).arrests] == [arrest.name]


async def test_a_correction_is_a_version_and_a_deletion_takes_everything_within_along(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    arrest = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    phone = await exhibits.create(arrest.name, a_phone())
    account = await exhibits.create(arrest.name, an_exhibit(kind=Exhibit.KIND_ACCOUNT, within=phone.name))
    entry = await exhibits.create(
        arrest.name, an_exhibit(an_occurrence("090-8888-7777"), description="(演習)", within=account.name)
    )
    bystander = await exhibits.create(arrest.name, an_exhibit(*an_entry(5).identifiers, within=account.name))
    other = await exhibits.create(arrest.name, a_phone())
    after = agency.service.log.position.sequence

    changed = Exhibit(name=entry.name, etag=entry.etag, within=other.name, identifiers=[an_occurrence("090-8888-6666")])
    revised = await exhibits.update(changed, "identifiers", "within", "version", request=(request := request_id()))
    again = await exhibits.update(changed, "identifiers", "within", "version", request=request)
    with pytest.raises(Aborted) as stale:
        await exhibits.update(changed, "identifiers")
    deleted = await exhibits.delete(phone.name, etag=phone.etag, request=(request := request_id()))
    deleted_again = await exhibits.delete(phone.name, etag=phone.etag, request=request)

    assert again == revised
    assert (revised.version, revised.within, revised.description) == (2, account.name, "(演習)")
    assert (revised.correction_reason, await exhibits.get(entry.name, 1)) == ("(演習データ) 訂正", entry)
    assert stale.value.reason == "ETAG_MISMATCH"
    assert deleted_again == deleted
    assert deleted.HasField("delete_time")
    assert [each.name for each in await exhibits.all(arrest.name)] == [other.name]
    shown = (await exhibits.page(arrest.name, show_deleted=True)).exhibits
    assert [each.HasField("delete_time") for each in shown] == [True, True, True, True, False]
    assert not (await arrests.search("8888-6666")).arrests
    assert (await told(agency, after)) == [
        ("ExhibitsRevised", [f"{TOKYO}:{GRADE_FULL}"], [entry.name]),
        ("ExhibitsWithdrawn", [f"{TOKYO}:{GRADE_FULL}"], [phone.name, account.name, entry.name]),
    ]
    assert bystander.name not in str(await told(agency))
    for call in (exhibits.delete(entry.name), exhibits.update(revised, "description")):
        with pytest.raises(FailedPrecondition) as gone:
            await call
        assert gone.value.reason == "DELETED"


async def test_what_turns_out_to_be_a_bystander_is_taken_back(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    arrest = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    entry = await exhibits.create(arrest.name, an_entry(1, RELATION_COMMUNICATED))
    after = agency.service.log.position.sequence
    for relation in (BYSTANDER, BYSTANDER, RELATION_COMMUNICATED):
        entry.identifiers[0].relation = relation
        entry = await exhibits.update(entry, "identifiers")

    assert [name for name, _, _ in await told(agency, after)] == ["ExhibitsWithdrawn", "ExhibitsRevised"]


async def test_exhibits_go_wherever_their_arrest_goes_and_no_further(
    exhibits: Exhibits, arrests: Arrests, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "_AT_ONCE", 2)
    arrest = await arrests.create(an_arrest(releasable_to=[TOKYO]))
    rows = [(an_entry(row, RELATION_COMMUNICATED), 0) for row in range(5)]
    names = [result.name for result in await exhibits.load(arrest.name, [*rows, (an_entry(9), 0)])][:5]
    await exhibits.delete(names.pop(2))
    after = agency.service.log.position.sequence

    async def relabel(*agencies: str, **changes: Any) -> list[tuple[str, list[str], list[str]]]:
        nonlocal after, arrest
        arrest.handling.CopyFrom(a_label(*agencies, **changes))
        arrest = await arrests.update(arrest, "handling")
        events, after = await told(agency, after), agency.service.log.position.sequence
        return events

    def whom(events: Sequence[tuple[str, list[str], list[str]]]) -> set[str]:
        assert {kind for kind, _, _ in events} <= {"ExhibitsReleased"}
        assert not events or [name for _, _, those in events for name in those] == names
        return {each for _, audience, _ in events for each in audience}

    assert whom(await relabel(TOKYO, SAPPORO)) == {f"{SAPPORO}:{GRADE_FULL}"}
    assert whom(await relabel(TOKYO)) == set()
    index = await relabel(TOKYO, TOCHIGI, permitted_action=PERMITTED_ACTION_INDEX_ONLY)
    assert whom(index) == {f"{TOKYO}:{GRADE_INDEX_ONLY}", f"{TOCHIGI}:{GRADE_INDEX_ONLY}"}
    await arrests.delete(arrest.name)
    assert await told(agency, after) == []
    arrest = await arrests.undelete(arrest.name)
    assert whom(await told(agency, after)) == {f"{TOKYO}:{GRADE_INDEX_ONLY}", f"{TOCHIGI}:{GRADE_INDEX_ONLY}"}


async def test_copies_come_are_replaced_and_go_with_their_arrest(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    arrest = an_arrest(name=f"{TOKYO}/arrests/{uuid7()}", version=1)
    names = [f"{arrest.name}/exhibits/{uuid7()}" for _ in range(3)]
    number = an_occurrence("090-8888-7777")
    number.identifier.normal_form = "+819088887777"
    sent = [
        Exhibit(name=name, version=1, kind=Exhibit.KIND_ENTRY, number=70, etag="theirs", identifiers=[number])
        for name in names
    ]
    sent[1].within = names[0]

    async def bring(payload: Any, grade: Any = GRADE_FULL) -> None:
        await agency.bring(payload, grade=grade)

    async def held() -> list[tuple[str, int, str]]:
        return [(each.name, each.number, each.description) for each in await exhibits.all(arrest.name)]

    await bring(events_pb2.ExhibitsRecorded(name=arrest.name, exhibits=sent))  # of an arrest that never came
    await bring(events_pb2.ArrestRecorded(arrest=arrest))
    assert await held() == []
    await bring(events_pb2.ExhibitsRecorded(name=arrest.name, exhibits=sent))
    assert await held() == [(names[0], 1, ""), (names[1], 2, ""), (names[2], 3, "")]
    assert [each.name for each in (await exhibits.page(arrest.name, within=names[0])).exhibits] == [names[1]]
    assert (await exhibits.get(names[0])).etag == ""
    assert [each.name for each in (await arrests.search("8888-7777")).arrests] == [arrest.name]

    newer = Exhibit(name=names[1], version=2, kind=Exhibit.KIND_ENTRY, description="(演習)")
    await bring(events_pb2.ExhibitsRevised(name=arrest.name, exhibits=[newer]))
    await bring(events_pb2.ExhibitsReleased(name=arrest.name, exhibits=sent[1:2]))  # older than what is here
    await bring(events_pb2.ExhibitsWithdrawn(name=arrest.name, exhibits=[names[0], names[0]]))
    assert await held() == [(names[1], 2, "(演習)"), (names[2], 3, "")]
    await bring(events_pb2.ExhibitsReleased(name=arrest.name, exhibits=[newer]), GRADE_INDEX_ONLY)
    assert (await held())[0] == (names[1], 2, "")
    with pytest.raises(FailedPrecondition) as no_older:
        await exhibits.get(names[1], 1)
    await bring(events_pb2.ArrestWithdrawn(name=arrest.name, version=1))

    assert no_older.value.reason == "NO_SUCH_VERSION"
    for call in (exhibits.all(arrest.name), exhibits.get(names[2]), exhibits.page(arrest.name)):
        with pytest.raises(NotFoundOrDenied):
            await call
    await bring(events_pb2.ArrestRestored(arrest=an_arrest(name=arrest.name, version=2)))
    assert await held() == []
    assert not (await arrests.search("8888-7777")).arrests


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"name": f"{TOKYO}/arrests/{uuid7()}/exhibits/{uuid7()}"},
        {"name": "somewhere/else"},
        {"within": f"{TOKYO}/arrests/{uuid7()}/exhibits/{uuid7()}"},
        {"description": "x" * 201},
    ],
)
async def test_a_malformed_copy_is_set_aside_with_what_follows(
    exhibits: Exhibits, agency: Agency, change: dict[str, Any]
) -> None:
    arrest = an_arrest(name=f"{TOKYO}/arrests/{uuid7()}", version=1)
    good = {"name": f"{arrest.name}/exhibits/{uuid7()}", "version": 1}
    await agency.bring(events_pb2.ArrestRecorded(arrest=arrest), grade=GRADE_FULL)

    broken = events_pb2.ExhibitsRecorded(name=arrest.name, exhibits=[Exhibit(**{**good, **change})])
    await agency.bring(broken, grade=GRADE_FULL)

    assert len(await agency.service.database.read(state.list_aside)) == 1
    assert await exhibits.all(arrest.name) == []


async def refusal(call: Any) -> tuple[type[RenkeiError], str]:
    with pytest.raises(RenkeiError) as refused:
        await call
    return type(refused.value), refused.value.reason


async def test_what_may_not_be_is_refused(
    exhibits: Exhibits, arrests: Arrests, agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrest, other = await arrests.create(), await arrests.create()
    phone = await exhibits.create(arrest.name, a_phone())
    nowhere = f"{AGENCY}/arrests/{uuid7()}"
    theirs = f"{TOKYO}/arrests/{uuid7()}"
    foreign = Exhibits(agency.client("NPA_DESK"))

    assert await refusal(exhibits.create(nowhere, a_phone())) == (NotFoundOrDenied, "DENIED")
    assert await refusal(exhibits.create(theirs, a_phone())) == (FailedPrecondition, "FOREIGN_ORIGINATOR")
    assert await refusal(exhibits.create("arrests/1", a_phone())) == (InvalidArgument, "INVALID_RESOURCE_NAME")
    assert await refusal(exhibits.create(arrest.name, Exhibit())) == (InvalidArgument, "FIELD_INVALID")
    assert await refusal(exhibits.create(arrest.name, an_exhibit(an_occurrence("110")))) == (
        InvalidArgument,
        "PROTECTED_IDENTIFIER",
    )
    for within in (f"{other.name}/exhibits/{uuid7()}", f"{other.name}/exhibits/{phone.name[-36:]}"):
        assert await refusal(exhibits.create(arrest.name, a_phone(within=within))) == (
            FailedPrecondition,
            "EXHIBIT_WITHIN_UNKNOWN",
        )
    assert await refusal(foreign.create(arrest.name, a_phone())) == (NotAllowed, "ROLE_MISSING")
    assert await refusal(exhibits.get(f"{theirs}/exhibits/{uuid7()}")) == (NotFoundOrDenied, "DENIED")
    assert await refusal(exhibits.get(f"{other.name}/exhibits/{phone.name[-36:]}")) == (NotFoundOrDenied, "DENIED")
    assert await refusal(exhibits.get(f"{arrest.name}/exhibits/phone")) == (InvalidArgument, "INVALID_RESOURCE_NAME")
    assert await refusal(exhibits.page(arrest.name, within=f"{other.name}/exhibits/{uuid7()}")) == (
        InvalidArgument,
        "FIELD_INVALID",
    )
    assert await refusal(exhibits.update(Exhibit(name=phone.name), "description")) == (InvalidArgument, "FIELD_INVALID")
    assert await refusal(exhibits.update(Exhibit(name=phone.name, etag=phone.etag), "kind")) == (
        InvalidArgument,
        "FIELD_INVALID",
    )
    assert await refusal(exhibits.update(phone, "within")) == (InvalidArgument, "INVALID_UPDATE_MASK")
    assert await refusal(exhibits.delete(phone.name, etag="stale")) == (Aborted, "ETAG_MISMATCH")
    assert await refusal(exhibits.delete(f"{arrest.name}/exhibits/{uuid7()}")) == (NotFoundOrDenied, "DENIED")
    assert await refusal(exhibits.delete(f"{theirs}/exhibits/{uuid7()}")) == (FailedPrecondition, "FOREIGN_ORIGINATOR")
    monkeypatch.setattr(rules, "MOST", 1)
    assert await refusal(exhibits.create(arrest.name, a_phone())) == (FailedPrecondition, "TOO_MANY_EXHIBITS")
    await arrests.delete(arrest.name)
    for call in (exhibits.create(arrest.name, a_phone()), exhibits.delete(phone.name)):
        assert await refusal(call) == (FailedPrecondition, "DELETED")


async def test_a_creation_that_was_forgotten_is_not_recorded_twice(
    exhibits: Exhibits, arrests: Arrests, agency: Agency
) -> None:
    """Request ids are kept for 30 days; a load may be sent again after that."""
    arrest = await arrests.create()
    request = request_id()
    await exhibits.create(arrest.name, a_phone(), request=request)
    from renkei_chassis.database import tables  # noqa: PLC0415 (what nobody else looks into)

    await agency.service.writer.run(lambda transaction: transaction.execute(tables.requests.delete()))

    assert await refusal(exhibits.create(arrest.name, a_phone(), request=request)) == (
        AlreadyExists,
        "RESOURCE_EXISTS",
    )
