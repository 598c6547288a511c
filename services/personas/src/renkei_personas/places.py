"""Pass the named places of a change beside the table, stored and committed, at which a test can have us killed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei_chassis import failpoints

if TYPE_CHECKING:
    from renkei_chassis.database.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Passed:
    """Passes a place, once a batch is committed."""

    name: str

    def __call__(self) -> None:
        """Pass it."""
        failpoints.hit(self.name)


def pass_with(transaction: Transaction, change: str) -> None:
    """Pass `CHANGE.stored` now, and `CHANGE.committed` once the batch is."""
    failpoints.hit(f"{change}.stored")
    transaction.after_commit(Passed(f"{change}.committed"))
