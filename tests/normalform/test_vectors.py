"""The frozen vectors: what every agency must read alike. A change here is a new VERSION."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from renkei_normalform import VERSION, IdentifierType, NormalForm, NotAnIdentifier, normalize, strength_of

_FILES: Final[list[dict[str, Any]]] = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).parent.joinpath("vectors").glob("*.json"))
]
_ROWS: Final = [(IdentifierType(file["type"]), row) for file in _FILES for row in file["vectors"]]
_ACCEPTED: Final = [(kind, row) for kind, row in _ROWS if "value" in row]
_REFUSED: Final = [(kind, row) for kind, row in _ROWS if "reason" in row]


def _numbered(rows: list[tuple[IdentifierType, dict[str, str]]]) -> list[object]:
    # Not by their text: some rows hold what no terminal and no report file can show.
    return [pytest.param(*row, id=f"{row[0]}-{number}") for number, row in enumerate(rows)]


def test_the_vectors_belong_to_this_version() -> None:
    assert {file["version"] for file in _FILES} == {VERSION}


def test_the_vectors_cover_every_type_with_accepted_and_refused_texts() -> None:
    every = set(IdentifierType)

    assert {kind for kind, _ in _ACCEPTED} == every
    assert {kind for kind, _ in _REFUSED} == every
    assert len(_ACCEPTED) >= 400
    assert len(_REFUSED) >= 200


def test_no_vector_stands_twice() -> None:
    texts = [(kind, row["text"]) for kind, row in _ROWS]

    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("kind", "row"), _numbered(_ACCEPTED))
def test_a_spelling_reads_as_its_frozen_form(kind: IdentifierType, row: dict[str, str]) -> None:
    form = normalize(kind, row["text"])

    assert form == NormalForm(type=kind, value=row["value"], version=VERSION, strength=strength_of(kind, row["value"]))


@pytest.mark.parametrize(("kind", "row"), _numbered(_REFUSED))
def test_a_text_is_refused_for_its_frozen_reason(kind: IdentifierType, row: dict[str, str]) -> None:
    with pytest.raises(NotAnIdentifier) as refused:
        normalize(kind, row["text"])

    assert refused.value.reason == row["reason"]
    assert refused.value.identifier_type == kind


@pytest.mark.parametrize(("kind", "row"), _numbered(_ACCEPTED))
def test_a_frozen_form_reads_as_itself(kind: IdentifierType, row: dict[str, str]) -> None:
    assert normalize(kind, row["value"]).value == row["value"]
