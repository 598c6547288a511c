"""`renkei leads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    from renkei.leads.v1.leads_pb2 import Lead


@click.command(short_help="List leads with their evidence.")
@directory_argument
@token_option
@click.option("--record", default="", metavar="NAME", help="Only leads that hold this record.")
@click.option("--all", "ended_too", is_flag=True, help="Also leads that were merged or retracted.")
@json_option
@language_option
@plain_failure
def command(directory: Path, token: str | None, record: str, language: str, *, ended_too: bool, as_json: bool) -> None:
    """List the leads of the node in DIR, the last changed first. The handling warnings come before the rest.

    \b
    Examples:
      renkei leads ./jp-13
      renkei leads ./jp-13 --record agencies/jp-12/tips/0191d5c0-0000-7000-8000-000000000000 --json
    """
    from google.protobuf.json_format import MessageToDict
    from renkei.leads.v1 import leads_pb2
    from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub

    settings, ports = read_settings(NodeDirectory(directory))
    states = [value for value in leads_pb2.Lead.State.values() if value] if ended_too else []
    request = leads_pb2.ListLeadsRequest(parent=settings.agency, states=states, record=record, page_size=200)
    with client(ports, "leads", require_token(token)) as opened:
        found = list(opened.items(opened.stub(LeadsServiceStub).ListLeads, request, field="leads"))
    if as_json:
        emit_json([MessageToDict(lead, preserving_proto_field_name=True) for lead in found])
        return
    if settings.training:
        click.echo(say("training", language))
    if not found:
        click.echo(say("no_leads", language))
    for lead in found:
        click.echo("\n".join(lines(lead, language)))


def lines(lead: Lead, language: str) -> Iterator[str]:
    """Write one lead for a terminal: warnings first."""
    from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
    from renkei.leads.v1 import leads_pb2
    from renkei.policy.v1 import policy_pb2

    yield f"{lead.name}  {leads_pb2.Lead.State.Name(lead.state).removeprefix('STATE_')}"
    for record in lead.records:
        if record.caveat:
            yield f"  {say('handling', language)}: {visible(record.caveat)}"
    for line in (lead.explanation_ja if language == "ja" else lead.explanation_en).split("\n"):
        yield f"  {visible(line)}"
    for record in lead.records:
        grade = {
            policy_pb2.GRADE_INDEX_ONLY: say("index_only", language),
            policy_pb2.GRADE_FULL: say("full", language),
        }.get(record.grade, say("own_record", language))
        yield f"    {record.name}  {grade}  {visible(record.contact_desk)}"
    for evidence in lead.evidence:
        kind = IdentifierType.Name(evidence.type).removeprefix("IDENTIFIER_TYPE_").lower()
        yield f"    {say('evidence', language)}: {kind} {visible(evidence.normal_form)} × {len(evidence.records)}"
