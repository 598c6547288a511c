"""Import a force's export by the code of `renkei tips import`, and note what was acknowledged."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from renkei_files import Profile
from renkei_node.demo.agencies import AGENCIES
from renkei_node.demo.columns import NOTE, REMARK
from renkei_node.demo.markers import find_markers
from renkei_node.files.importing import Import, run
from renkei_node.files.kinds import KINDS
from renkei_node.files.plan import Plan, plan
from renkei_node.files.profiles import STANDARD, find_profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_node.demo.federation import Federation
    from renkei_node.demo.journal import Journal
    from renkei_node.demo.synthetic import Export

_SPELLINGS: Final = {agency.display_name: agency.name for agency in AGENCIES}


class LoadRefusedError(Exception):
    """A row was refused; the text names file and report, never the row's content."""


def demo_plan(collection: str) -> Plan:
    """Read the profile that comes with the software, and admit nothing but rows that say they are invented."""
    standard = find_profile(Path(), collection, STANDARD)
    note = {"field": "only.note", "headers": [REMARK], "kind": "choice", "required": True, "choices": {NOTE: "yes"}}
    content = standard.model_dump()
    return plan(Profile.model_validate({**content, "columns": [*content["columns"], note]}), KINDS[collection])


async def load(export: Export, federation: Federation, journal: Journal, *, tell: Callable[[int], None]) -> None:
    """Import one file; `tell` hears of every so many rows that were committed. Raises LoadRefusedError.

    What was acknowledged is noted behind the import, on the event loop.
    """
    loop = asyncio.get_running_loop()
    acknowledged: list[tuple[Any, str]] = []
    wanted = Import(
        path=export.path,
        report=export.path.with_name(f"{export.path.name}.report.csv"),
        plan=demo_plan(export.collection),
        agency=f"agencies/{export.code}",
        agencies=_SPELLINGS,
        tell=partial(_tell_on, loop, tell),
        recorded=lambda _row, record, name: acknowledged.append((record, name)),
    )
    with federation.sync_client(export.code, export.collection) as client:
        done = await asyncio.to_thread(run, wanted, client)
    for record, name in acknowledged:
        journal.created(record, name=name, markers=find_markers(record))
    if done.summary.refused or not done.finished:
        reasons = ", ".join(sorted(done.summary.problems)) or done.summary.stopped
        raise LoadRefusedError(f"{export.path.name}: {reasons}; see {wanted.report}")


def _tell_on(loop: asyncio.AbstractEventLoop, tell: Callable[[int], None], rows: int) -> None:
    loop.call_soon_threadsafe(tell, rows)
