"""Run the demo: seven agencies, invented records by the thousand, the story, and the checks from outside."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from renkei_node.commands.status import lines as status_lines
from renkei_node.demo.agencies import AGENCIES, CODES
from renkei_node.demo.checks import check
from renkei_node.demo.columns import NOTE
from renkei_node.demo.federation import Federation, NodeDiedError
from renkei_node.demo.journal import Journal
from renkei_node.demo.loading import LoadRefusedError, load
from renkei_node.demo.play import ClaimError, Play
from renkei_node.demo.report import lead_lines
from renkei_node.demo.story import Told, tell_first, tell_rest
from renkei_node.demo.synthetic import write_exports
from renkei_node.demo.timeline import read_cases
from renkei_node.standing import Standing, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from renkei_node.demo.federation import Member
    from renkei_node.demo.synthetic import Export

READY_BAR_SECONDS: Final = 10.0
FIRST_LEAD_BAR_SECONDS: Final = 30.0
NODE_BAR_MEGABYTES: Final = 200.0
_STATUS_SECONDS: Final = 10.0
_SHOWN_CASES: Final = 5
_SHOWN_FAULTS: Final = 20


def run_demo(
    *,
    once: bool,
    directory: Path | None,
    records: int,
    tamper: Callable[[Federation, Journal], None] | None = None,
    bars: bool = True,
) -> int:
    """Run it and return the exit status: 0 only if every claim held and every bar was met.

    The last two are for the demo's own tests: `tamper` is called just before the checks, to plant a loss
    or a leak, and without `bars` a machine busy with other tests is no fault.
    """
    try:
        with _work(directory) as path:
            return asyncio.run(_run(path, once=once, records=records, tamper=tamper, bars=bars))
    except KeyboardInterrupt:
        click.echo("stopped")
        return 130
    except (ClaimError, LoadRefusedError, NodeDiedError, TimeoutError) as error:
        click.echo(f"demo: {str(error) or 'not ready in time'}", err=True)
        return 1


@contextmanager
def _work(directory: Path | None) -> Iterator[Path]:
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="renkei-demo-") as name:
            yield Path(name)
        return
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise click.ClickException(f"{directory} is not empty: name a new directory")
    yield directory.absolute()


async def _run(
    path: Path, *, once: bool, records: int, tamper: Callable[[Federation, Journal], None] | None, bars: bool
) -> int:
    began = time.monotonic()
    click.echo(f"{NOTE}: every person, number, account and record here is invented")
    _background()
    federation, journal = Federation(path), Journal()
    await asyncio.to_thread(federation.set_up)
    exports = await asyncio.to_thread(write_exports, path, records=records)
    try:
        started = time.monotonic()
        ready = await federation.start()
        click.echo(f"seven agencies are ready after {ready:.1f} s; their nodes lie in {path}")
        play, told = Play(federation, journal), Told(say=click.echo)
        series = await tell_first(play, told)
        await _load(exports, federation, journal)
        await tell_rest(play, told, series)
        click.echo(f"every lane is level {await play.caught_up():.1f} s after the last record")
        await _settle(play)
        for lead in told.leads:
            click.echo("\n".join(lead_lines(lead)))
        if tamper is not None:
            await asyncio.to_thread(tamper, federation, journal)
        findings = await asyncio.to_thread(check, federation.members, journal)
        ids = {lead.name.rpartition("/")[2] for code in CODES for lead in await play.leads(code)}
        largest = max(member.peak_megabytes() for member in federation.members.values())
        first = told.first_lead - started
        click.echo(f"ready {ready:.1f} s")
        click.echo(f"first lead {first:.1f} s")
        click.echo(f"largest node {largest:.0f} MB")
        faults = [f"lost: {line}" for line in findings.lost] + [f"leaked: {line}" for line in findings.leaked]
        faults += _missed(ready=ready, first=first, largest=largest) if bars else []
        if not once and not faults:
            await _stay(federation)
        for fault in faults[:_SHOWN_FAULTS]:
            click.echo(f"wrong: {fault}")
        lost, leaked, seconds = len(findings.lost), len(findings.leaked), time.monotonic() - began
        click.echo(
            f"demo: {len(ids)} leads, {len(journal)} records, {len(AGENCIES)} agencies, "
            f"{lost} lost, {leaked} leaked, {seconds:.0f} s"
        )
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


async def _settle(play: Play) -> None:
    """Wait until what the lanes brought is in effect in the services behind them."""

    async def level() -> bool | None:
        standings = [await asyncio.to_thread(_ask, member) for member in play.federation.members.values()]
        followers = [f for standing in standings for service in standing.services for f in service.followers]
        return True if followers and not any(follower.lag for follower in followers) else None

    await play.wait("every follower is level", level, since=time.monotonic())


def _ask(member: Member) -> Standing:
    return ask(member.settings, member.ports, member.directory.operator_token.read_text())


def _missed(*, ready: float, first: float, largest: float) -> list[str]:
    """Name the bars that were missed."""
    faults = []
    if ready > READY_BAR_SECONDS:
        faults.append(f"ready after {ready:.1f} s, not within {READY_BAR_SECONDS:.0f} s")
    if first > FIRST_LEAD_BAR_SECONDS:
        faults.append(f"the first lead after {first:.1f} s, not within {FIRST_LEAD_BAR_SECONDS:.0f} s")
    if largest >= NODE_BAR_MEGABYTES:
        faults.append(f"a node took {largest:.0f} MB, not less than {NODE_BAR_MEGABYTES:.0f} MB")
    return faults


async def _stay(federation: Federation) -> None:
    """Stay up and show how everybody stands until Ctrl-C."""
    tokyo = federation.members["jp-13"].directory.path
    click.echo("\nThe federation stays up until Ctrl-C. In another terminal:")
    click.echo(f"  export RENKEI_TOKEN=$(.venv/bin/renkei token {tokyo} --officer sato --role OFFICER)")
    click.echo(f"  .venv/bin/renkei leads {tokyo}")
    click.echo(f"  .venv/bin/renkei tail {tokyo} --from-start")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    while not stop.is_set():
        for member in federation.members.values():
            standing = await asyncio.to_thread(_ask, member)
            click.echo("\n".join(status_lines(standing, "ja")))
        try:
            async with asyncio.timeout(_STATUS_SECONDS):
                await stop.wait()
        except TimeoutError:
            continue
