"""Stay up after the story: say what a reader can try, and show how every agency stands until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from renkei_node.commands.access import default_language
from renkei_node.commands.status import lines as status_lines
from renkei_node.desk_link import make_link
from renkei_node.standing import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_node.demo.federation import Federation, Member

COORDINATOR: Final = "coordinator"
_STATUS_SECONDS: Final = 15.0


def what_to_try(federation: Federation) -> Iterator[str]:
    """Give the lines for another terminal."""
    renkei = Path(sys.executable).parent / "renkei"
    tokyo = federation.members["jp-13"].directory.path
    yield f"The nodes lie in {federation.path} and stay up until Ctrl-C. In another terminal:"
    yield f"  export RENKEI_TOKEN=$({renkei} token {tokyo} --officer sato --role OFFICER)"
    yield f"  {renkei} leads {tokyo} --lang ja"
    yield f"  {renkei} tail {tokyo} --from-start --count 5"
    yield f"  {renkei} desk {tokyo} --officer coordinator --role OFFICER  # another link into the desk"
    yield f"  {renkei} status {tokyo} {federation.members['jp-12'].directory.path}"


def the_desk(federation: Federation) -> Iterator[str]:
    """Give the lines that let a reader into Tokyo's coordination desk. Blocks."""
    tokyo = federation.members["jp-13"]
    link = make_link(tokyo.directory, tokyo.agency.name, tokyo.ports.web, officer=COORDINATOR, roles=("OFFICER",))
    yield "Tokyo's coordination desk, for one browser, once, within ten minutes:"
    yield f"  {link.url}"
    yield f"  (the browser warns of the node's own certificate, SHA-256 {link.fingerprint})"


async def somebody_is_ready() -> None:
    """Wait for a line on standard input, or for its end."""
    loop = asyncio.get_running_loop()
    come = asyncio.Event()
    try:
        loop.add_reader(sys.stdin, come.set)
    except PermissionError:  # a file, which is always ready
        return
    try:
        await come.wait()
    finally:
        loop.remove_reader(sys.stdin)


async def stay(federation: Federation) -> None:
    """Show how every agency stands, again and again. A node that somebody stops is shown as such."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    try:
        while not stop.is_set():
            for member in federation.members.values():
                click.echo("\n".join(await asyncio.to_thread(_lines, member)))
            try:
                async with asyncio.timeout(_STATUS_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    click.echo("stopping")


def _lines(member: Member) -> list[str]:
    try:
        token = member.directory.operator_token.read_text()
    except FileNotFoundError:
        return [f"{member.agency.name}: not running"]
    return list(status_lines(ask(member.settings, member.ports, token), default_language()))
