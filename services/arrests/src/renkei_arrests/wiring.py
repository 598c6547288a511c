"""Put the arrests service together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from renkei_arrests.api import ArrestsApi
from renkei_arrests.inbox import FROM_EXCHANGE
from renkei_arrests.record import ARRESTS
from renkei_arrests.retention import retention_of
from renkei_arrests.store import SCHEMA
from renkei_chassis.records.kind import Policy
from renkei_chassis.records.purging import Purging, Rhythm
from renkei_chassis.records.reach import Reach
from renkei_chassis.records.reads import Reads
from renkei_chassis.records.rules import Rules
from renkei_chassis.records.texts.indexing import Indexing
from renkei_chassis.records.texts.searching import TextSearch
from renkei_chassis.service import Blueprint, Parts, Wiring

if TYPE_CHECKING:
    from renkei_arrests.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows the exchange, through which other agencies' records come in."""
    return Blueprint(name="arrests", schema=SCHEMA, wire=partial(wire, settings))


def wire(settings: Settings, parts: Parts) -> Wiring:
    """Put the parts together."""
    policy = Policy(
        agency=parts.agency,
        members=frozenset(settings.members),
        release_without_instrument=settings.release_without_instrument,
        contact_desk=settings.contact_desk,
        handle_span=timedelta(days=settings.handle_span_days),
        undelete=timedelta(days=settings.undelete_days),
    )
    reach = Reach(parts.client("exchange"), peers=policy.members - {parts.agency})
    reads = Reads(
        ARRESTS,
        agency=parts.agency,
        database=parts.database,
        tokens=parts.tokens,
        clock=parts.clock,
        reach=reach,
    )
    texts = TextSearch(ARRESTS, agency=parts.agency, database=parts.database, tokens=parts.tokens, reads=reads)
    indexing = Indexing(ARRESTS, database=parts.database, writer=parts.writer, metrics=parts.metrics)
    api = ArrestsApi(rules=Rules(ARRESTS, policy), reads=reads, texts=texts, changes=parts.changes, writer=parts.writer)
    purging = Purging(
        ARRESTS,
        agency=parts.agency,
        retention=partial(retention_of, settings),
        rhythm=Rhythm(seconds=settings.purge_seconds, hours=settings.purge_hours),
        database=parts.database,
        writer=parts.writer,
        metrics=parts.metrics,
    )
    return Wiring(
        api=api.api(),
        follows={"exchange": FROM_EXCHANGE},
        tasks={"reach": reach.run, "purging": purging.run, "texts": indexing.run},
    )
