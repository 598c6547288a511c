"""Read the facts of custody out of an arrest record, for the rules that know no messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest, Disposition

from renkei_arrests.custody import Facts
from renkei_arrests.domain import read_birth_date
from renkei_chassis.clock import from_us
from renkei_chassis.records.times import to_us

if TYPE_CHECKING:
    from datetime import date, datetime

    from google.protobuf.message import Message
    from renkei.arrests.v1.custody_pb2 import Custody

_KINDS: Final = {number: name.removeprefix("KIND_") for name, number in Arrest.Kind.items()}


def facts_of(arrest: Arrest, *, birth: date | None, last: bool = False) -> Facts:
    """Give the facts that stand in a record. Every creation asks three times, and most records have no custody.

    Custody ends with the first disposition: an acquittal a year after the indictment starts no clock again. `last`: the
    time of the last one is asked for.
    """
    disposition = _moment(arrest.disposition, "time") if arrest.HasField("disposition") else None
    if arrest.earlier_dispositions and not last:
        disposition = moment_of(arrest.earlier_dispositions[0])
    facts = Facts(
        restraint=_restraint(arrest),
        kind=_KINDS[arrest.kind],
        birth=birth,
        prosecutor_receipt=_moment(arrest, "prosecutor_receipt_time"),
        detention_request=_moment(arrest, "detention_request_time"),
        disposition=disposition,
        indicted=disposition is not None and arrest.disposition.kind == Disposition.KIND_INDICTED,
    )
    return _with_custody(facts, arrest.custody) if arrest.HasField("custody") else facts


def _with_custody(facts: Facts, custody: Custody) -> Facts:
    warrant, detention = custody.warrant, custody.detention
    return replace(
        facts,
        warrant_requested=_moment(warrant, "request_time"),
        warrant_issued=_moment(warrant, "issue_time"),
        warrant_refused=_moment(warrant, "refuse_time"),
        juvenile_measure=detention.juvenile_measure,
        detention_granted=_moment(detention, "grant_time"),
        detention_refused=_moment(detention, "refuse_time"),
        extended=_moment(detention, "extension_grant_time"),
        extension_days=detention.extension_days,
        returned_to_prosecutor=_moment(custody, "returned_to_prosecutor_time"),
    )


def birth_of(arrest: Arrest) -> date | None:
    """Read the day of birth; ValueError where it is no day up to the restraint."""
    if not arrest.HasField("person"):
        return None
    text = arrest.person.birth_date
    return read_birth_date(text, restraint=_restraint(arrest)) if text else None


def moment_of(disposition: Disposition) -> datetime:
    """Read when something became of an arrest."""
    return from_us(to_us(disposition.time))


def _restraint(arrest: Arrest) -> datetime:
    return from_us(to_us(arrest.restraint_time))  # 1970 where a correction took it out, which is refused a moment later


def _moment(message: Message, field: str) -> datetime | None:
    return from_us(to_us(getattr(message, field))) if message.HasField(field) else None
