"""Keep two nodes running as the demo keeps seven: `python -m tests.node.demo.two_nodes DIR [crash | stay]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from renkei_node.demo.agencies import AGENCIES
from renkei_node.demo.ending import run_to_an_end
from renkei_node.demo.federation import Federation
from renkei_node.demo.launching import launched
from renkei_node.demo.staying import stay

TWO = AGENCIES[:2]


async def keep(federation: Federation, *words: str) -> int:
    await asyncio.to_thread(federation.set_up)
    try:
        await federation.start()
        click.echo("up")
        if "crash" in words:
            raise RuntimeError("planted")
        if "stay" in words:
            await stay(federation)
            return 0
        return await asyncio.Event().wait()
    finally:
        click.echo("stopping")
        await federation.stop()


if __name__ == "__main__":
    directory, *rest = sys.argv[1:]
    with launched(Path(directory), [agency.code for agency in TWO]) as processes:
        click.echo("launched")
        both = Federation(Path(directory), TWO, launched=processes)
        sys.exit(run_to_an_end(keep(both, *rest), at_last=both.kill))
