"""Run commands as a reader types them, one block after the other in one shell, in a folder like a clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parents[2]
_END: Final = "end of block, status "


def readme_blocks(heading: str) -> list[str]:
    """Give the blocks of shell commands under a heading of the README."""
    _, _, section = (ROOT / "README.md").read_text().partition(f"\n## {heading}\n")
    blocks = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert blocks, heading
    return blocks


def shell_blocks(page: str) -> list[str]:
    """Give every block of shell commands of a page."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def look_like_a_clone(folder: Path) -> None:
    """Put what the commands name by a relative path where they find it."""
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("proto", "buf.yaml"):
        (folder / name).symlink_to(ROOT / name)


class Shell:
    """A shell with job control, as at a terminal."""

    def __init__(self, folder: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RENKEI_")}
        self._process = subprocess.Popen(
            ["/bin/bash"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.run("set -m")  # job control, as at a terminal

    def run(self, block: str) -> str:
        """Run a block; returns what it printed. Fails where its last command does."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f'{block}\necho "{_END}$?"\n')
        self._process.stdin.flush()
        lines: list[str] = []
        while not (line := self._process.stdout.readline()).startswith(_END):
            assert line, lines
            lines.append(line)
        said = "".join(lines)
        assert line == f"{_END}0\n", (block, said)
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the shell and every job of it."""
        assert self._process.stdin is not None
        self._process.communicate('for job in $(jobs -p); do kill -- "-$job"; done; wait; exit\n', timeout=20)
