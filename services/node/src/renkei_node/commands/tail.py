"""`renkei tail`."""

from __future__ import annotations

import queue
import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

import click

from renkei_node.commands.access import (
    client,
    directory_argument,
    emit_json,
    json_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
)
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from renkei_node.settings import Ports


@click.command(short_help="Follow what happens at a node, as it happens.")
@directory_argument
@token_option
@click.option("--from-start", is_flag=True, help="Begin with the first change instead of now.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many changes.")
@json_option
@plain_failure
def command(directory: Path, token: str | None, count: int | None, *, from_start: bool, as_json: bool) -> None:
    """Follow changes of tips, arrests and leads of the node in DIR: time, what happened, and the record's name.

    It resumes by itself when the node restarts. Ctrl-C ends it.

    \b
    Examples:
      renkei tail ./jp-13
      renkei tail ./jp-13 --from-start --count 10 --json
    """
    _, ports = read_settings(NodeDirectory(directory))
    for number, change in enumerate(_changes(ports, require_token(token), from_start=from_start), start=1):
        if as_json:
            emit_json(change)
        else:
            click.echo(f"{change['time']}  {change['kind']:<18} {change['name']}")
        if number == count:
            return


def _changes(ports: Ports, token: str, *, from_start: bool) -> Iterator[dict[str, str]]:
    """Merge the three watches; the first failure ends all of them."""
    arrived: queue.SimpleQueue[dict[str, str] | Exception] = queue.SimpleQueue()
    for service in ("tips", "arrests", "leads"):
        thread = threading.Thread(target=_watch, args=(ports, service, token, from_start, arrived), daemon=True)
        thread.start()
    while True:
        found = arrived.get()
        if isinstance(found, Exception):
            raise found
        yield found


def _watch(ports: Ports, service: str, token: str, from_start: bool, arrived: Any) -> None:  # noqa: ANN401, FBT001
    try:
        with client(ports, service, token) as opened:
            method, request = _watching(service, opened, from_start=from_start)
            for answer in opened.watch(method, request):
                for change in answer.changes:
                    name = change.lead.name if service == "leads" else change.name
                    moment = change.time.ToDatetime(tzinfo=UTC).isoformat(timespec="milliseconds")
                    arrived.put({"time": moment, "kind": change.kind, "name": name})
    except Exception as error:  # noqa: BLE001 (the other thread raises it)
        arrived.put(error)


def _watching(service: str, opened: Any, *, from_start: bool) -> tuple[Any, Any]:  # noqa: ANN401
    if service == "tips":
        from renkei.tips.v1.tips_pb2 import WatchTipsRequest
        from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

        return opened.stub(TipsServiceStub).WatchTips, WatchTipsRequest(from_start=from_start)
    if service == "arrests":
        from renkei.arrests.v1.arrests_pb2 import WatchArrestsRequest
        from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub

        return opened.stub(ArrestsServiceStub).WatchArrests, WatchArrestsRequest(from_start=from_start)
    from renkei.leads.v1.leads_pb2 import WatchLeadsRequest
    from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub

    return opened.stub(LeadsServiceStub).WatchLeads, WatchLeadsRequest(from_start=from_start)
