"""What is kept beside an arrest record, in the transaction of each version: its clocks, its chain, its purge review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_arrests import chains, clock_rows, purge_reviews

if TYPE_CHECKING:
    from datetime import timedelta

    from renkei.arrests.v1.arrests_pb2 import Arrest

    from renkei_arrests.custody import Terms
    from renkei_chassis.database.transaction import Transaction


def stored(
    transaction: Transaction, record_id: bytes, arrest: Arrest, *, terms: Terms, purge_review: timedelta
) -> None:
    """Have all of it say what this version of a record says."""
    chains.stored(transaction, record_id, arrest)
    clock_rows.stored(transaction, record_id, arrest, terms=terms)
    purge_reviews.stored(transaction, record_id, arrest, term=purge_review)
