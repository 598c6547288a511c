"""The `renkei` command as a whole: help at once, JSON everywhere, and a start that says why it is none."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

import renkei_node.demo.begin
from renkei_node.cli import COMMANDS, main

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP_SECONDS = 0.3
HEAVY = {"grpc", "google.protobuf", "nats", "pydantic", "sqlalchemy", "opentelemetry", "renkei_chassis"}


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    """Give the words of every command that does something."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, *above, name)
        else:
            yield *above, name


def test_every_command_of_the_table_is_there() -> None:
    assert {words[0] for words in commands(main)} == set(COMMANDS)


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_every_command_can_speak_json(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*words, "--help"])

    assert done.exit_code == 0
    assert "--json" in done.stdout


def test_help_imports_nothing_that_takes_time() -> None:
    code = "import sys; from renkei_node.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert "Commands:" in done.stdout
    assert HEAVY & set(done.stdout.splitlines()[-1].split()) == set()


def test_help_comes_at_once() -> None:
    """In processor time, which is what the command itself takes: the machine may be busy with other tests."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "renkei_node.cli", "--help"], capture_output=True, check=True, timeout=30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert 0 < min(seconds() for _ in range(5)) < HELP_SECONDS


def test_the_demo_tells_a_program_its_figures_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(**wishes: Any) -> int:  # noqa: ANN401 (as the command calls it)
        click.echo("the story")
        wishes["on_outcome"]({"leads": 5, "faults": ["a claim"]})
        return 1

    monkeypatch.setattr(renkei_node.demo.begin, "begin", begin)

    done = CliRunner().invoke(main, ["demo", "--once", "--json"])

    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"leads": 5, "faults": ["a claim"]}
    assert done.stderr == "the story\n"
