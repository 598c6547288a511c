"""The frozen vectors: what every agency must read alike. A change here is a new VERSION."""

import json
from pathlib import Path
from typing import Final

import pytest

from renkei_normalform import VERSION, IdentifierType, NormalForm, NotAnIdentifier, normalize, strength_of

_FILE: Final = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
_ACCEPTED: Final = [row for row in _FILE["vectors"] if "value" in row]
_REFUSED: Final = [row for row in _FILE["vectors"] if "reason" in row]


def _numbered(rows: list[dict[str, str]]) -> list[object]:
    # Not by their text: some rows hold what no terminal and no report file can show.
    return [pytest.param(row, id=f"{row['type']}-{number}") for number, row in enumerate(rows)]


def test_the_vectors_belong_to_this_version() -> None:
    assert _FILE["version"] == VERSION


def test_the_vectors_cover_every_type_with_accepted_and_refused_texts() -> None:
    every = {kind.value for kind in IdentifierType}

    assert {row["type"] for row in _ACCEPTED} == every
    assert {row["type"] for row in _REFUSED} == every
    assert len(_ACCEPTED) >= 200
    assert len(_REFUSED) >= 200


@pytest.mark.parametrize("row", _numbered(_ACCEPTED))
def test_a_spelling_reads_as_its_frozen_form(row: dict[str, str]) -> None:
    kind = IdentifierType(row["type"])

    form = normalize(kind, row["text"])

    assert form == NormalForm(type=kind, value=row["value"], version=VERSION, strength=strength_of(kind, row["value"]))


@pytest.mark.parametrize("row", _numbered(_REFUSED))
def test_a_text_is_refused_for_its_frozen_reason(row: dict[str, str]) -> None:
    with pytest.raises(NotAnIdentifier) as refused:
        normalize(IdentifierType(row["type"]), row["text"])

    assert refused.value.reason == row["reason"]
    assert refused.value.identifier_type == row["type"]


@pytest.mark.parametrize("row", _numbered(_ACCEPTED))
def test_a_frozen_form_reads_as_itself(row: dict[str, str]) -> None:
    kind = IdentifierType(row["type"])

    assert normalize(kind, row["value"]).value == row["value"]
