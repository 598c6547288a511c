"""The group `renkei personas`: a command for each verb, made when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from renkei_node.commands.access import (
    DIRECTORY_VARIABLE,
    client,
    json_option,
    language_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
)
from renkei_node.commands.personas.desks import DESK_VERBS
from renkei_node.commands.personas.papers import CONTACT_VERBS, DOCUMENT_VERBS
from renkei_node.commands.personas.plans import OPERATION_VERBS, PLAN_VERBS
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from renkei_node.commands.personas.verb import Field, Verb

SECTIONS: Final = (
    ("Plans", PLAN_VERBS),
    ("Operation", OPERATION_VERBS),
    ("Documents", DOCUMENT_VERBS),
    ("Contacts", CONTACT_VERBS),
    ("Desks", DESK_VERBS),
)
APART: Final = {
    # name -> (module, command, section, what it does): more than one call of one method, or none
    "tell": (
        "telling",
        "tell",
        "Contacts",
        "Send what `disclose --json` prepared, as the officer who learned it. [handler, supervisor]",
    ),
    "basis-key": ("signing", "basis_key", "Desks", "Make a key that signs legal bases. [kept off every node]"),
    "sign-basis": ("signing", "sign_basis", "Desks", "Sign a legal basis. [who has the key; asks no node]"),
    "sign-revocation": (
        "signing",
        "sign_revocation",
        "Desks",
        "Sign the end of a legal basis before its time. [who has the key; asks no node]",
    ),
}
VERBS: Final = {verb.name: verb for _, verbs in SECTIONS for verb in verbs}


class _Group(click.Group):
    """Makes a command when it runs, and lists them by section without."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give every name."""
        del ctx
        return [*VERBS, *APART]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make one command."""
        del ctx
        if cmd_name in APART:
            module, made, _, _ = APART[cmd_name]
            found: click.Command = getattr(import_module(f"renkei_node.commands.personas.{module}"), made)
            return found
        verb = VERBS.get(cmd_name)
        return make(verb) if verb is not None else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by section."""
        del ctx
        for title, verbs in SECTIONS:
            with formatter.section(title):
                rows = [(verb.name, f"{verb.help} [{verb.who}]") for verb in verbs]
                rows += [(name, line) for name, (_, _, where, line) in APART.items() if where == title]
                formatter.write_dl(rows)


@click.group(cls=_Group, short_help="Undercover work by the book: plans, documents, contacts, reports.")
def command() -> None:
    """Undercover work by the book (仮装身分捜査), for handler, supervisor, custodian, chief and the NPA's desk.

    Who you are is in the token ($RENKEI_TOKEN, made by `renkei token`). Each refusal names the rule in Japanese and
    English, and leaves a record. NAME is an investigation's name or its id alone. docs/personas.md has the rules.

    \b
    Examples:
      renkei personas draft ./jp-12 --plan plan.toml
      renkei personas show ./jp-12 0191d5c0-0000-7000-8000-000000000000 --json
      renkei personas approve ./jp-12 0191d5c0-0000-7000-8000-000000000000 --hash HASH
      renkei personas acknowledge ./jp-npa agencies/jp-12/plans/3f0c0a52-6b1f-4b9e-9f0e-0d9d2f3f5a01 --version 1
    """


def make(verb: Verb) -> click.Command:
    """Make the command of a verb."""
    name = [click.Argument(["name"], metavar="NAME")] if verb.target not in {"", "agency"} else []
    options = [_option(verb, field, number) for number, field in enumerate(verb.fields)]

    @token_option
    @json_option
    @language_option
    @plain_failure
    def run(directory: Path, token: str | None, language: str, *, as_json: bool, name: str = "", **given: Any) -> None:  # noqa: ANN401 (options of many kinds)
        values = {field.path: given[f"field_{number}"] for number, field in enumerate(verb.fields)}
        _run(verb, directory, require_token(token), name, values, language=language, as_json=as_json)

    made = click.command(verb.name, help=_help(verb), short_help=verb.help)(run)
    made.params = [_directory(), *name, *options, *made.params]
    return made


def _directory() -> click.Argument:
    return click.Argument(
        ["directory"], metavar="DIR", type=click.Path(path_type=Path, file_okay=False), envvar=DIRECTORY_VARIABLE
    )


def _help(verb: Verb) -> str:
    return (
        f"{verb.help}\n\nFor: {verb.who}.\n\n\b\nExample:\n"
        f"  renkei personas {verb.name} ./jp-12 {verb.example}".rstrip()
    )


def _option(verb: Verb, field: Field, number: int) -> click.Option:
    kinds: dict[str, dict[str, Any]] = {
        "number": {"type": click.IntRange(0)},
        "flag": {"is_flag": True, "default": None},
        "names": {"multiple": True},
        "file": {"metavar": "FILE"},
        "plan": {"metavar": "FILE"},
        "words": {"metavar": "TEXT"},
        "time": {"metavar": "TIME"},
    }
    more = kinds.get(field.kind, {})
    if field.kind == "choice":
        more = {"type": click.Choice(_choices(verb, field))}
    return click.Option([field.option, f"field_{number}"], required=field.required, help=field.help, **more)


def _choices(verb: Verb, field: Field) -> list[str]:
    from renkei_node.commands.personas.request import descriptor_of

    kind = descriptor_of(verb, field).enum_type
    assert kind is not None  # noqa: S101 (a choice is an enum's)
    return [value.name.removeprefix(field.choices) for value in kind.values if value.number]


def _run(
    verb: Verb,
    directory: Path,
    token: str,
    name: str,
    values: dict[str, Any],
    *,
    language: str,
    as_json: bool,
) -> None:
    from renkei_chassis.errors import RenkeiError, Unavailable
    from renkei_node.commands.personas.request import build
    from renkei_node.commands.personas.showing import show, show_list, show_refusal

    settings, ports = read_settings(NodeDirectory(directory))
    request = build(verb, settings.agency, name, values)
    with client(ports, verb.service, token) as opened:
        method = getattr(opened.stub(_stub(verb)), verb.method)
        try:
            if verb.lists:
                show_list(list(opened.items(method, request, field=verb.lists)), as_json=as_json, language=language)
            else:
                show(opened.call(method, request), as_json=as_json, language=language)
        except Unavailable:
            raise
        except RenkeiError as error:
            show_refusal(error, as_json=as_json)
            sys.exit(1)


def _stub(verb: Verb) -> Any:  # noqa: ANN401 (a stub of the contract)
    from renkei.exchange.v1 import exchange_pb2_grpc
    from renkei.personas.v1 import contacts_pb2_grpc, documents_pb2_grpc, personas_pb2_grpc, reports_pb2_grpc

    stubs = (
        (personas_pb2_grpc.PersonasServiceStub, personas_pb2_grpc.PersonasServiceServicer),
        (documents_pb2_grpc.DocumentsServiceStub, documents_pb2_grpc.DocumentsServiceServicer),
        (contacts_pb2_grpc.ContactsServiceStub, contacts_pb2_grpc.ContactsServiceServicer),
        (reports_pb2_grpc.ReportsServiceStub, reports_pb2_grpc.ReportsServiceServicer),
        (exchange_pb2_grpc.ExchangeServiceStub, exchange_pb2_grpc.ExchangeServiceServicer),
    )
    return next(stub for stub, servicer in stubs if hasattr(servicer, verb.method))
