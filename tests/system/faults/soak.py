"""Random mixtures of faults for as long as asked: `make soak MINUTES=n`, `make soak SEED=n` to see one round again.

A round is a federation of its own, ten faults, two at a time, under work, and then a look into every byte. A seed
gives the same faults in the same order to the same victims, and the same clients; it cannot give the same
microseconds, so what a rare interleaving showed may need its seed played more than once (`ROUNDS=n`).
"""

# ruff: noqa: T201 (a command)

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.system.faults.ground import Ground, disks_impossible
from tests.system.faults.history import Outcome
from tests.system.faults.kinds import FAULTS
from tests.system.faults.schedule import STEPS, plan, play
from tests.system.faults.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.system.faults.ground import Step

_ROUND_SECONDS: Final = 300.0
_COMMAND: Final = ".venv/bin/python -m tests.system.faults.soak"
_MOST_LINES: Final = 20
_MOST_WORDS: Final = 600


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a run has counted so far."""

    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    records: int = 0
    interrupted: bool = False
    violations: list[dict[str, object]] = field(default_factory=list)
    """Of each bad round its seed, the command that plays it again, and what was wrong."""


def main() -> int:
    """Run; the exit status says whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long new rounds may begin")
    parser.add_argument("--seed", type=int, help="play this one round instead")
    parser.add_argument("--rounds", type=int, default=1, help="with --seed: how often")
    parser.add_argument("--only", action="append", choices=tuple(FAULTS), help="only faults of this kind; repeatable")
    parser.add_argument("--steps", type=int, default=STEPS, help="how many faults a round has")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--keep", type=Path, help="keep files of bad rounds in this folder")
    options = parser.parse_args()
    tally = asyncio.run(_run(options))
    print(_json(tally) if options.json else _table(tally))
    return 1 if tally.violations or not (tally.rounds or tally.interrupted) else 0


async def _run(options: argparse.Namespace) -> Tally:
    tally = Tally()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    kinds = tuple(options.only or FAULTS)
    ends = loop.time() + options.minutes * 60
    first = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    rounds = 0
    while not stop.is_set() and (rounds < options.rounds if options.seed is not None else loop.time() < ends):
        seed = first if options.seed is not None else first + rounds
        left = f", {max(0.0, ends - loop.time()) / 60:.1f} min left" if options.seed is None else ""
        so_far = f"{sum(tally.faults.values())} faults so far, {len(tally.violations)} bad rounds"
        _say(f"round {rounds + 1} (seed {seed}): {so_far}{left}")
        await _round(plan(seed, kinds=kinds, count=options.steps), seed, tally, stop, options)
        rounds += 1
    tally.interrupted = stop.is_set()
    return tally


async def _round(
    steps: Sequence[Step], seed: int, tally: Tally, stop: asyncio.Event, options: argparse.Namespace
) -> None:
    """Play one round unless it is stopped; a round that was stopped counts nowhere."""
    with tempfile.TemporaryDirectory(prefix="renkei-soak-") as path:
        ground = Ground(Path(path), seed=seed, has_disks=not disks_impossible(), settings="")
        playing = asyncio.create_task(_play(ground, steps))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        was_stopped = not playing.done()
        for task in (playing, stopping):
            task.cancel()
        await asyncio.wait({playing, stopping})
        wrong = [] if was_stopped else playing.result()
        if wrong and options.keep is not None:
            await in_thread(ground.keep, options.keep / str(seed))
        try:
            await ground.stop()
        except Exception as error:  # noqa: BLE001 (the disks are free, and the seed has to be told)
            wrong.append(f"LEFT by {type(error).__name__}: {str(error)[-_MOST_WORDS:]}")
    if was_stopped:
        return
    _count(tally, ground)
    if wrong:
        _tell(tally, seed, options, wrong)


async def _play(ground: Ground, steps: Sequence[Step]) -> list[str]:
    """Play a schedule and say what is wrong; whatever ends the harness is wrong, too."""
    try:
        async with asyncio.timeout(_ROUND_SECONDS):
            await ground.start()
            await play(ground, steps)
            return await ground.verdict()
    except Exception as error:  # noqa: BLE001 (whatever it is, the seed has to be told)
        causes = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        return [f"ENDED by {type(cause).__name__}: {str(cause)[-_MOST_WORDS:]}" for cause in causes]


def _count(tally: Tally, ground: Ground) -> None:
    tally.rounds += 1
    tally.faults.update(ground.counts)
    tally.records += len(ground.history.records)
    tally.outcomes.update({str(outcome): ground.history.count(outcome) for outcome in Outcome})


def _tell(tally: Tally, seed: int, options: argparse.Namespace, wrong: Sequence[str]) -> None:
    """Say what was wrong in a round, and how to see it again."""
    words = [f"--seed {seed}", *(f"--only {shlex.quote(kind)}" for kind in options.only or ())]
    if options.steps != STEPS:
        words.append(f"--steps {options.steps}")
    again = f"make soak SEED={seed}" if len(words) == 1 else f"{_COMMAND} {' '.join(words)}"
    tally.violations.append({"seed": seed, "again": again, "wrong": list(wrong[:_MOST_LINES])})
    _say(f"seed {seed}: {len(wrong)} violations; to see it again: {again}")
    for line in wrong[:_MOST_LINES]:
        _say(f"  {line}")


def _json(tally: Tally) -> str:
    told = {each.name: getattr(tally, each.name) for each in fields(tally)}
    return json.dumps(told, indent=2, ensure_ascii=False, sort_keys=True)


def _table(tally: Tally) -> str:
    lines = [f"| {kind} | {count} |" for kind, count in sorted(tally.faults.items())]
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in tally.outcomes.items())
    total = (
        f"soak: {tally.rounds} rounds, {tally.records} records, {outcomes} calls, {len(tally.violations)} bad rounds"
    )
    return "\n".join(["| fault | times |", "|---|---|", *lines, total])


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
