"""The names of the forms of a file, for `--help`: this module imports nothing, so that help comes at once."""

from __future__ import annotations

from typing import Final

FORMS: Final = ("csv", "jsonl", "parquet")
ENCODINGS: Final = ("utf-8", "cp932")
