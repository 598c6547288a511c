"""Open the archive that a workbook is, and refuse one that unpacks to more than its limits."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final
from xml.parsers import expat

from renkei_files.limits import Limits
from renkei_files.problems import FileError, Reason

_BLOCK: Final = 1 << 16
_SMALL: Final = 1 << 20
_MANY: Final = 10_000


class Archive:
    """The parts of a workbook, unpacked as streams. What a part says of its own size is not believed."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        """Take an archive whose list of parts was read."""
        self._archive = archive
        self._limits = limits
        self._unpacked = 0
        self.names = frozenset(archive.namelist())
        if len(archive.infolist()) > _MANY:
            raise FileError(Reason.ARCHIVE_TOO_LARGE, detail="more than 10000 parts")

    def parse(self, name: str, handlers: dict[str, Any], *, at_most: int | None = None) -> None:
        """Run a part through expat. Entities are refused: a few of them can stand for gigabytes."""
        for _ in self.parsed(name, handlers, at_most=at_most):
            pass

    def parsed(self, name: str, handlers: dict[str, Any], *, at_most: int | None = None) -> Iterator[None]:
        """Run a part through expat and pause behind each block, so that rows leave before the next one is read."""
        parser = expat.ParserCreate(namespace_separator=None)
        parser.buffer_text = True
        parser.EntityDeclHandler = _refuse_entities
        for handler, function in handlers.items():
            setattr(parser, handler, function)
        try:
            with self._archive.open(name) as part:
                packed = self._archive.getinfo(name).compress_size
                for block in self._blocks(part, packed, at_most):
                    parser.Parse(block, False)  # noqa: FBT003 (expat takes no names)
                    yield
                parser.Parse(b"", True)  # noqa: FBT003
                yield
        except (expat.ExpatError, zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, KeyError) as error:
            if isinstance(error, FileError):
                raise
            raise FileError(Reason.NOT_A_TABLE, detail=f"part {name}") from None
        except RuntimeError:
            raise FileError(Reason.ENCRYPTED) from None

    def _blocks(self, part: IO[bytes], packed: int, at_most: int | None) -> Iterator[bytes]:
        size = 0
        while block := part.read(_BLOCK):
            size += len(block)
            self._unpacked += len(block)
            too_dense = size > _SMALL and size > packed * self._limits.packing_ratio
            if too_dense or self._unpacked > self._limits.unpacked_bytes or size > (at_most or size):
                raise FileError(Reason.ARCHIVE_TOO_LARGE)
            yield block


def _refuse_entities(*_: object) -> None:
    raise FileError(Reason.NOT_A_TABLE, detail="the workbook defines entities of its own")


@contextmanager
def open_archive(file: IO[bytes], limits: Limits) -> Iterator[Archive]:
    """Open the archive of a workbook."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise FileError(Reason.NOT_A_TABLE) from None
    with archive:
        yield Archive(archive, limits)


def sheet_parts(archive: Archive) -> dict[str, str]:
    """Map the names of the visible sheets to the parts that hold them, in the order of the workbook."""
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "sheet" and attributes.get("state", "visible") == "visible":
            (identity,) = [value for key, value in attributes.items() if key.endswith(":id")] or [""]
            sheets[attributes.get("name", "")] = identity

    archive.parse("xl/_rels/workbook.xml.rels", {"StartElementHandler": relation}, at_most=_SMALL)
    archive.parse("xl/workbook.xml", {"StartElementHandler": sheet}, at_most=_SMALL)
    return {name: _part(targets.get(identity, "")) for name, identity in sheets.items()}


def _part(target: str) -> str:
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _local(tag: str) -> str:
    return re.sub(r".*:", "", tag)
