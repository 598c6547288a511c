"""Parts in a group, and how somebody came into it: each with its case, and nobody under protection among them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2 import Arrest, RoleAssessment
from renkei.arrests.v1.events_pb2 import ArrestRecorded
from renkei.arrests.v1.involvements_pb2 import RecruitingPath, RecruitingStep
from renkei.identifiers.v1.identifiers_pb2 import IDENTIFIER_TYPE_HANDLE, Identifier
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from sqlalchemy import update

from renkei_arrests.store import TABLES
from renkei_chassis.errors import InvalidArgument
from tests.agency import AGENCY, TOKYO, Agency
from tests.arrests.calls import Arrests, an_arrest, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_chassis.database.transaction import Transaction

LOW, MEDIUM, HIGH = (
    RoleAssessment.CONFIDENCE_LOW,
    RoleAssessment.CONFIDENCE_MEDIUM,
    RoleAssessment.CONFIDENCE_HIGH,
)
CASE = "(演習) 甲"


def assessed(role: Arrest.Role.ValueType, confidence: int = MEDIUM, **changes: Any) -> RoleAssessment:  # noqa: ANN401
    return RoleAssessment(role=role, confidence=RoleAssessment.Confidence.ValueType(confidence), **changes)


def recruited(*steps: RecruitingStep) -> RecruitingPath:
    return RecruitingPath(steps=steps)


async def test_a_role_has_its_case_its_evidence_and_who_assessed_it(arrests: Arrests) -> None:
    evidence = ["(演習) 符号1", f"{AGENCY}/tips/{uuid.uuid4()}"]
    other = assessed(Arrest.ROLE_RECRUITER, case_reference="(演習) 乙", assessor=f"{AGENCY}/officers/abe")

    made = await arrests.create(
        an_arrest(case_reference=CASE, roles=[assessed(Arrest.ROLE_INSTRUCTOR, evidence=evidence), other])
    )

    mine, theirs = made.roles
    assert (mine.role, list(mine.evidence), mine.case_reference) == (Arrest.ROLE_INSTRUCTOR, evidence, "")
    assert (mine.assessor, mine.assess_time) == (f"{AGENCY}/officers/sato", made.create_time)
    assert theirs.assessor == f"{AGENCY}/officers/abe"
    assert made.role == Arrest.ROLE_INSTRUCTOR, "an_arrest() says PERPETRATOR, which no assessment of this case does"


async def test_old_readers_see_the_most_certain_role_of_this_case(arrests: Arrests) -> None:
    roles = [
        assessed(Arrest.ROLE_DRIVER, HIGH, case_reference="(演習) 乙"),
        assessed(Arrest.ROLE_SCOUT, MEDIUM),
        assessed(Arrest.ROLE_COLLECTOR, MEDIUM, case_reference=CASE),
        assessed(Arrest.ROLE_LOOKOUT, LOW),
    ]

    made = await arrests.create(an_arrest(case_reference=CASE, roles=roles))
    moved = await arrests.update(
        arrests_pb2.Arrest(name=made.name, etag=made.etag, case_reference="(演習) 乙"), "case_reference"
    )

    assert made.role == Arrest.ROLE_COLLECTOR
    assert moved.role == Arrest.ROLE_DRIVER


async def test_an_old_writer_who_corrects_the_role_replaces_what_was_assessed_for_this_case(arrests: Arrests) -> None:
    other = assessed(Arrest.ROLE_DRIVER, case_reference="(演習) 乙")
    made = await arrests.create(an_arrest(case_reference=CASE, roles=[assessed(Arrest.ROLE_INSTRUCTOR, HIGH), other]))

    corrected = await arrests.update(
        arrests_pb2.Arrest(name=made.name, etag=made.etag, role=Arrest.ROLE_RECRUITER), "role"
    )
    cleared = await arrests.update(arrests_pb2.Arrest(name=made.name, etag=corrected.etag), "role")

    assert [(each.role, each.case_reference) for each in corrected.roles] == [
        (Arrest.ROLE_RECRUITER, ""),
        (Arrest.ROLE_DRIVER, "(演習) 乙"),
    ]
    assert corrected.role == Arrest.ROLE_RECRUITER
    assert (cleared.role, [each.role for each in cleared.roles]) == (0, [Arrest.ROLE_DRIVER])


async def test_a_record_without_assessments_keeps_its_role(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest(role=Arrest.ROLE_CALLER))
    corrected = await arrests.update(
        arrests_pb2.Arrest(name=made.name, etag=made.etag, role=Arrest.ROLE_CARRIER), "role"
    )

    assert (made.role, corrected.role, len(corrected.roles)) == (Arrest.ROLE_CALLER, Arrest.ROLE_CARRIER, 0)


@pytest.mark.parametrize(
    ("roles", "field"),
    [
        ([assessed(Arrest.ROLE_UNSPECIFIED)], "arrest.roles[0].role"),
        ([assessed(Arrest.ROLE_SCOUT), assessed(Arrest.ROLE_SCOUT, case_reference=CASE)], "arrest.roles[1]"),
        ([assessed(Arrest.ROLE_SCOUT, evidence=[""])], "arrest.roles[0].evidence[0]"),
    ],
)
async def test_an_incomplete_or_repeated_assessment_is_refused(
    arrests: Arrests, roles: list[RoleAssessment], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(case_reference=CASE, roles=roles))

    assert (refused.value.reason, refused.value.violations[0].field) == ("FIELD_INVALID", field)


async def test_nobody_under_protection_is_recorded_as_arrested_in_that_part(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest())
    protected = assessed(Arrest.ROLE_PROTECTED_APPLICANT)
    ways: list[tuple[Callable[[], Any], str]] = [
        (lambda: arrests.create(an_arrest(role=Arrest.ROLE_PROTECTED_APPLICANT)), "arrest.role"),
        (lambda: arrests.create(an_arrest(roles=[protected])), "arrest.roles[0].role"),
        (
            lambda: arrests.update(arrests_pb2.Arrest(name=made.name, etag=made.etag, roles=[protected]), "roles"),
            "arrest.roles[0].role",
        ),
        (
            lambda: arrests.update(
                arrests_pb2.Arrest(name=made.name, etag=made.etag, role=Arrest.ROLE_PROTECTED_APPLICANT), "role"
            ),
            "arrest.role",
        ),
    ]

    for way, field in ways:
        with pytest.raises(InvalidArgument) as refused:
            await way()
        assert (refused.value.reason, refused.value.metadata["field"]) == ("PROTECTED_IS_NO_SUSPECT", field)


async def test_a_record_of_an_older_version_with_such_a_part_can_be_corrected(agency: Agency, arrests: Arrests) -> None:
    made = await arrests.create()
    old = Arrest()
    old.CopyFrom(made)
    old.role = Arrest.ROLE_PROTECTED_APPLICANT
    del old.clocks[:]
    content = old.SerializeToString()

    def age(transaction: Transaction) -> None:
        transaction.execute(update(TABLES.records).values(content=content))

    await agency.service.writer.run(age)

    corrected = await arrests.update(arrests_pb2.Arrest(name=made.name, etag=made.etag, text="(演習)"), "text")
    mended = await arrests.update(arrests_pb2.Arrest(name=made.name, etag=corrected.etag), "role")

    assert corrected.role == Arrest.ROLE_PROTECTED_APPLICANT
    assert mended.role == Arrest.ROLE_UNSPECIFIED


async def test_a_recruiters_identifiers_are_found_and_have_a_span(arrests: Arrests) -> None:
    handle = an_occurrence(identifier=Identifier(type=IDENTIFIER_TYPE_HANDLE, original="@Recruiter_X"))
    step = RecruitingStep(
        means=RecruitingStep.MEANS_ADVERTISEMENT,
        text="(演習データ) 高額報酬をうたう投稿",
        tip=f"{TOKYO}/tips/{uuid.uuid4()}",
        recruiter_identifiers=[handle],
    )

    made = await arrests.create(an_arrest(recruitment=recruited(step)))

    (found,) = (await arrests.search("recruiter_x")).arrests
    (occurrence,) = found.recruitment.steps[0].recruiter_identifiers
    assert found.name == made.name
    assert occurrence.identifier.normal_form
    assert occurrence.HasField("valid_from")


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (RecruitingStep(text="(演習)"), "arrest.recruitment.steps[0].means"),
        (RecruitingStep(means=RecruitingStep.MEANS_OTHER, tip="tips/1"), "arrest.recruitment.steps[0].tip"),
        (
            RecruitingStep(means=RecruitingStep.MEANS_OTHER, recruiter_identifiers=[an_occurrence(relation=0)]),
            None,
        ),
    ],
)
async def test_an_incomplete_step_is_refused(arrests: Arrests, step: RecruitingStep, field: str | None) -> None:
    if field is None:
        step.recruiter_identifiers[0].ClearField("relation")
        field = "arrest.recruitment.steps[0].recruiter_identifiers[0].relation"

    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(recruitment=recruited(step)))

    assert (refused.value.reason, refused.value.violations[0].field) == ("FIELD_INVALID", field)


async def test_an_index_entry_has_a_recruiters_identifiers_and_neither_words_nor_roles(
    agency: Agency, arrests: Arrests
) -> None:
    step = RecruitingStep(
        means=RecruitingStep.MEANS_THREAT,
        text="(演習データ)",
        tip=f"{TOKYO}/tips/{uuid.uuid4()}",
        recruiter_identifiers=[an_occurrence()],
    )
    roles = [assessed(Arrest.ROLE_SCOUT, evidence=["(演習)"], assessor=f"{TOKYO}/officers/abe")]
    seen = {}
    for grade in (GRADE_INDEX_ONLY, GRADE_FULL):
        copy = an_arrest(name=f"{TOKYO}/arrests/{uuid.uuid4()}", version=1, recruitment=recruited(step), roles=roles)
        await agency.bring(ArrestRecorded(arrest=copy), grade=grade)
        seen[grade] = await arrests.get(copy.name)

    index, full = seen[GRADE_INDEX_ONLY], seen[GRADE_FULL]
    assert len(index.recruitment.steps[0].recruiter_identifiers) == 1
    assert (index.recruitment.steps[0].means, index.recruitment.steps[0].text, len(index.roles)) == (0, "", 0)
    assert (full.recruitment.steps[0].text, full.recruitment.steps[0].tip) == ("(演習データ)", "")
    assert (full.roles[0].role, list(full.roles[0].evidence), full.roles[0].assessor) == (Arrest.ROLE_SCOUT, [], "")
