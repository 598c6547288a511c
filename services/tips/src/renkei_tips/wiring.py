"""Put the tips service together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from renkei_chassis.records.comparing import Comparing
from renkei_chassis.records.history import History
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
from renkei_tips.api import SERVICE, TipsApi
from renkei_tips.differences import Differences
from renkei_tips.domain.identifiers import normal_form
from renkei_tips.inbox import from_exchange
from renkei_tips.life import Life
from renkei_tips.opinion import OPINIONS
from renkei_tips.opinions import Opinions
from renkei_tips.opinions_api import OpinionsApi
from renkei_tips.record import TIPS
from renkei_tips.retention import retention_of, retention_of_opinion
from renkei_tips.sources import Sources, blot_reasons
from renkei_tips.store import SCHEMA
from renkei_tips.words import READING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.records.kind import Record, RecordKind, Retention
    from renkei_chassis.rpc.methods import Api
    from renkei_chassis.telemetry.metrics import Metrics
    from renkei_tips.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows the exchange, through which other agencies' tips come in."""
    return Blueprint(name="tips", schema=SCHEMA, wire=partial(wire, settings))


def wire(settings: Settings, parts: Parts) -> Wiring:
    """Put the parts together."""
    policy = policy_of(settings, parts.agency)
    reach = Reach(parts.client("exchange"), peers=policy.members - {parts.agency})
    rules = Rules(TIPS, policy)
    finding = _finding(TIPS, parts, reach, retention=partial(retention_of, settings))
    sources = Sources(rules, agency=parts.agency, database=parts.database, tokens=parts.tokens)
    api = TipsApi(
        rules=rules,
        life=Life(rules),
        sources=sources,
        reads=finding.reads,
        search=finding.search,
        history=History(TIPS, agency=parts.agency, database=parts.database, tokens=parts.tokens),
        due=finding.due,
        changes=parts.changes,
        writer=parts.writer,
    )
    purging = purging_of(
        settings, agency=parts.agency, database=parts.database, writer=parts.writer, metrics=parts.metrics
    )
    differences = Differences(
        Comparing(TIPS, READING, agency=parts.agency, database=parts.database, tokens=parts.tokens)
    )
    opinions = _opinions(settings, parts, policy, reach)
    return Wiring(
        api={SERVICE: {**api.api()[SERVICE], **differences.methods()}, **opinions.api},
        follows={"exchange": from_exchange(opinions.rules)},
        tasks={"reach": reach.run, "purging": purging.run, "texts": finding.indexing.run, **opinions.tasks},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What finds records of one kind."""

    reads: Reads
    search: Search
    indexing: Indexing
    due: DueForReview


def _finding(kind: RecordKind, parts: Parts, reach: Reach, *, retention: Callable[[Record], Retention]) -> _Finding:
    agency, database, tokens, clock = parts.agency, parts.database, parts.tokens, parts.clock
    reads = Reads(kind, agency=agency, database=database, tokens=tokens, clock=clock, reach=reach)
    return _Finding(
        reads=reads,
        search=Search(kind, agency=agency, database=database, tokens=tokens, reads=reads),
        indexing=Indexing(kind, database=database, writer=parts.writer, metrics=parts.metrics),
        due=DueForReview(kind, agency=agency, retention=retention, database=database, tokens=tokens, clock=clock),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpinionParts:
    """What the service does with opinions."""

    api: Api
    rules: Opinions
    tasks: Mapping[str, Callable[[], Awaitable[None]]]


def _opinions(settings: Settings, parts: Parts, policy: Policy, reach: Reach) -> _OpinionParts:
    rules = Rules(OPINIONS, policy)
    opinions = Opinions(rules, agency=parts.agency)
    finding = _finding(OPINIONS, parts, reach, retention=partial(retention_of_opinion, settings))
    purging = opinions_purging_of(
        settings, agency=parts.agency, database=parts.database, writer=parts.writer, metrics=parts.metrics
    )
    api = OpinionsApi(rules=rules, opinions=opinions, reads=finding.reads, search=finding.search, due=finding.due)
    return _OpinionParts(
        api=api.api(),
        rules=opinions,
        tasks={"purging opinions": purging.run, "texts of opinions": finding.indexing.run},
    )


def policy_of(settings: Settings, agency: str) -> Policy:
    """Tell what the agency decides about its tips."""
    return Policy(
        agency=agency,
        members=frozenset(settings.members),
        release_without_instrument=settings.release_without_instrument,
        contact_desk=settings.contact_desk,
        handle_span=timedelta(days=settings.handle_span_days),
        undelete=timedelta(days=settings.undelete_days),
        protected=forms_of(settings.protected, normal_form),
    )


def purging_of(settings: Settings, *, agency: str, database: Database, writer: Writer, metrics: Metrics) -> Purging:
    """Put together what purges tips, and what it does before one goes."""
    life = Life(Rules(TIPS, policy_of(settings, agency)))

    def part(transaction: Transaction, record: Record) -> None:
        life.part(transaction, record)
        blot_reasons(transaction, record)

    return Purging(
        TIPS,
        agency=agency,
        retention=partial(retention_of, settings),
        rhythm=_rhythm(settings),
        database=database,
        writer=writer,
        metrics=metrics,
        parting=part,
    )


def opinions_purging_of(
    settings: Settings, *, agency: str, database: Database, writer: Writer, metrics: Metrics
) -> Purging:
    """Put together what purges opinions."""
    return Purging(
        OPINIONS,
        agency=agency,
        retention=partial(retention_of_opinion, settings),
        rhythm=_rhythm(settings),
        database=database,
        writer=writer,
        metrics=metrics,
    )


def _rhythm(settings: Settings) -> Rhythm:
    return Rhythm(seconds=settings.purge_seconds, hours=settings.purge_hours)
