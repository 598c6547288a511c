"""`renkei clocks`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from renkei_node.commands.access import (
    client,
    directory_argument,
    emit_json,
    json_option,
    language_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
    visible,
)
from renkei_node.layout import NodeDirectory
from renkei_node.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from renkei.arrests.v1.clocks_pb2 import RunningClock

    from renkei_chassis.rpc.sync_client import SyncClient


@click.command(short_help="Show which clocks of custody run, soonest due first.")
@directory_argument
@token_option
@click.option("--overdue", is_flag=True, help="Only those that are overdue.")
@click.option("--unacknowledged", is_flag=True, help="Only those whose last warning nobody acknowledged.")
@click.option("--watch", "watching", is_flag=True, help="Then go on with each change, until Ctrl-C.")
@click.option("--count", type=click.IntRange(min=1), help="With --watch: end after so many changes.")
@json_option
@language_option
@plain_failure
def command(
    directory: Path,
    token: str | None,
    language: str,
    count: int | None,
    *,
    overdue: bool,
    unacknowledged: bool,
    watching: bool,
    as_json: bool,
) -> None:
    """Show the clocks that run for arrests of the node in DIR. Nobody is released or extended by any of them.

    With --watch every change follows: with --json a line each, without it the clocks of the arrest as they are then.

    \b
    Examples:
      renkei clocks ./jp-12
      renkei clocks ./jp-12 --unacknowledged --json
      renkei clocks ./jp-12 --watch
    """
    from renkei.arrests.v1.clocks_pb2 import ListClocksRequest
    from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub

    settings, ports = read_settings(NodeDirectory(directory))
    request = ListClocksRequest(parent=settings.agency, page_size=500, overdue=overdue, unacknowledged=unacknowledged)
    with client(ports, "arrests", require_token(token)) as opened:
        found = list(opened.items(opened.stub(ClocksServiceStub).ListClocks, request, field="clocks"))
        if as_json:
            emit_json([_as_json(clock) for clock in found])
        else:
            if settings.training:
                click.echo(say("training", language))
            click.echo("\n".join(lines(found, language)))
        if watching:
            _watch(opened, language, count, as_json=as_json)


def lines(found: list[RunningClock], language: str) -> Iterator[str]:
    """Write clocks for a terminal, one a line."""
    if not found:
        yield say("no_clocks", language)
    for clock in found:
        yield _line(clock, language)


def _watch(opened: SyncClient, language: str, count: int | None, *, as_json: bool) -> None:
    from renkei.arrests.v1.clocks_pb2 import WatchClocksRequest
    from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub

    answers = opened.watch(opened.stub(ClocksServiceStub).WatchClocks, WatchClocksRequest())
    changes = (change for answer in answers for change in answer.changes)
    for change in islice(changes, count):
        if as_json:
            emit_json(_as_json(change))
            continue
        click.echo(f"{change.kind}  {change.arrest}")
        for clock in change.clocks:
            click.echo(f"  {_line(clock, language)}")


def _line(clock: RunningClock, language: str) -> str:
    from datetime import UTC

    from renkei.arrests.v1.arrests_pb2 import Clock

    from renkei_files import JAPAN

    due = clock.due_time.ToDatetime(tzinfo=UTC).astimezone(JAPAN)
    state = say("overdue", language) if clock.overdue else f"{clock.level:>3} %"
    if clock.acknowledger:
        answered = f"{say('acknowledged', language)} {clock.acknowledger.rpartition('/')[2]}"
    elif clock.escalation_desk:
        answered = f"{say('escalated', language)} {visible(clock.escalation_desk)}"
    else:
        answered = say("unacknowledged", language) if clock.warned_level else ""
    kind = say(f"clock_{Clock.Kind.Name(clock.kind).removeprefix('KIND_').lower()}", language)
    parts = (f"{due:%Y-%m-%d %H:%M}", state, kind, answered, visible(clock.case_reference), clock.arrest)
    return "  ".join(part for part in parts if part)


def _as_json(message: Any) -> dict[str, Any]:  # noqa: ANN401 (a clock or a change)
    from google.protobuf.json_format import MessageToDict

    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return found
