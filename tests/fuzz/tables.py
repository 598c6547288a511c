"""Targets for the files of other systems, and the profiles by which they are read."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from renkei_files import FileError, Limits, ProfileError, map_rows, open_table, read_profile, without_twins

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROFILE_TEXT: Final = """
version = 1
name = "fuzz"
[[columns]]
field = "number"
headers = ["番号"]
required = true
[[columns]]
field = "phone"
headers = ["電話番号"]
"""
_PROFILE: Final = read_profile(_PROFILE_TEXT)
_LIMITS: Final = Limits(rows=200)


def table(data: bytes) -> None:
    """Read every row of a file, of whatever format it says that it is."""
    with suppress(FileError), open_table(io.BytesIO(data), _PROFILE, _LIMITS) as opened:
        for row in without_twins(map_rows(opened.rows, _PROFILE), _PROFILE):
            assert row.number > 0


def profile(data: bytes) -> None:
    """Read a profile that somebody wrote."""
    try:
        read = read_profile(data.decode("utf-8", "replace"))
    except ProfileError:
        return
    assert read.columns


def tables() -> Iterator[bytes]:
    rows = "番号,電話番号\r\n1,090-1234-5678\r\n1,０９０\r\n"
    for encoding in ("cp932", "utf-8", "utf-8-sig", "utf-16"):
        yield rows.encode(encoding)
    yield '{"番号": "1", "電話番号": null}\n{"番号": 1}\n[]\n'.encode()
    yield b"PK\x03\x04" + bytes(30)
    yield b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


PROFILES: Final = (_PROFILE_TEXT.encode(), b"version = 1\n", b"a = " + b"[" * 100_000)
