"""Gradings of the contract in other schemes, and whether a converted one is what its code converts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2 import Grading, GradingView, GradingViews

from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_tips.domain.grading import Graded, NotACodeError, Scheme, read, write

if TYPE_CHECKING:
    from renkei.tips.v1.tips_pb2 import GetGradingViewsRequest

_SOURCES: Final = {
    "A": Grading.RELIABILITY_A,
    "B": Grading.RELIABILITY_B,
    "C": Grading.RELIABILITY_C,
    "X": Grading.RELIABILITY_X,
}
_INFORMATION: Final = {
    "1": Grading.ACCURACY_1,
    "2": Grading.ACCURACY_2,
    "3": Grading.ACCURACY_3,
    "4": Grading.ACCURACY_4,
}


def views(request: GetGradingViewsRequest) -> GradingViews:
    """Say one grading in all schemes. Raises GRADING_CODE_INVALID."""
    given_in = Scheme(request.scheme)
    graded = _read(given_in, request.code, field="code")
    native = given_in is Scheme.FOUR_BY_FOUR
    graded = Graded(
        source=graded.source,
        information=graded.information,
        suspected_false=graded.suspected_false or (native and request.suspected_false),
        deliberate_deception=native and request.deliberate_deception,
    )
    stored = Grading(
        reliability=_SOURCES[graded.source],
        accuracy=_INFORMATION[graded.information],
        suspected_false=graded.suspected_false,
        deliberate_deception=graded.deliberate_deception,
    )
    if not native:
        stored.converted_from = request.scheme
        stored.original_code = request.code
    return GradingViews(
        given_in=request.scheme,
        grading=stored,
        views=[
            GradingView(
                scheme=tips_pb2.GradingScheme.ValueType(scheme),
                code=request.code if scheme is given_in else write(scheme, graded),
                lossy=scheme is not given_in,
            )
            for scheme in Scheme
        ],
    )


def check_grading(grading: Grading, *, field: str) -> None:
    """Return if a grading that says it was converted is what its code converts to. Raises GRADING_CODE_INVALID."""
    if grading.converted_from == tips_pb2.GRADING_SCHEME_UNSPECIFIED:
        if grading.original_code:
            raise _invalid(f"{field}.original_code", "stands beside a grading that was not converted")
        return
    graded = _read(Scheme(grading.converted_from), grading.original_code, field=f"{field}.original_code")
    wanted = _SOURCES[graded.source], _INFORMATION[graded.information]
    # What the code calls false must be; the originator may think more of it false than the code can say.
    if (grading.reliability, grading.accuracy) != wanted or graded.suspected_false > grading.suspected_false:
        raise _invalid(f"{field}.original_code", "does not convert to the grading that it stands beside")


def _read(scheme: Scheme, code: str, *, field: str) -> Graded:
    try:
        return read(scheme, code)
    except NotACodeError:
        raise _invalid(field, "is no code of its scheme") from None


def _invalid(field: str, what: str) -> InvalidArgument:
    return InvalidArgument(
        "GRADING_CODE_INVALID",
        f"{field} {what}",
        metadata={"field": field},
        violations=[FieldViolation(field=field, description=what)],
    )
