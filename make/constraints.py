"""Refresh constraints.txt and the pins of the build requirements: `make constraints [UPGRADE=1]`."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import environment

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
# The version of every package of others, on every platform and Python that we support.
# Written by `make constraints`, with UPGRADE=1 to move them all; it holds no address, so any index will do.
"""


def main() -> int:
    """Resolve what all our distributions need; versions stay where they are unless --upgrade is given."""
    environment.pip("install", *environment.group_requirements("refresh"))
    requirements = {unpinned(text) for text in environment.run_requirements()}
    for group in ("dev", "refresh"):
        requirements.update(environment.group_requirements(group))
    command = [str(environment.VENV / "bin" / "uv"), "pip", "compile", "-", "--universal", "--python-version", "3.11"]
    command += ["--quiet", "--no-config", "--no-header", "--no-annotate", "--no-emit-index-url"]
    # uv prefers the versions that its output file already has.
    command += ["--output-file", str(environment.CONSTRAINTS), *sys.argv[1:]]
    done = subprocess.run(command, input="\n".join(sorted(requirements)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return environment.refuse(done.stderr.strip())
    environment.CONSTRAINTS.write_text(HEADER + environment.CONSTRAINTS.read_text())
    for path in pyprojects():
        path.write_text(pin_build_requirements(path.read_text()))
    return 0


def unpinned(requirement: str) -> str:
    """Turn an exact pin into a free choice; bounds stay."""
    return requirement.split("==", maxsplit=1)[0]


def pinned_versions() -> dict[str, str]:
    """Read constraints.txt: the version of each package that has one version everywhere."""
    lines = environment.CONSTRAINTS.read_text().splitlines()
    return {match[1].lower(): match[2] for line in lines if (match := re.fullmatch(r"([\w.-]+)==(\S+)", line))}


def pin_build_requirements(text: str) -> str:
    """Give the build requirements of one pyproject.toml the versions of constraints.txt."""
    versions = pinned_versions()
    return re.sub(r'"([\w-]+)==[^"]+"', lambda match: f'"{match[1]}=={versions[match[1].lower()]}"', text)


def pyprojects() -> list[Path]:
    """List the pyproject.toml of every distribution."""
    return [environment.ROOT / "services" / name / "pyproject.toml" for name in environment.DISTRIBUTIONS]


def stale_pins() -> list[str]:
    """Name the files whose build requirements differ from constraints.txt."""
    return [str(path) for path in pyprojects() if pin_build_requirements(path.read_text()) != path.read_text()]


if __name__ == "__main__":
    sys.exit(main())
