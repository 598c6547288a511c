"""`renkei tips opinions`, `opine` and `sight`: what agencies say of a tip, and what this one has to say."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

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
from renkei_node.commands.personas.request import read_time, read_words
from renkei_node.layout import NodeDirectory
from renkei_node.words import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from renkei.tips.v1.opinions_pb2 import Opinion

_STANCES: Final = ("agrees", "doubts", "contradicts")
_STANCE_WORDS: Final = {number: f"stance_{name}" for number, name in enumerate(("sighted", *_STANCES), start=1)}
"""By the numbers of the contract; an index entry has none."""
_tip_argument = click.argument("tip", metavar="TIP")
_text_option = click.option(
    "--text", required=True, help="Why, or what was seen: words, @FILE, or - for standard input."
)
_home_option = click.option(
    "--stay-home", is_flag=True, help="Release it to nobody. Default: to the originator of the tip."
)


@click.command("opinions", short_help="List what agencies say of a tip.")
@directory_argument
@click.argument("tip", metavar="[TIP]", default="")
@token_option
@json_option
@language_option
@plain_failure
def opinions_command(directory: Path, tip: str, token: str | None, language: str, *, as_json: bool) -> None:
    """List the opinions and sightings on a tip, own and received, newest first; without TIP those on every tip.

    \b
    Examples:
      renkei tips opinions ./jp-12 agencies/jp-13/tips/0191d5c0-0000-7000-8000-000000000000
    """
    from renkei.tips.v1.opinions_pb2 import ListOpinionsRequest
    from renkei.tips.v1.opinions_pb2_grpc import OpinionsServiceStub

    settings, ports = read_settings(NodeDirectory(directory))
    request = ListOpinionsRequest(parent="agencies/-", tip=tip, page_size=200)
    with client(ports, "tips", require_token(token)) as opened:
        found = list(opened.items(opened.stub(OpinionsServiceStub).ListOpinions, request, field="opinions"))
    if as_json:
        emit_json([_as_json(opinion) for opinion in found])
        return
    if settings.training:
        click.echo(say("training", language))
    click.echo("\n".join(lines(found, language)))


@click.command("opine", short_help="Give an opinion on a tip of another agency.")
@directory_argument
@_tip_argument
@click.argument("stance", type=click.Choice(_STANCES))
@_text_option
@click.option("--grading", help="How good this agency takes the tip to be, in 4x4: `C4`.")
@_home_option
@token_option
@json_option
@language_option
@plain_failure
def opine_command(
    *,
    directory: Path,
    tip: str,
    stance: str,
    text: str,
    grading: str | None,
    token: str | None,
    language: str,
    stay_home: bool,
    as_json: bool,
) -> None:
    """Say that this agency agrees with a tip that it received, doubts it, or knows otherwise. The tip stays as it is.

    \b
    Examples:
      renkei tips opine ./jp-12 TIP doubts --grading C4 --text @why.txt
    """

    def fill(opinion: Opinion) -> None:
        from renkei.tips.v1.opinions_pb2 import Opinion

        opinion.stance = Opinion.Stance.Value(f"STANCE_{stance.upper()}")
        if grading is not None:
            _grade(opinion, grading)

    _give(directory, tip, text, fill, token=token, language=language, stay_home=stay_home, as_json=as_json)


@click.command("sight", short_help="Report that this agency saw what a tip is about.")
@directory_argument
@_tip_argument
@click.option("--time", "time", required=True, help="When: 2026-01-05T21:40, or now. Without a zone it is Japan's.")
@click.option("--place", default="", help="Where, in words.")
@click.option(
    "--identifier", "identifiers", multiple=True, metavar="TYPE=TEXT", help="What was seen: phone=090-1234-5678."
)
@_text_option
@_home_option
@token_option
@json_option
@language_option
@plain_failure
def sight_command(
    *,
    directory: Path,
    tip: str,
    time: str,
    place: str,
    identifiers: tuple[str, ...],
    text: str,
    token: str | None,
    language: str,
    stay_home: bool,
    as_json: bool,
) -> None:
    """Report that this agency saw the thing of a tip that it received: its identifiers link as an observation.

    \b
    Examples:
      renkei tips sight ./jp-12 TIP --time now --place 千葉駅前 --identifier phone=090-1234-5678 --text @seen.txt
    """

    def fill(opinion: Opinion) -> None:
        from renkei.tips.v1.opinions_pb2 import Opinion

        opinion.stance = Opinion.STANCE_SIGHTED
        opinion.observe_time.FromDatetime(read_time(time))
        opinion.place = place
        for written in identifiers:
            _identify(opinion, written)

    _give(directory, tip, text, fill, token=token, language=language, stay_home=stay_home, as_json=as_json)


def lines(found: list[Opinion], language: str) -> Iterator[str]:
    """Write opinions for a terminal: the warning of each before its content."""
    from datetime import UTC

    from renkei_files import JAPAN

    if not found:
        yield say("no_opinions", language)
    for opinion in found:
        yield f"{opinion.name}  {opinion.tip}"
        if opinion.handling.caveat:
            yield f"  {say('handling', language)}: {visible(opinion.handling.caveat)}"
        seen = opinion.observe_time.ToDatetime(tzinfo=UTC).astimezone(JAPAN)
        parts = (
            say(_STANCE_WORDS.get(opinion.stance, "index_only"), language),
            f"{seen:%Y-%m-%d %H:%M}" if opinion.HasField("observe_time") else "",
            visible(opinion.place),
            *(visible(one.identifier.original or one.identifier.normal_form) for one in opinion.identifiers),
        )
        yield "  " + "  ".join(part for part in parts if part)
        for line in opinion.text.split("\n"):
            yield f"  {visible(line)}"


def _give(
    directory: Path,
    tip: str,
    text: str,
    fill: Callable[[Opinion], None],
    *,
    token: str | None,
    language: str,
    stay_home: bool,
    as_json: bool,
) -> None:
    """Give an opinion for the purpose that the tip has, and write what was recorded."""
    from renkei.tips.v1.opinions_pb2 import CreateOpinionRequest
    from renkei.tips.v1.opinions_pb2_grpc import OpinionsServiceStub
    from renkei.tips.v1.tips_pb2 import GetTipRequest
    from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

    settings, ports = read_settings(NodeDirectory(directory))
    request = CreateOpinionRequest(request_id=str(uuid.uuid4()), parent=settings.agency)
    opinion = request.opinion
    opinion.tip = tip
    opinion.text = read_words(text)
    fill(opinion)
    if not stay_home:
        opinion.handling.releasable_to.append(tip.rpartition("/tips/")[0])
    with client(ports, "tips", require_token(token)) as opened:
        read = opened.call(opened.stub(TipsServiceStub).GetTip, GetTipRequest(name=tip))
        opinion.handling.purpose_code = read.handling.purpose_code
        given = opened.call(opened.stub(OpinionsServiceStub).CreateOpinion, request)
    if as_json:
        emit_json(_as_json(given))
        return
    click.echo("\n".join(lines([given], language)))


def _grade(opinion: Opinion, written: str) -> None:
    from renkei.tips.v1.tips_pb2 import Grading

    try:
        opinion.grading.reliability = Grading.Reliability.Value(f"RELIABILITY_{written[:1].upper()}")
        opinion.grading.accuracy = Grading.Accuracy.Value(f"ACCURACY_{written[1:]}")
    except ValueError:
        raise click.BadParameter("write A, B, C or X and 1, 2, 3 or 4: C4", param_hint="--grading") from None


def _identify(opinion: Opinion, written: str) -> None:
    from renkei.identifiers.v1.identifiers_pb2 import (
        PROVENANCE_OBSERVATION,
        RELATION_USED_BY_SUBJECT,
        IdentifierType,
    )

    kind, _, original = written.partition("=")
    occurrence = opinion.identifiers.add(provenance=PROVENANCE_OBSERVATION, relation=RELATION_USED_BY_SUBJECT)
    try:
        occurrence.identifier.type = IdentifierType.Value(f"IDENTIFIER_TYPE_{kind.upper()}")
    except ValueError:
        known = ", ".join(name.removeprefix("IDENTIFIER_TYPE_").lower() for name in IdentifierType.keys()[1:])
        raise click.BadParameter(f"write TYPE=TEXT; TYPE is one of {known}", param_hint="--identifier") from None
    occurrence.identifier.original = original


def _as_json(opinion: Opinion) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    found: dict[str, Any] = MessageToDict(opinion, preserving_proto_field_name=True)
    return found
