"""What the doctor found is told in both languages, and to programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from renkei_node.cli import main
from renkei_node.doctor.texts import ADVICE, TEXTS

if TYPE_CHECKING:
    from renkei_node.layout import NodeDirectory


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["doctor", *words])
    return done.exit_code, done.output


def test_the_command_says_what_to_do_and_fails_where_something_failed(node: NodeDirectory) -> None:
    assert run("--lang", "en", str(node.path))[0] == 0

    node.data.chmod(0o755)
    code, english = run("--lang", "en", str(node.path))
    _, japanese = run("--lang", "ja", str(node.path))

    assert code == 1
    assert f"→ chmod 700 {node.data}" in english
    assert english.splitlines()[-1] == "1 failed, 1 to look at"
    assert "他の利用者が開けます" in japanese


def test_the_command_gives_json_for_programs(node: NodeDirectory) -> None:
    code, output = run("--json", str(node.path))
    told = json.loads(output)

    assert (code, told["well"]) == (0, True)
    assert {"check", "state", "reason", "text", "advice"} == set(told["findings"][0])

    node.service_key("tips").chmod(0o640)
    code, output = run("--json", str(node.path))
    assert (code, json.loads(output)["well"]) == (1, False)


def test_the_help_has_examples() -> None:
    code, output = run("--help")

    assert code == 0
    assert "renkei doctor ./jp-12" in output


def test_every_text_is_in_both_languages(node: NodeDirectory) -> None:
    assert all(set(lines) == {"ja", "en"} and all(lines.values()) for lines in [*TEXTS.values(), *ADVICE.values()])
    assert set(ADVICE) <= set(TEXTS)
