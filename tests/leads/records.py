"""Records to be matched, made in one line each. Every number is a placeholder."""

from __future__ import annotations

import uuid
from typing import Final

from renkei.arrests.v1.arrests_pb2 import Arrest, SeizedItem
from renkei.identifiers.v1.identifiers_pb2 import (
    IDENTIFIER_TYPE_HANDLE,
    IDENTIFIER_TYPE_PHONE,
    PROVENANCE_OBSERVATION,
    PROVENANCE_SEIZED_DEVICE,
    PROVENANCE_TIP,
    RELATION_COMMUNICATED,
    RELATION_USED_BY_SUBJECT,
    Identifier,
    IdentifierType,
    Occurrence,
    Provenance,
    Relation,
)
from renkei.tips.v1.opinions_pb2 import Opinion
from renkei.tips.v1.tips_pb2 import Tip

CHIBA: Final = "agencies/jp-12"
TOCHIGI: Final = "agencies/jp-09"
TOKYO: Final = "agencies/jp-13"
SAPPORO: Final = "agencies/jp-01"


def numbered(number: int) -> str:
    """Make a UUIDv7 that sorts by its number."""
    return str(uuid.UUID(int=(number << 80) | (7 << 76) | (0b10 << 62) | 1))


def tip_name(number: int, agency: str = CHIBA) -> str:
    return f"{agency}/tips/{numbered(number)}"


def phone(
    last: int,
    *,
    provenance: Provenance.ValueType = PROVENANCE_TIP,
    relation: Relation.ValueType = RELATION_USED_BY_SUBJECT,
    version: int = 1,
) -> Occurrence:
    return occurrence(
        IDENTIFIER_TYPE_PHONE, f"+8190000000{last:02}", provenance=provenance, relation=relation, version=version
    )


def handle(
    name: str,
    *,
    days: tuple[int | None, int | None] = (None, None),
    provenance: Provenance.ValueType = PROVENANCE_TIP,
) -> Occurrence:
    """Make a handle that was so used from one day to another, counted from 1970."""
    made = occurrence(IDENTIFIER_TYPE_HANDLE, name, provenance=provenance)
    first, last = days
    if first is not None:
        made.valid_from.seconds = first * 86400
    if last is not None:
        made.valid_until.seconds = last * 86400
    return made


def occurrence(
    kind: IdentifierType.ValueType,
    form: str,
    *,
    provenance: Provenance.ValueType = PROVENANCE_TIP,
    relation: Relation.ValueType = RELATION_USED_BY_SUBJECT,
    version: int = 1,
) -> Occurrence:
    return Occurrence(
        identifier=Identifier(type=kind, original=form, normal_form=form, normal_form_version=version),
        provenance=provenance,
        relation=relation,
    )


def tip(number: int, *occurrences: Occurrence, agency: str = CHIBA, version: int = 1, caveat: str = "") -> Tip:
    made = Tip(
        name=tip_name(number, agency),
        version=version,
        text="(演習データ) MARKERxTEXT",
        display_name="(演習データ) MARKERxTITLE",
        contact_desk=f"desk of {agency.rpartition('/')[2]}",
        identifiers=occurrences,
    )
    made.handling.caveat = caveat
    return made


def sighting(number: int, *occurrences: Occurrence, agency: str = CHIBA) -> Opinion:
    """Make a sighting of what some tip is about; observations are what an agency has of its own."""
    for each in occurrences:
        each.provenance = PROVENANCE_OBSERVATION
    return Opinion(
        name=f"{agency}/opinions/{numbered(number)}",
        version=1,
        tip=tip_name(number, SAPPORO),
        contact_desk=f"desk of {agency.rpartition('/')[2]}",
        identifiers=occurrences,
    )


def arrest(number: int, *on_device: Occurrence, agency: str = CHIBA, version: int = 1) -> Arrest:
    """Make an arrest with a seized device, on which the identifiers are."""
    for each in on_device:
        each.provenance, each.relation = PROVENANCE_SEIZED_DEVICE, RELATION_COMMUNICATED
    return Arrest(
        name=f"{agency}/arrests/{numbered(number)}",
        version=version,
        contact_desk=f"desk of {agency.rpartition('/')[2]}",
        seized_items=[SeizedItem(description="(演習データ) phone", identifiers=on_device)],
    )
