"""`renkei status`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from renkei_node.commands.access import (
    directories_argument,
    emit_json,
    json_option,
    language_option,
    operator_token,
    plain_failure,
    read_settings,
    visible,
)
from renkei_node.layout import NodeDirectory
from renkei_node.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_node.standing import FollowerStanding, PeerStanding, ServiceStanding, Standing


@click.command(short_help="Show services, peers, lanes, lag and repairs.")
@directories_argument
@json_option
@language_option
@plain_failure
def command(directories: tuple[Path, ...], language: str, *, as_json: bool) -> None:
    """Show how the node in each DIR stands: positions and counts, never contents.

    \b
    Examples:
      renkei status ./jp-12
      renkei status --json ./jp-12 ./jp-13
    """
    from renkei_node.standing import ask

    standings = []
    for path in directories or (Path(),):
        node = NodeDirectory(path)
        settings, ports = read_settings(node)
        standings.append(ask(settings, ports, operator_token(node)))
    if as_json:
        emit_json([standing.as_json() for standing in standings])
        return
    for standing in standings:
        click.echo("\n".join(lines(standing, language)))


def lines(standing: Standing, language: str) -> Iterator[str]:
    """Write a node's standing for a terminal."""
    yield f"{standing.agency}"
    if standing.training:
        yield f"  {say('training', language)}"
    if standing.release_without_instrument:
        yield f"  {say('no_instrument', language)}"
    yield f"  {say('services', language)}"
    for service in standing.services:
        yield from _service(service, language)
    yield f"  {say('peers', language)}"
    for peer in standing.peers:
        yield _peer(peer, language)


def _service(service: ServiceStanding, language: str) -> Iterator[str]:
    if not service.serving:
        yield f"    {service.name:<9} {say('not_serving', language)} {service.error}"
        return
    yield f"    {service.name:<9} {say('serving', language)}"
    for follower in service.followers:
        yield f"      ← {follower.source.rpartition('/')[2]:<9} {_follower(follower, language)}"
    for alarm in service.alarms:
        ago = f"{_age(alarm.last_seconds, language)}{say('ago', language)}"
        yield f"      ! {alarm.reason} {visible(alarm.subject)} {alarm.count} ({say('last', language)} {ago})"


def _follower(follower: FollowerStanding, language: str) -> str:
    parts = [str(follower.sequence)]
    if follower.lag:
        parts.append(f"{say('lag', language)} {follower.lag}")
    if follower.set_aside:
        age = _age(follower.oldest_set_aside_seconds, language)
        parts.append(f"{say('set_aside', language)} {follower.set_aside} ({say('oldest', language)} {age})")
    if follower.repaired:
        parts.append(f"{say('repaired', language)} {follower.repaired}")
    if not follower.courier:
        parts.append(say("courier_off", language))
    return ", ".join(parts)


def _age(seconds: int, language: str) -> str:
    """Tell a span in its largest unit, as a reader wants to know it."""
    for size, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {say(word, language)}"
    return f"{seconds} {say('seconds', language)}"


def _peer(peer: PeerStanding, language: str) -> str:
    name = f"    {peer.name.removeprefix('agencies/'):<7} {visible(peer.display_name)} "
    if peer.connected:
        state = say("connected", language)
    else:
        minutes = int(time.time() - peer.since) // 60 if peer.since else 0
        state = f"{say('cut_off', language)} {minutes}{say('minutes', language)}"
    if peer.waiting:
        state += f"・{say('unreceived', language)} {peer.waiting}{say('items', language)}"
    for lane in peer.lanes:
        if lane.blocked:
            state += f"・{lane.lane} {say('blocked', language)}: {lane.blocked}"
    repaired = sum(lane.repaired for lane in peer.lanes)
    return name + state + (f" ({say('repaired', language)} {repaired})" if repaired else "")
