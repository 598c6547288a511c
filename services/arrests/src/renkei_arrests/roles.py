"""The parts that somebody had in a group: each with a case and what it rests on, and one in the field of old days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest, RoleAssessment

from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.records.times import set_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PROTECTED: Final = Arrest.ROLE_PROTECTED_APPLICANT


def fill(assessments: Iterable[RoleAssessment], *, assessor: str, now_us: int) -> None:
    """Say who assessed and when, where a request does not."""
    for assessment in assessments:
        if not assessment.assessor:
            assessment.assessor = assessor
        if not assessment.HasField("assess_time"):
            set_us(assessment.assess_time, now_us)


def check(arrest: Arrest) -> None:
    """Check the assessments, and put the most certain one of this case into `role`.

    Raises FIELD_INVALID for one without a role and for a second one of the same case and role; and for a new record
    PROTECTED_IS_NO_SUSPECT. What an older version holds stays until somebody corrects it.
    """
    seen = set()
    for index, assessment in enumerate(arrest.roles):
        field = f"arrest.roles[{index}]"
        case = "" if _is_of_this_case(arrest, assessment) else assessment.case_reference
        if not assessment.role:
            raise _invalid(f"{field}.role", "must be set")
        if (case, assessment.role) in seen:
            raise _invalid(field, "is there for the same case and role already")
        seen.add((case, assessment.role))
    if arrest.version == 0:
        _refuse_protected(protected_in(arrest))
    mine = [assessment for assessment in arrest.roles if _is_of_this_case(arrest, assessment)]
    if mine:
        arrest.role = max(enumerate(mine), key=_certainty)[1].role


def succeed(before: Arrest, after: Arrest) -> None:
    """Let a writer who knows `role` alone replace the assessments of this case; refuse a new protected one."""
    _refuse_protected(protected_in(after), known=bool(protected_in(before)))
    if not before.roles or after.role == before.role or list(after.roles) != list(before.roles):
        return
    kept = [assessment for assessment in after.roles if not _is_of_this_case(after, assessment)]
    del after.roles[:]
    if after.role:
        after.roles.add(role=after.role)
    after.roles.extend(kept)


def protected_in(arrest: Arrest) -> str:
    """Name the first field that calls the person an applicant under protection; "" for none."""
    return next(_protected(arrest), "")


def _protected(arrest: Arrest) -> Iterator[str]:
    if arrest.role == _PROTECTED:
        yield "arrest.role"
    for index, assessment in enumerate(arrest.roles):
        if assessment.role == _PROTECTED:
            yield f"arrest.roles[{index}].role"


def _refuse_protected(field: str, *, known: bool = False) -> None:
    if field and not known:
        what = "cannot stand in an arrest record: who is under protection is no suspect"
        raise InvalidArgument(
            "PROTECTED_IS_NO_SUSPECT",
            f"{field} {what}",
            metadata={"field": field},
            violations=[FieldViolation(field=field, description=what)],
        )


def _is_of_this_case(arrest: Arrest, assessment: RoleAssessment) -> bool:
    return assessment.case_reference in {"", arrest.case_reference}


def _certainty(numbered: tuple[int, RoleAssessment]) -> tuple[int, int, int]:
    """Rank by confidence, then by time, then by place."""
    index, assessment = numbered
    return assessment.confidence, to_us(assessment.assess_time), index


def _invalid(field: str, what: str) -> InvalidArgument:
    return InvalidArgument(
        "FIELD_INVALID", f"{field}: {what}", violations=[FieldViolation(field=field, description=what)]
    )
