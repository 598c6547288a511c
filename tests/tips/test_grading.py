"""Gradings in other schemes: every cell by hand, nothing that says more than was said, and the code kept."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import pytest
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2 import Grading

from renkei_chassis.errors import InvalidArgument, NotAllowed
from renkei_tips.domain.grading import Graded, NotACodeError, Scheme, read, write
from tests.tips.calls import Tips, a_tip

if TYPE_CHECKING:
    from tests.agency import Agency

FOUR, FIVE, ADMIRALTY = Scheme
# 4×4: 3×5×2, Admiralty.
OUT: Final = {
    "A1": ("1AC", "A1"), "A2": ("1AC", "A3"), "A3": ("1BC", "A2"), "A4": ("1CC", "A6"),
    "B1": ("1AC", "B1"), "B2": ("1AC", "B3"), "B3": ("1BC", "B2"), "B4": ("1CC", "B6"),
    "C1": ("3AC", "D1"), "C2": ("3AC", "D3"), "C3": ("3BC", "D2"), "C4": ("3CC", "D6"),
    "X1": ("2AC", "F1"), "X2": ("2AC", "F3"), "X3": ("2BC", "F2"), "X4": ("2CC", "F6"),
}  # fmt: skip
# "!" is suspected to be false.
FROM_FIVE: Final = {
    "1A": "B2", "1B": "B3", "1C": "B4", "1D": "B4", "1E": "B4!",
    "2A": "X2", "2B": "X3", "2C": "X4", "2D": "X4", "2E": "X4!",
    "3A": "C2", "3B": "C3", "3C": "C4", "3D": "C4", "3E": "C4!",
}  # fmt: skip
FROM_ADMIRALTY: Final = {
    "A1": "A3", "A2": "A4", "A3": "A4", "A4": "A4", "A5": "A4!", "A6": "A4",
    "B1": "B3", "B2": "B4", "B3": "B4", "B4": "B4", "B5": "B4!", "B6": "B4",
    "C1": "B3", "C2": "B4", "C3": "B4", "C4": "B4", "C5": "B4!", "C6": "B4",
    "D1": "C3", "D2": "C4", "D3": "C4", "D4": "C4", "D5": "C4!", "D6": "C4",
    "E1": "C3", "E2": "C4", "E3": "C4", "E4": "C4", "E5": "C4!", "E6": "C4",
    "F1": "X3", "F2": "X4", "F3": "X4", "F4": "X4", "F5": "X4!", "F6": "X4",
}  # fmt: skip
NO_CODES: Final = ["", "A", "A5", "D1", "a1", "1A", "A1C", "\u0000\u0000", "Ａ1"]


def test_the_tables_are_whole() -> None:
    assert set(OUT) == {a + b for a, b in product("ABCX", "1234")}
    assert set(FROM_FIVE) == {a + b for a, b in product("123", "ABCDE")}
    assert set(FROM_ADMIRALTY) == {a + b for a, b in product("ABCDEF", "123456")}


@pytest.mark.parametrize(("code", "five", "admiralty"), [(code, *out) for code, out in OUT.items()])
def test_a_grading_is_written_in_every_scheme(code: str, five: str, admiralty: str) -> None:
    graded = read(FOUR, code)

    assert [write(scheme, graded) for scheme in Scheme] == [code, five, admiralty]


@pytest.mark.parametrize("code", OUT)
@pytest.mark.parametrize("flag", ["suspected_false", "deliberate_deception"])
def test_what_is_thought_false_is_said_so_in_every_scheme(code: str, flag: str) -> None:
    graded = Graded(source=code[0], information=code[1], **{flag: True})

    assert write(FIVE, graded) == OUT[code][0][0] + "EC"
    assert write(ADMIRALTY, graded) == OUT[code][1][0] + "5"


@pytest.mark.parametrize(
    ("scheme", "code", "wanted"),
    [(FIVE, code, wanted) for code, wanted in FROM_FIVE.items()]
    + [(ADMIRALTY, code, wanted) for code, wanted in FROM_ADMIRALTY.items()],
)
def test_a_code_of_another_scheme_is_read(scheme: Scheme, code: str, wanted: str) -> None:
    graded = read(scheme, code)

    assert graded == Graded(source=wanted[0], information=wanted[1], suspected_false=wanted.endswith("!"))
    assert graded.information != "1", "no conversion makes anything sure"
    if scheme is FIVE:
        assert [read(scheme, code + handling) for handling in "PC"] == [graded] * 2


@pytest.mark.parametrize("code", NO_CODES)
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(NotACodeError):
        read(FOUR, code)


@pytest.mark.parametrize("code", ["", "1", "4A", "1F", "1AX", "A1", "1ACC"])
def test_what_is_no_code_of_3x5x2_is_refused(code: str) -> None:
    with pytest.raises(NotACodeError):
        read(FIVE, code)


@pytest.mark.parametrize("code", ["", "A", "G1", "A7", "A0", "A1P", "1A"])
def test_what_is_no_code_of_the_admiralty_is_refused(code: str) -> None:
    with pytest.raises(NotACodeError):
        read(ADMIRALTY, code)


@pytest.mark.parametrize("code", OUT)
@pytest.mark.parametrize("scheme", [FIVE, ADMIRALTY])
def test_no_way_there_and_back_makes_a_grading_better(scheme: Scheme, code: str) -> None:
    back = read(scheme, write(scheme, read(FOUR, code)))

    assert "ABCX".index(back.source) >= "ABCX".index(code[0])
    assert back.information >= code[1]


async def test_an_auditor_converts_nothing(agency: Agency) -> None:
    with pytest.raises(NotAllowed):
        await Tips(agency.client("AUDITOR")).ask("GetGradingViews", scheme=1, code="B2")


@pytest.mark.parametrize(
    ("scheme", "code", "codes", "stored"),
    [
        (1, "B2", ["B2", "1AC", "B3"], Grading(reliability=Grading.RELIABILITY_B, accuracy=Grading.ACCURACY_2)),
        (
            2,
            "3EP",
            ["C4", "3EP", "D5"],
            Grading(
                reliability=Grading.RELIABILITY_C,
                accuracy=Grading.ACCURACY_4,
                suspected_false=True,
                converted_from=tips_pb2.GRADING_SCHEME_THREE_FIVE_TWO,
                original_code="3EP",
            ),
        ),
        (
            3,
            "C1",
            ["B3", "1BC", "C1"],
            Grading(
                reliability=Grading.RELIABILITY_B,
                accuracy=Grading.ACCURACY_3,
                converted_from=tips_pb2.GRADING_SCHEME_ADMIRALTY,
                original_code="C1",
            ),
        ),
    ],
)
async def test_a_caller_sees_all_schemes_marked_where_they_lose(
    tips: Tips, scheme: tips_pb2.GradingScheme.ValueType, code: str, codes: list[str], stored: Grading
) -> None:
    views = await tips.ask("GetGradingViews", scheme=scheme, code=code)
    made = await tips.create(a_tip(grading=views.grading))

    assert [(view.scheme, view.code, view.lossy) for view in views.views] == [
        (number, each, number != scheme) for number, each in enumerate(codes, start=1)
    ]
    assert views.grading == made.grading == stored


async def test_flags_of_a_grading_are_carried_and_shown(tips: Tips) -> None:
    views = await tips.ask("GetGradingViews", scheme=1, code="A2", deliberate_deception=True)

    assert [view.code for view in views.views] == ["A2", "1EC", "A5"]
    assert (views.grading.suspected_false, views.grading.deliberate_deception) == (False, True)


@pytest.mark.parametrize(
    ("scheme", "code", "accuracy"),
    [
        ("THREE_FIVE_TWO", "1B", 2),
        ("THREE_FIVE_TWO", "1E", 4),  # suspected to be false, and the grading does not say so
        ("THREE_FIVE_TWO", "9Z", 2),
        ("ADMIRALTY", "B2", 2),
        ("ADMIRALTY", "B5", 4),
        ("ADMIRALTY", "", 2),
        ("UNSPECIFIED", "B2", 2),
        ("FOUR_BY_FOUR", "B3", 2),
    ],
)
async def test_a_grading_that_its_code_does_not_convert_to_is_refused(
    tips: Tips, scheme: str, code: str, accuracy: int
) -> None:
    tip = a_tip()
    tip.grading.CopyFrom(
        Grading(
            reliability=Grading.RELIABILITY_B,
            accuracy=Grading.Accuracy.Value(f"ACCURACY_{accuracy}"),
            converted_from=tips_pb2.GradingScheme.Value(f"GRADING_SCHEME_{scheme}"),
            original_code=code,
        )
    )

    with pytest.raises(InvalidArgument) as refused:
        await tips.create(tip)

    assert refused.value.reason == "GRADING_CODE_INVALID"
    assert refused.value.metadata["field"] == "tip.grading.original_code"


async def test_a_code_that_is_none_is_refused_and_not_repeated(tips: Tips) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.ask("GetGradingViews", scheme=3, code="G7")

    assert refused.value.reason == "GRADING_CODE_INVALID"
    assert "G7" not in str(refused.value)
