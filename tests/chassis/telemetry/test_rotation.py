"""The log's files stay few and small, and no line is lost or torn between them."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.telemetry.logging import configure, log_event
from renkei_chassis.telemetry.rotation import RotatingFile

if TYPE_CHECKING:
    from pathlib import Path

LINE = "x" * 39 + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.log"


def contents(path: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in sorted(path.parent.iterdir())}


def newest_first(path: Path) -> list[Path]:
    return sorted(
        path.parent.iterdir(), key=lambda file: int(file.name.removeprefix("node.log").removeprefix(".") or 0)
    )


def test_a_full_file_is_moved_on_and_the_oldest_is_deleted(path: Path) -> None:
    file = RotatingFile(path, size=80, files=3)

    for number in range(9):
        file.write(f"{number}{LINE[1:]}")

    file.close()
    firsts = {name: [line[0] for line in text.splitlines()] for name, text in contents(path).items()}
    assert firsts == {"node.log": ["8"], "node.log.1": ["6", "7"], "node.log.2": ["4", "5"]}
    assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}


@given(
    batches=st.lists(st.lists(st.integers(1, 120), min_size=1, max_size=8), max_size=12),
    size=st.integers(1, 200),
    restarts=st.sets(st.integers(0, 12)),
)
def test_what_is_kept_is_the_end_of_what_was_written_in_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], size: int, restarts: set[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "node.log"
    written = ""
    file = RotatingFile(path, size=size, files=4)
    for number, batch in enumerate(batches):
        if number in restarts:
            file.close()
            file = RotatingFile(path, size=size, files=4)
        text = "".join(f"{number}:{length}".ljust(length, "x") + "\n" for length in batch)
        written += text
        file.write(text)
    file.close()

    kept = "".join(one.read_text() for one in reversed(newest_first(path)))
    assert written.endswith(kept)
    assert not kept or kept == written or f"\n{kept}" in f"\n{written}"
    assert len(contents(path)) <= 4
    for text in contents(path).values():
        assert len(text) <= size or text.count("\n") == 1, "only a line longer than a file is longer"


def test_a_start_goes_on_in_the_file_that_is_there(path: Path) -> None:
    path.write_text(LINE)
    path.chmod(0o644)

    RotatingFile(path, size=80, files=2).write(LINE)

    assert contents(path) == {"node.log": LINE + LINE}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_kill_tore_is_ended_before_the_next(path: Path) -> None:
    path.write_text('{"torn')

    RotatingFile(path, size=1000, files=2).write('{"whole": 1}\n')

    assert path.read_text().splitlines() == ['{"torn', '{"whole": 1}']


def test_a_kill_between_two_renames_leaves_a_number_out_and_nothing_else(path: Path) -> None:
    path.with_name("node.log.2").write_text("old\n")  # was node.log.1 a moment before
    path.write_text(LINE)

    file = RotatingFile(path, size=40, files=4)
    file.write("new\n")
    file.close()

    assert contents(path) == {"node.log": "new\n", "node.log.1": LINE, "node.log.3": "old\n"}


def test_a_kill_before_the_new_file_is_made_loses_nothing(path: Path) -> None:
    path.with_name("node.log.1").write_text(LINE)

    file = RotatingFile(path, size=40, files=4)
    file.write("new\n")
    file.close()

    assert contents(path) == {"node.log": "new\n", "node.log.1": LINE}


def test_fewer_files_than_before_deletes_the_oldest_at_the_start(path: Path) -> None:
    for number in ("1", "2", "11", "old"):
        path.with_name(f"node.log.{number}").write_text("x\n")

    RotatingFile(path, size=40, files=2).close()

    assert sorted(contents(path)) == ["node.log", "node.log.1", "node.log.old"]


def test_what_cannot_be_rotated_is_written_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RotatingFile(path, size=80, files=3)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("renkei_chassis.telemetry.rotation.os.replace", refuse)
    for _ in range(5):
        file.write(LINE)
    monkeypatch.undo()
    file.write(LINE)
    file.close()

    assert {name: text.count("\n") for name, text in contents(path).items()} == {"node.log": 1, "node.log.1": 5}


def test_a_full_disk_tears_one_line_and_no_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RotatingFile(path, size=1000, files=2)
    real = os.write
    room = 10

    def write(handle: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "no space left")
        written = real(handle, bytes(data)[:room])
        room -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr("renkei_chassis.telemetry.rotation.os.write", write)
        with pytest.raises(OSError, match="no space"):
            file.write(LINE)
    file.write("after\n")
    file.close()

    assert path.read_text().splitlines() == ["x" * 10, "after"]


def test_lines_of_several_services_and_libraries_rotate_together(path: Path) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    file = RotatingFile(path, size=4000, files=50)
    writer = configure(stream=file)
    try:
        for number in range(300):
            log_event(logging.getLogger(f"renkei.{number % 5}"), "call", number=number)
            logging.getLogger("library").warning("line")
    finally:
        writer.close()
        file.close()
        root.handlers[:] = handlers
        root.setLevel(level)

    files = newest_first(path)
    told = [json.loads(line) for one in reversed(files) for line in one.read_text().splitlines()]
    assert len(files) > 10
    assert [line["number"] for line in told if "number" in line] == list(range(300))
    assert len(told) == 600


SCRIPT = """
import sys
from pathlib import Path
from renkei_chassis.telemetry.rotation import RotatingFile
file = RotatingFile(Path(sys.argv[1]), size=2000, files=1000)
number = int(sys.argv[2])
while True:
    file.write(f"{number:09}\\n")
    if number % 500 == 0:
        print(number, flush=True)
    number += 1
"""


def test_a_process_that_is_killed_while_it_rotates_leaves_every_line_and_can_go_on(path: Path) -> None:
    number = 0
    for _ in range(3):
        command = [sys.executable, "-c", SCRIPT, str(path), str(number)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(4)]
            process.send_signal(signal.SIGKILL)
            said.extend(process.stdout)
        assert int(said[3]) > number
        lines = [line for one in reversed(newest_first(path)) for line in one.read_text().splitlines()]
        assert [int(line) for line in lines] == list(range(int(lines[-1]) + 1))
        number = int(lines[-1]) + 1
