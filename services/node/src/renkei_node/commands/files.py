"""`renkei tips import`, `renkei arrests export` and their likes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from renkei_node.commands.access import (
    DIRECTORY_VARIABLE,
    client,
    emit_json,
    json_option,
    plain_failure,
    read_settings,
    require_token,
    token_option,
)
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_node.files.exporting import Exported
    from renkei_node.files.importing import Done

_INTERRUPTED: Final = 130
_SEEN_EVERY: Final = 0.2

# A file alone is taken for the node of the environment, or of the folder in which one is.
paths_argument = click.argument("paths", metavar="[DIR] FILE", nargs=-1, required=True, type=click.Path(path_type=Path))


def import_command(collection: str) -> click.Command:
    """Make `import` for one kind of record."""

    @click.command("import", short_help="Take a file of records in.", help=_IMPORT_HELP.format(c=collection))
    @paths_argument
    @token_option
    @click.option("--profile", default="standard", show_default=True, help="A saved profile, or a file with one.")
    @click.option("--save-profile", metavar="NAME", help="Keep that profile in DIR under a name; later give the name.")
    @click.option("--check", "only_check", is_flag=True, help="Judge every row and send nothing.")
    @click.option(
        "--report", type=click.Path(path_type=Path, dir_okay=False), help="Where to write what came of each row."
    )
    @click.option("--report-format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
    @json_option
    @plain_failure
    def command(
        *,
        paths: tuple[Path, ...],
        token: str | None,
        profile: str,
        save_profile: str | None,
        report: Path | None,
        form: str,
        only_check: bool,
        as_json: bool,
    ) -> None:
        directory, file = _places(paths)
        report = report or file.with_name(f"{file.name}.{'check' if only_check else 'report'}.{form}")
        asked = None if only_check else require_token(token)
        _import(
            collection,
            directory,
            {"path": file, "report": report, "form": form},
            profile,
            token=asked,
            save_as=save_profile,
            as_json=as_json,
        )

    return command


def _import(
    collection: str,
    directory: Path,
    given: dict[str, Any],
    profile: str,
    *,
    token: str | None,
    save_as: str | None,
    as_json: bool,
) -> None:
    """Import with a token; without one only judge."""
    from renkei_exchange.federation import load_federation
    from renkei_files import FileError, ProfileError, ReportForm
    from renkei_node.files.checking import check
    from renkei_node.files.importing import Import, run
    from renkei_node.files.journal import JournalError
    from renkei_node.files.kinds import KINDS
    from renkei_node.files.plan import plan
    from renkei_node.files.profiles import find_profile, save_profile

    settings, ports = read_settings(NodeDirectory(directory))
    bar = Bar()
    began = time.monotonic()
    try:
        planned = plan(find_profile(directory, collection, profile), KINDS[collection])
        if save_as:
            save_profile(directory, collection, profile, save_as)
        wanted = Import(
            path=given["path"],
            report=given["report"],
            plan=planned,
            agency=settings.agency,
            agencies=spellings(load_federation(NodeDirectory(directory).federation)),
            form=ReportForm(given["form"]),
            tell=bar.tell,
            begin=bar.begin if bar.is_shown else None,
        )
        with bar:
            if token is None:
                done = check(wanted)
            else:
                with client(ports, collection, token) as opened:
                    done = run(wanted, opened)
    except (ProfileError, JournalError, FileError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    except KeyboardInterrupt:
        click.echo(
            f"stopped; {given['report']} has what is recorded, and the same command goes on from there", err=True
        )
        sys.exit(_INTERRUPTED)
    _tell(done, given["report"], time.monotonic() - began, checked=token is None, as_json=as_json)
    if not done.finished or done.summary.refused:
        sys.exit(1)


def spellings(federation: Any) -> Mapping[str, str]:  # noqa: ANN401 (the exchange's model)
    """Give every word by which a file may call an agency: name, code, and what people say."""
    return {
        word: agency.name
        for agency in federation.agencies
        for word in (agency.name, agency.name.removeprefix("agencies/"), agency.display_name, agency.display_name_en)
    }


def _tell(done: Done, report: Path, seconds: float, *, checked: bool, as_json: bool) -> None:
    summary = done.summary
    if as_json:
        emit_json(
            {
                "checked": checked,
                "rows": summary.rows,
                "ready" if checked else "recorded": summary.taken,
                "refused": summary.refused,
                "problems": dict(summary.problems),
                "marks": dict(summary.marks),
                "finished": done.finished,
                "stopped": summary.stopped,
                "through_row": done.through,
                "resumed_after_row": done.resumed_after,
                "report": str(report),
                "seconds": round(seconds, 3),
            }
        )
        return
    click.echo(f"{summary.rows} rows: {summary.taken} {'ready' if checked else 'recorded'}, {summary.refused} refused")
    for title, counts in (("refused for", summary.problems), ("marked", summary.marks)):
        for code, count in sorted(counts.items()):
            click.echo(f"  {title} {code}: {count}")
    if done.resumed_after:
        click.echo(f"  went on behind row {done.resumed_after}, where an earlier try had ended")
    if checked:
        click.echo("  nothing was sent")
    if not done.finished:
        click.echo(
            f"STOPPED behind row {done.through}: {summary.stopped}. Nothing behind it was taken"
            f"{'' if checked else '; the same command goes on from there'}."
        )
    click.echo(f"report: {report}")


def export_command(collection: str) -> click.Command:
    """Make `export` for one kind of record."""
    from renkei_node.files.forms import ENCODINGS, FORMS

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
        directory, file = _places(paths)
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
                "replaced_characters": done.replaced,
                "unreachable": list(done.unreachable),
                "file": str(path),
            }
        )
        return
    click.echo(f"{done.records} records in {path}")
    if done.withheld:
        click.echo(f"  {done.withheld} of others left out: their originators have to be asked first")
    if done.overdue:
        click.echo(f"  {done.overdue} left out: they should be gone by now")
    if done.replaced:
        click.echo(f"  {done.replaced} characters that cp932 lacks are written as 〓")
    for name in done.unreachable:
        click.echo(f"  {name} is cut off: records of it may be missing")


def _places(paths: tuple[Path, ...]) -> tuple[Path, Path]:
    import os

    match paths:
        case (file,):
            return Path(os.environ.get(DIRECTORY_VARIABLE, ".")), file
        case (directory, file):
            return directory, file
        case _:
            raise click.UsageError("give one file, and before it the node's directory")


class Bar:
    """A progress bar on a terminal's standard error, with the rate and the time that is left; elsewhere nothing."""

    def __init__(self) -> None:
        """Begin the clock."""
        self.is_shown = sys.stderr.isatty()
        self._bar: Any = None
        self._count = 0
        self._pending = 0
        self._began = self._shown = time.monotonic()

    def begin(self, rows: int) -> None:
        """Show it; `rows` is about how many there are, 0 where nobody knows."""
        self._bar = click.progressbar(
            length=rows or None,
            file=sys.stderr,
            show_eta=True,
            show_pos=True,
            item_show_func=lambda _: f"{self._count / max(time.monotonic() - self._began, 1e-9):,.0f} rows/s",
        )
        self._bar.__enter__()

    def tell(self, rows: int) -> None:
        """Count further rows; it is drawn a few times a second."""
        self._count += rows
        self._pending += rows
        if self._bar is not None and time.monotonic() - self._shown > _SEEN_EVERY:
            self._draw()

    def _draw(self) -> None:
        self._bar.update(self._pending, "")
        self._pending, self._shown = 0, time.monotonic()

    def __enter__(self) -> None:
        """Nothing is shown before `begin`."""

    def __exit__(self, *_: object) -> None:
        """End the line."""
        if self._bar is not None:
            self._draw()
            self._bar.__exit__(None, None, None)


_IMPORT_HELP: Final = """\
Take FILE into the node in DIR: CSV (UTF-8 or cp932), xlsx, xls, ods or JSON lines, read by a profile.

Every row's fate is in the report beside the file. Rows that are wrong are refused and the others taken; the exit status
is 0 only if all were taken. After Ctrl-C, a crash or an expired token the same command goes on where it ended, and no
row is recorded twice.

\b
Examples:
  renkei {c} import ./jp-12 {c}.csv --check
  renkei {c} import ./jp-12 {c}.xlsx --profile ./our-system.toml --save-profile our-system
  renkei {c} import ./jp-12 {c}.xlsx --profile our-system --json
"""
_EXPORT_HELP: Final = """\
Write the records of the node in DIR into FILE, which must not be there: CSV for Japanese Excel, JSON lines or Parquet.

Every record carries its handling label, and the file one for the whole. Persons are never exported.

\b
Examples:
  renkei {c} export ./jp-12 {c}.csv
  renkei {c} export ./jp-12 {c}.csv --encoding cp932 --case 2024-0117
  renkei {c} export ./jp-12 {c}.parquet --received --json
"""
