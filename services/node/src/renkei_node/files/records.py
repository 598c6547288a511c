"""Build the record of a row: texts by field become a tip or an arrest, or it is said which cell stands in the way."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1.arrests_pb2 import SeizedItem
from renkei.identifiers.v1.identifiers_pb2 import Identifier, Occurrence
from renkei.policy.v1 import handling_pb2

from renkei_files import SEPARATOR, Problem, Reason
from renkei_node.files.plan import AGENCIES, ITEM, RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from renkei_node.files.plan import Plan, Slot

_JAPAN: Final = timezone(timedelta(hours=9))
# A message of a load holds 256 KiB, and a row must leave room for its frame.
LARGEST_ROW_BYTES: Final = 128 << 10


class RowError(ValueError):
    """A row that is no record. It names the field and the reason, never the cell."""

    def __init__(self, field: str, reason: Reason) -> None:
        """Take the field and the reason."""
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def problem(self, row: int, plan: Plan) -> Problem:
        """Give what a report tells."""
        return Problem(row=row, column=plan.headers.get(self.field, self.field), reason=self.reason)


def build(values: Mapping[str, str], plan: Plan, agencies: Mapping[str, str]) -> Any:  # noqa: ANN401 (a Tip or an Arrest)
    """Make the record; `agencies` gives the name of an agency for each word by which a file may call it."""
    record: Any = plan.kind.message()
    item = SeizedItem()
    for scalar in plan.scalars:
        text = values.get(scalar.field, "")
        if not text:
            continue
        target: Any = item if scalar.on_item else record
        for step in scalar.way:
            target = getattr(target, step)
        if scalar.is_time:
            getattr(target, scalar.last).FromDatetime(_moment(text))
        else:
            setattr(target, scalar.last, text if scalar.values is None else scalar.values[text])
    for slot in plan.slots:
        found = list(_occurrences(slot, values, plan))
        (item if slot.on_item else record).identifiers.extend(found)
    if item.ByteSize():
        if not item.description:
            raise RowError(f"{ITEM}.description", Reason.MISSING)
        record.seized_items.append(item)
    _address(record.handling, values, plan, agencies)
    if record.ByteSize() > LARGEST_ROW_BYTES:
        raise RowError("", Reason.TOO_LONG)
    return record


def _occurrences(slot: Slot, values: Mapping[str, str], plan: Plan) -> Iterator[Occurrence]:
    text = values.get(slot.field, "")
    if not text:
        return
    relation = plan.relations[_given(slot.relation, values)]
    provenance = plan.provenances[_given(slot.provenance, values)]
    for original in text.split(SEPARATOR):
        found = Occurrence(
            identifier=Identifier(type=slot.type, original=original),  # type: ignore[arg-type]  # a number of the enum
            provenance=provenance,  # type: ignore[arg-type]
            relation=relation,  # type: ignore[arg-type]
        )
        if start := values.get(slot.valid_from, ""):
            found.valid_from.FromDatetime(_moment(start))
        if end := values.get(slot.valid_until, ""):
            found.valid_until.FromDatetime(_moment(end))
        yield found


def _given(field: str, values: Mapping[str, str]) -> str:
    word = values.get(field, "")
    if not word:
        raise RowError(field, Reason.MISSING)
    return word


def _address(
    handling: handling_pb2.Handling, values: Mapping[str, str], plan: Plan, agencies: Mapping[str, str]
) -> None:
    """Say who gets the record. A release without anybody, or somebody without a release, is nobody's to guess."""
    words = [word for word in values.get(AGENCIES, "").split(SEPARATOR) if word]
    for word in words:
        name = agencies.get(word)
        if name is None:
            raise RowError(AGENCIES, Reason.NOT_A_CHOICE)
        handling.releasable_to.append(name)
    if not plan.has_release:
        return
    release = values.get(RELEASE, "") or "NONE"
    if bool(words) == (release == "NONE"):
        raise RowError(AGENCIES, Reason.CONTRADICTION)
    if not handling.permitted_action:
        index_only = release == "INDEX_ONLY"
        handling.permitted_action = (
            handling_pb2.PERMITTED_ACTION_INDEX_ONLY if index_only else handling_pb2.PERMITTED_ACTION_COORDINATE_FIRST
        )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=_JAPAN)
