"""`renkei doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from renkei_node.commands.access import (
    directory_argument,
    emit_json,
    json_option,
    language_option,
    plain_failure,
    visible,
)
from renkei_node.layout import NodeDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from renkei_node.doctor.finding import Finding

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗", "skipped": "-"}
_WORDS = {
    "ja": "異常 {failed} 件、注意 {warning} 件",
    "en": "{failed} failed, {warning} to look at",
}


@click.command(short_help="Look a node over: what is wrong, and what to do.")
@directory_argument
@json_option
@language_option
@plain_failure
def command(directory: Path, language: str, *, as_json: bool) -> None:
    """Look over the node in DIR, whether it runs or not, and say what to do about what is wrong.

    Settings, federation, keys, databases, disks, clock, ports, nats-server and the other agencies. Nothing is
    changed. The exit status is 1 where something failed, and 0 where all is well or only to be looked at.

    \b
    Examples:
      renkei doctor ./jp-12
      renkei doctor --json ./jp-12 | jq '.findings[] | select(.state == "failed")'
      RENKEI_NODE_DATABASE=postgresql://renkei@db/renkei_{service} renkei doctor ./jp-12
    """
    from renkei_node.doctor.examination import examine

    findings = examine(NodeDirectory(directory.absolute()))
    if as_json:
        emit_json({"well": not _count(findings, "failed"), "findings": [finding.as_json() for finding in findings]})
    else:
        click.echo("\n".join(lines(findings, language)))
    if _count(findings, "failed"):
        sys.exit(1)


def lines(findings: Sequence[Finding], language: str) -> Iterator[str]:
    """Write the findings for a terminal, each with what to do."""
    for finding in findings:
        yield f"{_MARKS[finding.state]} {finding.check:<17} {visible(finding.told(language))}"
        if advice := finding.advice(language):
            yield f"  {'':<17} → {visible(advice)}"
    counts = {state: _count(findings, state) for state in ("failed", "warning")}
    yield _WORDS[language].format(**counts)


def _count(findings: Sequence[Finding], state: str) -> int:
    return sum(finding.state == state for finding in findings)
