"""`renkei leads`: the list, and the group of commands that follow leads up."""

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
from renkei_node.commands.follow_up import COMMANDS
from renkei_node.commands.followed import standing
from renkei_node.layout import NodeDirectory
from renkei_node.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from renkei.leads.v1.leads_pb2 import Lead


class _Leads(click.Group):
    """A group whose first command need not be named: `renkei leads DIR` lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the list where no command is named."""
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["list", *args])


@click.group(cls=_Leads, short_help="List leads with their evidence, and follow them up.")
def command() -> None:
    """Leads (手がかり): what was found, and what people do about it (対応). Without a command they are listed.

    LEAD is a lead's name or its id alone. LEAD@ETAG refuses if the lead changed since it was read: to confirm or to
    dismiss one takes the etag, which the list shows.

    \b
    Examples:
      renkei leads ./jp-13
      renkei leads take ./jp-13 5d2a1f0c-3c1e-8a53-9d0e-0f6f3c9b2a11
      renkei leads dismiss ./jp-13 5d2a1f0c-3c1e-8a53-9d0e-0f6f3c9b2a11@90aed00ed4c7cea1 --reason @why.txt
      renkei leads history ./jp-13 5d2a1f0c-3c1e-8a53-9d0e-0f6f3c9b2a11
    """


@command.command("list", short_help="List leads with their evidence.")
@directory_argument
@token_option
@click.option("--record", default="", metavar="NAME", help="Only leads that hold this record.")
@click.option("--all", "ended_too", is_flag=True, help="Also leads that were merged or retracted.")
@click.option("--new", "only_new", is_flag=True, help="Only leads that wait for somebody.")
@click.option("--mine", is_flag=True, help="Only leads that you hold.")
@click.option("--unit", default="", metavar="UNIT", help="Only leads that were given to this unit.")
@json_option
@language_option
@plain_failure
def listing(
    directory: Path,
    token: str | None,
    record: str,
    unit: str,
    language: str,
    *,
    ended_too: bool,
    only_new: bool,
    mine: bool,
    as_json: bool,
) -> None:
    """List the leads of the node in DIR, the last changed first. The handling warnings come before the rest.

    \b
    Examples:
      renkei leads list ./jp-13 --new
      renkei leads list ./jp-13 --record agencies/jp-12/tips/0191d5c0-0000-7000-8000-000000000000 --json
    """
    from google.protobuf.json_format import MessageToDict
    from renkei.leads.v1 import leads_pb2
    from renkei.leads.v1.follow_up_pb2 import FollowUp
    from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub

    settings, ports = read_settings(NodeDirectory(directory))
    states = [value for value in leads_pb2.Lead.State.values() if value] if ended_too else []
    request = leads_pb2.ListLeadsRequest(
        parent=settings.agency,
        states=states,
        record=record,
        page_size=200,
        follow_up_states=[FollowUp.STATE_NEW] if only_new else [],
        mine=mine,
        unit=unit,
    )
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
    yield f"  {standing(lead.follow_up, language)}  @{lead.follow_up.etag}"
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


for each in COMMANDS:
    command.add_command(each)
