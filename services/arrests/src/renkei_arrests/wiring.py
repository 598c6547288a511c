"""Put the arrests service together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from renkei_arrests.api import SERVICE, ArrestsApi
from renkei_arrests.board import SERVICE as CLOCKS
from renkei_arrests.board import Board
from renkei_arrests.chains import Chains
from renkei_arrests.clock_task import ClockTask
from renkei_arrests.custody import Terms
from renkei_arrests.differences import Differences
from renkei_arrests.domain import normal_form
from renkei_arrests.exhibits.api import SERVICE as EXHIBITS
from renkei_arrests.exhibits.api import ExhibitsApi
from renkei_arrests.exhibits.reads import ExhibitReads
from renkei_arrests.exhibits.rules import ExhibitRules
from renkei_arrests.inbox import FROM_EXCHANGE
from renkei_arrests.purge_reviews import PurgeReviews
from renkei_arrests.record import arrests_under
from renkei_arrests.retention import retention_of
from renkei_arrests.sealed import SERVICE as SEALED
from renkei_arrests.sealed import SealedBlocks, blot_reasons
from renkei_arrests.store import SCHEMA
from renkei_arrests.words import READING
from renkei_chassis.clock import to_us
from renkei_chassis.records.comparing import Comparing
from renkei_chassis.records.kind import Policy
from renkei_chassis.records.protected import forms_of
from renkei_chassis.records.purging import Purging, Rhythm
from renkei_chassis.records.reach import Reach
from renkei_chassis.records.reads import Reads
from renkei_chassis.records.reviewing import DueForReview
from renkei_chassis.records.rules import Rules
from renkei_chassis.records.texts.indexing import Indexing
from renkei_chassis.records.texts.searching import Search
from renkei_chassis.service import Blueprint, Parts, Wiring

if TYPE_CHECKING:
    from renkei_arrests.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows the exchange, through which other agencies' records come in."""
    return Blueprint(name="arrests", schema=SCHEMA, wire=partial(wire, settings))


def wire(settings: Settings, parts: Parts) -> Wiring:
    """Put the parts together."""
    terms = Terms(
        urgent_alarm=timedelta(minutes=settings.urgent_alarm_minutes),
        patience=timedelta(minutes=settings.clock_acknowledge_minutes),
        desk=settings.clock_escalation_desk,
        history=timedelta(days=settings.clock_history_days),
    )
    kind = arrests_under(terms, purge_review=timedelta(days=settings.purge_review_days))
    policy = Policy(
        agency=parts.agency,
        members=frozenset(settings.members),
        release_without_instrument=settings.release_without_instrument,
        contact_desk=settings.contact_desk,
        handle_span=timedelta(days=settings.handle_span_days),
        undelete=timedelta(days=settings.undelete_days),
        protected=forms_of(settings.protected, normal_form),
    )
    reach = Reach(parts.client("exchange"), peers=policy.members - {parts.agency})
    reads = Reads(
        kind,
        agency=parts.agency,
        database=parts.database,
        tokens=parts.tokens,
        clock=parts.clock,
        reach=reach,
    )
    rules = Rules(kind, policy)
    search = Search(kind, agency=parts.agency, database=parts.database, tokens=parts.tokens, reads=reads)
    indexing = Indexing(kind, database=parts.database, writer=parts.writer, metrics=parts.metrics)
    retention = partial(retention_of, settings)
    due = DueForReview(
        kind,
        agency=parts.agency,
        retention=retention,
        database=parts.database,
        tokens=parts.tokens,
        clock=parts.clock,
    )
    api = ArrestsApi(rules=rules, reads=reads, search=search, due=due, changes=parts.changes, writer=parts.writer)
    purging = Purging(
        kind,
        agency=parts.agency,
        retention=retention,
        rhythm=Rhythm(seconds=settings.purge_seconds, hours=settings.purge_hours),
        database=parts.database,
        writer=parts.writer,
        metrics=parts.metrics,
        parting=blot_reasons,
    )
    clocks = ClockTask(
        agency=parts.agency,
        terms=terms,
        database=parts.database,
        writer=parts.writer,
        clock=parts.clock,
        metrics=parts.metrics,
        seconds=settings.clock_seconds,
    )
    board = Board(
        kind,
        agency=parts.agency,
        database=parts.database,
        tokens=parts.tokens,
        changes=parts.changes,
        now_us=lambda: to_us(reads.clock_now()),
    )
    differences = Differences(
        Comparing(kind, READING, agency=parts.agency, database=parts.database, tokens=parts.tokens)
    )
    chains = Chains(kind, agency=parts.agency, database=parts.database, tokens=parts.tokens)
    reviews = PurgeReviews(
        kind,
        rules,
        agency=parts.agency,
        database=parts.database,
        tokens=parts.tokens,
        now_us=lambda: to_us(reads.clock_now()),
    )
    exhibits = ExhibitsApi(
        rules=ExhibitRules(policy),
        reads=ExhibitReads(agency=parts.agency, database=parts.database, tokens=parts.tokens),
        writer=parts.writer,
    )
    blocks = SealedBlocks(rules, agency=parts.agency, database=parts.database, tokens=parts.tokens)
    methods = {**api.api()[SERVICE], **differences.methods(), **chains.methods(), **reviews.methods()}
    return Wiring(
        api={SERVICE: methods, CLOCKS: board.methods(), EXHIBITS: exhibits.methods(), SEALED: blocks.methods()},
        follows={"exchange": FROM_EXCHANGE},
        tasks={"reach": reach.run, "purging": purging.run, "clocks": clocks.run, "texts": indexing.run},
    )
