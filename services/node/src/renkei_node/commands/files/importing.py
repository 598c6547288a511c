"""`renkei tips import` and `renkei arrests import`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
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
from renkei_node.commands.files.bar import Bar
from renkei_node.commands.files.places import counted, paths_argument, places
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_node.files.importing import Done

_INTERRUPTED: Final = 130


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
        directory, file = places(paths)
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
        raise click.ClickException(f"{error.filename or given['path']}: {error.strerror or 'cannot be read'}") from None
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
    summary, verb = done.summary, "ready" if checked else "recorded"
    if as_json:
        emit_json(
            {
                "checked": checked,
                "rows": summary.rows,
                verb: summary.taken,
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
    click.echo(f"{counted(summary.rows, 'row')}: {summary.taken} {verb}, {summary.refused} refused")
    for title, counts in (("refused for", summary.problems), ("marked", summary.marks)):
        for code, count in sorted(counts.items()):
            click.echo(f"  {title} {code}: {count}")
    if summary.refused and not checked:
        click.echo("  correct the refused rows in a file of their own: the others are recorded already")
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
