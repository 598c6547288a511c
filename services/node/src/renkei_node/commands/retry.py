"""`renkei retry`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import click

from renkei_node.commands.access import (
    client,
    directory_argument,
    emit_json,
    json_option,
    operator_token,
    plain_failure,
    read_settings,
)
from renkei_node.layout import SERVICES, NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Apply again what was set aside.")
@directory_argument
@click.option("--list", "only_list", is_flag=True, help="Only show what is set aside, and why.")
@json_option
@plain_failure
def command(directory: Path, *, only_list: bool, as_json: bool) -> None:
    """Apply again, in order, the events that could not be applied: after an upgrade or a repair.

    What fails again stays aside and holds back later events of its record only.

    \b
    Examples:
      renkei retry ./jp-12 --list
      renkei retry ./jp-12
    """
    from renkei.event.v1.log_pb2 import ListSetAsideRequest, RetrySetAsideRequest
    from renkei.event.v1.log_pb2_grpc import FollowerServiceStub

    node = NodeDirectory(directory)
    _, ports = read_settings(node)
    token = operator_token(node)
    results: list[dict[str, object]] = []
    for service in SERVICES:
        with client(ports, service, token) as opened:
            stub = opened.stub(FollowerServiceStub)
            if only_list:
                results.extend(
                    {
                        "service": service,
                        "source": event.source,
                        "sequence": event.sequence,
                        "type": event.type,
                        "resource": event.resource,
                        "reason": event.reason,
                        "attempts": event.attempts,
                    }
                    for event in opened.items(stub.ListSetAside, ListSetAsideRequest(), field="events")
                )
            else:
                answer = opened.call(stub.RetrySetAside, RetrySetAsideRequest(request_id=str(uuid.uuid4())))
                results.append({"service": service, "applied": answer.applied, "remaining": answer.remaining})
    if as_json:
        emit_json(results)
        return
    for line in results:
        click.echo("  ".join(f"{key} {value}" for key, value in line.items()))
    if only_list and not results:
        click.echo("nothing is set aside")
