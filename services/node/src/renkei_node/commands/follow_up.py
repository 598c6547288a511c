"""`renkei leads take` and its like: a command for each step with leads, and `renkei leads history`."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from renkei_node.commands.access import (
    DIRECTORY_VARIABLE,
    client,
    emit_json,
    json_option,
    language_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
)
from renkei_node.commands.followed import as_json_of, line_of, told
from renkei_node.layout import NodeDirectory
from renkei_node.words import say

if TYPE_CHECKING:
    from renkei.leads.v1.follow_up_pb2 import LeadToFollowUp

_AN_ID: Final = "5d2a1f0c-3c1e-8a53-9d0e-0f6f3c9b2a11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A command that takes a step with leads."""

    name: str
    help: str
    example: str
    is_given: bool = False
    """It gives a lead to somebody."""
    who: str = "officer, supervisor or the NPA's desk"


VERBS: Final = (
    Verb(name="take", help="Take leads that nobody holds.", example=_AN_ID),
    Verb(
        name="assign",
        help="Give leads to an officer or a unit, whoever holds them.",
        example=f"{_AN_ID} --to suzuki",
        is_given=True,
        who="supervisor or the NPA's desk",
    ),
    Verb(
        name="hand-over",
        help="Give leads on that you hold, or nobody.",
        example=f"{_AN_ID} --unit 捜査二課 --reason @note.txt",
        is_given=True,
    ),
    Verb(name="acknowledge", help="Say that leads were looked at and wait for no one.", example=_AN_ID),
    Verb(
        name="snooze",
        help="Put leads off: they come back then, or when they grow.",
        example=f"{_AN_ID} --until 2026-12-01T08:30",
    ),
    Verb(name="confirm", help="Say that records do belong together.", example=f"{_AN_ID}@90aed00ed4c7cea1"),
    Verb(
        name="dismiss",
        help="Say that leads mean nothing, and why.",
        example=f"{_AN_ID}@90aed00ed4c7cea1 --reason @why.txt",
    ),
    Verb(name="reopen", help="Take a decision back, and say why.", example=f"{_AN_ID} --reason @why.txt"),
)
_REASONED: Final = {"dismiss", "reopen"}


def _make(verb: Verb) -> click.Command:
    """Make the command of a verb."""

    @token_option
    @json_option
    @language_option
    @plain_failure
    def run(
        directory: Path,
        leads: tuple[str, ...],
        token: str | None,
        language: str,
        *,
        as_json: bool,
        reason: str = "",
        until: str = "",
        to: str = "",
        unit: str = "",
    ) -> None:
        from renkei.leads.v1 import follow_up_pb2 as pb
        from renkei.leads.v1.follow_up_pb2_grpc import FollowUpServiceStub

        from renkei_node.commands.personas.request import read_time, read_words

        settings, ports = read_settings(NodeDirectory(directory))
        agency = settings.agency
        request = pb.BatchFollowUpLeadsRequest(
            request_id=str(uuid.uuid4()),
            parent=agency,
            step=pb.BatchFollowUpLeadsRequest.Step.Value(f"STEP_{verb.name.upper().replace('-', '_')}"),
            leads=[_lead(agency, lead) for lead in leads],
            reason=read_words(reason),
            assignee=f"{agency}/officers/{to}" if to and "/" not in to else to,
            unit=unit,
        )
        if until:
            request.snooze_end_time.FromDatetime(read_time(until))
        with client(ports, "leads", require_token(token)) as opened:
            answer = opened.call(opened.stub(FollowUpServiceStub).BatchFollowUpLeads, request)
        if as_json:
            emit_json([as_json_of(result) for result in answer.results])
        else:
            click.echo("\n".join(line_of(result, language) for result in answer.results))
        if any(result.HasField("error") for result in answer.results):
            sys.exit(1)

    made = click.command(verb.name, help=_help(verb), short_help=verb.help)(run)
    leads = click.Argument(["leads"], metavar="LEAD...", nargs=-1, required=True)
    made.params = [_directory(), leads, *_options(verb), *made.params]
    return made


def _options(verb: Verb) -> list[click.Parameter]:
    why = "Why: words, @FILE, or - for standard input."
    found: list[click.Parameter] = [
        click.Option(["--reason"], default="", required=verb.name in _REASONED, help=why, show_default=False)
    ]
    if verb.name == "snooze":
        found.append(click.Option(["--until"], required=True, metavar="TIME", help="A day or a time; Japan's time."))
    if verb.is_given:
        found.append(click.Option(["--to"], default="", metavar="OFFICER", help="The officer who is to hold them."))
        found.append(click.Option(["--unit"], default="", help="The unit, as the agency names it."))
    return found


@click.command("history", short_help="Show what was done about a lead.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), envvar=DIRECTORY_VARIABLE)
@click.argument("lead", metavar="LEAD")
@token_option
@json_option
@language_option
@plain_failure
def _history(directory: Path, lead: str, token: str | None, language: str, *, as_json: bool) -> None:
    """Show what was done about a lead, oldest first, with what was done about the leads that became part of it.

    \b
    Example:
      renkei leads history ./jp-12 5d2a1f0c-3c1e-8a53-9d0e-0f6f3c9b2a11 --json
    """
    from renkei.leads.v1.follow_up_pb2 import ListLeadStepsRequest
    from renkei.leads.v1.follow_up_pb2_grpc import FollowUpServiceStub

    settings, ports = read_settings(NodeDirectory(directory))
    request = ListLeadStepsRequest(name=_lead(settings.agency, lead).name, page_size=500)
    with client(ports, "leads", require_token(token)) as opened:
        steps = list(opened.items(opened.stub(FollowUpServiceStub).ListLeadSteps, request, field="steps"))
    if as_json:
        emit_json([as_json_of(step) for step in steps])
        return
    for step in steps:
        click.echo(told(step, language))
    if not steps:
        click.echo(say("nothing", language))


def _lead(agency: str, lead: str) -> LeadToFollowUp:
    """Read `LEAD` or `LEAD@ETAG`, of which the id alone may be typed."""
    from renkei.leads.v1.follow_up_pb2 import LeadToFollowUp

    name, _, etag = lead.partition("@")
    return LeadToFollowUp(name=name if "/" in name else f"{agency}/leads/{name}", etag=etag)


def _directory() -> click.Argument:
    return click.Argument(
        ["directory"], metavar="DIR", type=click.Path(path_type=Path, file_okay=False), envvar=DIRECTORY_VARIABLE
    )


def _help(verb: Verb) -> str:
    return f"{verb.help}\n\nFor: {verb.who}.\n\n\b\nExample:\n  renkei leads {verb.name} ./jp-12 {verb.example}"


COMMANDS: Final = (*map(_make, VERBS), _history)
