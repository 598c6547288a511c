"""Run the demo: seven agencies, invented records by the thousand, the story, and the checks from outside."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click
import psutil

from renkei_chassis.errors import RenkeiError
from renkei_node.demo.agencies import CODES
from renkei_node.demo.checks import Findings, check, check_leads
from renkei_node.demo.columns import NOTE
from renkei_node.demo.ending import run_to_an_end
from renkei_node.demo.federation import Federation, NodeDiedError
from renkei_node.demo.journal import Journal
from renkei_node.demo.loading import LoadRefusedError, load
from renkei_node.demo.play import ClaimError, Play
from renkei_node.demo.report import Outcome, lead_lines
from renkei_node.demo.staying import somebody_is_ready, stay, the_desk, what_to_try
from renkei_node.demo.story import tell_first, tell_rest
from renkei_node.demo.synthetic import write_exports
from renkei_node.demo.timeline import read_cases
from renkei_node.demo.told import Told
from renkei_node.desk_link import DeskAwayError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from subprocess import Popen

    from renkei_node.demo.synthetic import Export

_SHOWN_CASES: Final = 5
_PATIENCE_SECONDS: Final = 5.0
_INTERRUPTED: Final = 128 + signal.SIGINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the demo is to run."""

    once: bool
    watch: bool
    records: int
    tamper: Callable[[Federation, Journal], None] | None
    bars: bool
    on_outcome: Callable[[Mapping[str, Any]], None] | None = None


def run_demo(path: Path, processes: Mapping[str, Popen[bytes]], wishes: Wishes) -> int:
    """Run it with processes that were launched already; returns the exit status."""
    federation = Federation(path, launched=processes)
    try:
        status = run_to_an_end(_run(federation, wishes), at_last=federation.kill)
    except (ClaimError, DeskAwayError, LoadRefusedError, NodeDiedError, RenkeiError, TimeoutError) as error:
        click.echo(f"demo: {str(error) or 'not ready in time'}", err=True)
        return 1
    if status == _INTERRUPTED:
        click.echo("stopped")
    return status


async def _run(federation: Federation, wishes: Wishes) -> int:
    # From the start of this process: whoever waits has waited for that, too.
    began = time.monotonic() - (time.time() - psutil.Process().create_time())
    click.echo(f"{NOTE}: every person, number, account and record here is invented. Nobody official endorses this.")
    click.echo(
        "These nodes release without a legal instrument (release_without_instrument); by default a node does not."
    )
    _background()
    journal = Journal()
    await asyncio.to_thread(federation.set_up)
    try:
        await federation.start()
        ready = time.monotonic() - began
        click.echo(f"seven agencies are ready after {ready:.1f} s; their nodes lie in {federation.path}")
        if wishes.watch:
            click.echo("\n".join(await asyncio.to_thread(lambda: list(the_desk(federation)))))
            click.echo("Open it, then press Enter: the story happens there.")
            waits = time.monotonic()
            await somebody_is_ready()
            began += time.monotonic() - waits  # nobody but the reader took that long
        play, told = Play(federation, journal), Told(say=click.echo)
        series = await tell_first(play, told)
        exports = await asyncio.to_thread(write_exports, federation.path, records=wishes.records)
        await _load(exports, federation, journal)
        await tell_rest(play, told, series)
        click.echo(f"everything is in effect everywhere {await play.at_rest():.1f} s after the last record")
        click.echo("\nThe leads of acts 1 to 5, each as one agency reads it")
        for act, (lead, seconds) in enumerate(told.leads, start=1):
            click.echo("\n".join(lead_lines(act, lead, seconds)))
        if wishes.tamper is not None:
            await asyncio.to_thread(wishes.tamper, federation, journal)
        click.echo("\nLooking for losses and leaks in every database, file, metrics page and command line of the seven")
        findings, leads = await _examine(play)
        outcome = Outcome(
            ready=ready,
            first_lead=told.first_lead - began,
            largest=max(member.peak_megabytes() for member in federation.members.values()),
            findings=findings,
            leads=leads,
            records=len(journal),
            seconds=time.monotonic() - began,
        )
        faults = outcome.faults(bars=wishes.bars)
        click.echo("\n" + "\n".join(outcome.lines(faults)))
        if wishes.on_outcome is not None:
            wishes.on_outcome(outcome.document(faults))
        if not wishes.once and not faults:
            click.echo("\n" + "\n".join(what_to_try(federation)))
            click.echo("\n".join(await asyncio.to_thread(lambda: list(the_desk(federation)))))
            await stay(federation)
        return 1 if faults else 0
    finally:
        await federation.stop()


def _background() -> None:
    cases = read_cases()
    click.echo(f"Background: {len(cases)} public cases of 2024, from press reports (`renkei cases` shows all)")
    for case in cases[:_SHOWN_CASES]:
        click.echo(f"   {case.line()}")


async def _load(exports: Sequence[Export], federation: Federation, journal: Journal) -> None:
    """Load every agency's files, agencies side by side, with a bar where somebody is looking."""
    total = sum(export.rows for export in exports)
    began = time.monotonic()
    with click.progressbar(length=total, label="loading cp932 exports", file=sys.stderr) as bar:

        async def one(code: str) -> None:
            for export in exports:
                if export.code == code:
                    await load(export, federation, journal, tell=bar.update)

        await asyncio.gather(*(one(code) for code in CODES))
    seconds = time.monotonic() - began
    click.echo(f"loaded {total} records from {len(exports)} cp932 files in {seconds:.1f} s")


async def _examine(play: Play) -> tuple[Findings, int]:
    """Check from the outside; returns what is wrong and how many leads are alive.

    What seems lost is looked for again for a moment: at rest is what the nodes say of themselves.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        findings = await asyncio.to_thread(check, play.federation.members, play.journal)
        alive = {code: await play.leads(code) for code in CODES}
        shown = {code: [frozenset(record.name for record in lead.records) for lead in alive[code]] for code in CODES}
        findings.leads = check_leads(play.journal, shown)
        if not (findings.lost or findings.leads) or time.monotonic() > until:
            return findings, len({lead.name.rpartition("/")[2] for leads in alive.values() for lead in leads})
