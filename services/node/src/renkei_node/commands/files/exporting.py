"""`renkei tips export` and `renkei arrests export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from renkei_node.commands.access import (
    client,
    emit_json,
    json_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
)
from renkei_node.commands.files.places import counted, paths_argument, places
from renkei_node.files.forms import ENCODINGS, FORMS
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_node.files.exporting import Exported


def export_command(collection: str) -> click.Command:
    """Make `export` for one kind of record."""

    @click.command("export", short_help="Write records into a file.", help=_EXPORT_HELP.format(c=collection))
    @paths_argument
    @token_option
    @click.option("--format", "form", type=click.Choice(FORMS), help="Default: from the file's name, or csv.")
    @click.option("--encoding", type=click.Choice(ENCODINGS), default=ENCODINGS[0], show_default=True, help="Of a CSV.")
    @click.option("--case", default="", metavar="REFERENCE", help="Only records of this case.")
    @click.option("--received", is_flag=True, help="Also what others released, where their labels let it be passed on.")
    @json_option
    @plain_failure
    def command(
        *,
        paths: tuple[Path, ...],
        token: str | None,
        form: str | None,
        encoding: str,
        case: str,
        received: bool,
        as_json: bool,
    ) -> None:
        directory, file = places(paths)
        ending = file.suffix.removeprefix(".")
        _export(
            collection,
            directory,
            require_token(token),
            {
                "path": file,
                "form": form or (ending if ending in FORMS else FORMS[0]),
                "encoding": encoding,
                "case": case,
                "received": received,
            },
            as_json=as_json,
        )

    return command


def _export(collection: str, directory: Path, token: str, options: dict[str, Any], *, as_json: bool) -> None:
    from renkei_node.files.exporting import Export, export
    from renkei_node.files.kinds import KINDS

    settings, ports = read_settings(NodeDirectory(directory))
    wanted = Export(kind=KINDS[collection], agency=settings.agency, training=settings.training, **options)
    try:
        with client(ports, collection, token) as opened:
            done = export(wanted, opened)
    except FileExistsError:
        raise click.ClickException(f"{wanted.path} is there already; an export overwrites nothing") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    except ImportError:
        raise click.ClickException("Parquet needs pyarrow: install renkei-node with its extra `parquet`") from None
    _tell_export(done, wanted.path, as_json=as_json)


def _tell_export(done: Exported, path: Path, *, as_json: bool) -> None:
    if as_json:
        emit_json(
            {
                "records": done.records,
                "withheld": done.withheld,
                "overdue": done.overdue,
                "bystanders": done.bystanders,
                "replaced_characters": done.replaced,
                "unreachable": list(done.unreachable),
                "file": str(path),
            }
        )
        return
    click.echo(f"{counted(done.records, 'record')} in {path}")
    if done.withheld:
        click.echo(f"  {done.withheld} of others left out: their originators have to be asked first")
    if done.overdue:
        click.echo(f"  {done.overdue} left out: they should be gone by now")
    if done.bystanders:
        click.echo(f"  {done.bystanders} identifiers of address books left out: they stay at home")
    if done.replaced:
        click.echo(f"  {done.replaced} characters that cp932 lacks are written as 〓")
    for name in done.unreachable:
        click.echo(f"  {name} is cut off: records of it may be missing")


_EXPORT_HELP: Final = """\
Write the records of the node in DIR into FILE, which must not be there: CSV for Japanese Excel, JSON lines or Parquet.

Every record carries its handling label, and the file one for the whole. Persons are never exported.

\b
Examples:
  renkei {c} export ./jp-12 {c}.csv
  renkei {c} export ./jp-12 {c}.csv --encoding cp932 --case 2024-0117
  renkei {c} export ./jp-12 {c}.parquet --received --json
"""
