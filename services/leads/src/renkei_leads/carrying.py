"""Carry on what people do about leads when leads are found anew: they join, end, and grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_leads import follow_up_rows
from renkei_leads.domain import Sight
from renkei_leads.domain.follow_up import settle
from renkei_leads.follow_up_rows import Followed, NewStep
from renkei_leads.succession import LIVE, lead_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from renkei_chassis.database.transaction import Transaction
    from renkei_leads.domain import FoundLead
    from renkei_leads.store import LeadRow
    from renkei_leads.succession import Outcome


def carry(
    transaction: Transaction,
    *,
    agency: str,
    found: Iterable[FoundLead],
    before: Iterable[LeadRow],
    homes: Mapping[str, str],
    outcome: Outcome,
) -> None:
    """Take the steps that come by themselves, right behind what `succeed` made of the same `before` and `homes`."""
    changed = {row.id for row in (*outcome.new, *outcome.changed)}
    live = {lead_id(lead.first.name): lead for lead in found}
    ended = {row.id for row in before if row.state in LIVE} - live.keys()
    givers: dict[str, set[str]] = {lead: set() for lead in changed & live.keys()}
    for record, lead in homes.items():
        heir = outcome.homes.get(record)
        if lead in ended and heir is not None:
            givers.setdefault(heir, set()).add(lead)
    rows = follow_up_rows.find_many(transaction, givers.keys() | ended)
    if not rows:
        return
    for heir in sorted(givers):
        own = rows.get(heir, Followed(lead=heir))
        gave = {lead: rows[lead].follow_up for lead in givers[heir] if lead in rows and rows[lead].follow_up.act_us}
        if gave:
            known = follow_up_rows.taken_in(transaction, heir)
            gave = {lead: follow_up for lead, follow_up in gave.items() if known.get(lead, 0) < follow_up.act_us}
        is_now = live[heir]
        names = (record.name for record in is_now.records)
        now = Sight.of(names, state=is_now.state, evidence=len(is_now.evidence))
        for kind, other, after in settle(own.follow_up if own.follow_up.act_us else None, gave, now):
            step = NewStep(kind=kind, after=after, other=other)
            own = follow_up_rows.write_step(transaction, agency=agency, before=own, step=step)
